//! A small page for the developer: sends a mail to an address, and shows what arrived.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use askama::Template;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::{Router, routing};
use membermail_core::random::{self, OsRandom};
use serde::Deserialize;
use tokio::net::TcpListener;

use crate::follow::{self, Said};
use crate::inbox::{self, Arrived};
use crate::rig::Rig;

/// Who the page's mails are from: somebody elsewhere.
const SENDER: &str = "somebody@elsewhere.example";

struct Mailbox {
    smtp: u16,
    log: PathBuf,
    maildir: PathBuf,
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct Page {
    smtp: u16,
    said: Vec<String>,
    mails: Vec<Arrived>,
}

#[derive(Deserialize)]
struct Wish {
    to: String,
}

/// Serves the page of this mail host until the process ends.
pub fn serve(listener: TcpListener, rig: &Rig) {
    let mailbox = Mailbox { smtp: rig.smtp, log: rig.log.clone(), maildir: rig.inbox.maildir().to_owned() };
    let app = Router::new()
        .route("/", routing::get(|State(mailbox): State<Arc<Mailbox>>| async move { mailbox.page(Vec::new()) }))
        .route("/send", routing::post(send))
        .with_state(Arc::new(mailbox));
    tokio::spawn(async move { axum::serve(listener, app).await });
}

async fn send(State(mailbox): State<Arc<Mailbox>>, Form(wish): Form<Wish>) -> Response {
    let token = random::bytes::<8>(&OsRandom).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let said = match follow::test_mail(mailbox.smtp, &mailbox.log, SENDER, wish.to.trim(), &token).await {
        Ok((said, deliveries)) => {
            let said = match said {
                Said::Taken(id) => format!("taken as {id}"),
                Said::Later(words) => format!("not now: {words}"),
                Said::Refused(words) => format!("refused: {words}"),
            };
            let lines = deliveries.into_iter().map(|one| format!("{} to {}: {}", one.status, one.to, one.because));
            std::iter::once(said).chain(lines).collect()
        }
        Err(error) => vec![format!("{error:#}")],
    };
    mailbox.page(said)
}

impl Mailbox {
    fn page(&self, said: Vec<String>) -> Response {
        let page = || -> Result<String> {
            let mut mails = inbox::all(&self.maildir)?;
            mails.reverse();
            Ok(Page { smtp: self.smtp, said, mails }.render()?)
        };
        match page() {
            Ok(page) => Html(page).into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}\n")).into_response(),
        }
    }
}
