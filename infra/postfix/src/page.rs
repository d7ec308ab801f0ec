//! A small page for the developer: sends a mail to an address, and shows what arrived.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use askama::Template;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::{Router, routing};
use membermail_core::address::DomainName;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::random::{self, OsRandom};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::follow::{self, Delivery, Said, TestMail};
use crate::inbox::{self, Arrived};
use crate::mail_log::MailLog;
use crate::rig::Rig;

/// Who the page's mails are from: somebody elsewhere.
const SENDER: &str = "somebody@elsewhere.example";

/// How long a delivery is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

struct Mailbox {
    smtp: u16,
    domain: DomainName,
    log: PathBuf,
    maildir: PathBuf,
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct Page<'a> {
    smtp: u16,
    domain: &'a DomainName,
    said: Vec<String>,
    mails: Vec<Arrived>,
}

#[derive(Deserialize)]
struct Wish {
    to: String,
}

/// Serves the page of this mail host until the process ends.
pub fn serve(listener: TcpListener, rig: &Rig) {
    let (smtp, domain, log) = (rig.smtp, rig.domain.clone(), rig.log.clone());
    let mailbox = Mailbox { smtp, domain, log, maildir: rig.inbox.maildir().to_owned() };
    let app = Router::new()
        .route("/", routing::get(|State(mailbox): State<Arc<Mailbox>>| async move { mailbox.page(Vec::new()) }))
        .route("/send", routing::post(send))
        .with_state(Arc::new(mailbox));
    tokio::spawn(async move { axum::serve(listener, app).await });
}

async fn send(State(mailbox): State<Arc<Mailbox>>, Form(wish): Form<Wish>) -> Response {
    let said = mailbox.send(wish.to.trim()).await;
    mailbox.page(said.unwrap_or_else(|error| vec![format!("{error:#}")]))
}

impl Mailbox {
    /// Sends a test mail, and tells what became of it, line by line.
    async fn send(&self, address: &str) -> Result<Vec<String>> {
        let token = random::bytes::<8>(&OsRandom).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut log = MailLog::file(&self.log)?;
        let mail = TestMail { sender: Some(SENDER), address, token: &token, at: SystemClock.now() };
        let id = match mail.offer((Ipv4Addr::LOCALHOST, self.smtp)).await?.said {
            Said::Taken(id) => id,
            Said::Later(words) => return Ok(vec![format!("not now: {words}")]),
            Said::Refused(_, words) => return Ok(vec![format!("refused: {words}")]),
        };
        let mut lines = vec![format!("taken as {id}")];
        let tell = |one: Delivery| lines.push(format!("{} to {}: {}", one.status, one.to, one.because));
        if !follow::watch(&mut log, &id, Instant::now() + PATIENCE, tell).await? {
            lines.push("it is still in the queue".to_owned());
        }
        Ok(lines)
    }

    fn page(&self, said: Vec<String>) -> Response {
        let page = || -> Result<String> {
            let mut mails = inbox::all(&self.maildir)?;
            mails.reverse();
            Ok(Page { smtp: self.smtp, domain: &self.domain, said, mails }.render()?)
        };
        match page() {
            Ok(page) => Html(page).into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}\n")).into_response(),
        }
    }
}
