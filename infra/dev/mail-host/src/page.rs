//! A page for developers that sends test mails and shows the received mail.

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
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::mailbox::{Mailbox, ReceivedMail};
use crate::rig::Rig;
use crate::system::random_hex;
use membermail_postfix::delivery;
use membermail_postfix::mail_log::MailLog;
use membermail_postfix::smtp::{SmtpReply, TestMail};

/// Envelope sender of the test mails.
const SENDER: &str = "somebody@elsewhere.example";

const DELIVERY_TIMEOUT: Duration = Duration::from_secs(60);

struct PageState {
    smtp: u16,
    domain: DomainName,
    log: PathBuf,
    mailbox: Mailbox,
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct Page<'a> {
    smtp: u16,
    domain: &'a DomainName,
    result: Vec<String>,
    mails: Vec<ReceivedMail>,
}

#[derive(Deserialize)]
struct SendForm {
    to: String,
}

/// Serves the page of this mail host until the process exits.
pub fn serve(listener: TcpListener, rig: &Rig) {
    let state = PageState {
        smtp: rig.smtp,
        domain: rig.domain.clone(),
        log: rig.log.clone(),
        mailbox: rig.sink.mailbox.clone(),
    };
    let app = Router::new()
        .route("/", routing::get(|State(state): State<Arc<PageState>>| async move { state.page(Vec::new()) }))
        .route("/send", routing::post(send))
        .with_state(Arc::new(state));
    tokio::spawn(async move { axum::serve(listener, app).await });
}

async fn send(State(state): State<Arc<PageState>>, Form(form): Form<SendForm>) -> Response {
    let result = state.send(form.to.trim()).await;
    state.page(result.unwrap_or_else(|error| vec![format!("{error:#}")]))
}

impl PageState {
    /// Sends a test mail and returns what happened to it, line by line.
    async fn send(&self, address: &str) -> Result<Vec<String>> {
        let token = random_hex::<8>();
        let mut log = MailLog::file(&self.log)?;
        let mail = TestMail { sender: Some(SENDER), address, token: &token, at: SystemClock.now() };
        let id = match mail.send((Ipv4Addr::LOCALHOST, self.smtp)).await?.reply {
            SmtpReply::Queued(id) => id,
            SmtpReply::Deferred(text) => return Ok(vec![format!("temporarily rejected: {text}")]),
            SmtpReply::Rejected(_, text) => return Ok(vec![format!("rejected: {text}")]),
        };
        let mut lines = vec![format!("queued as {id}")];
        let is_done = delivery::watch(&mut log, &id, Instant::now() + DELIVERY_TIMEOUT, |delivery| {
            lines.push(format!("{} to {}: {}", delivery.status, delivery.recipient, delivery.response));
        });
        if !is_done.await? {
            lines.push("still in the queue".to_owned());
        }
        Ok(lines)
    }

    fn page(&self, result: Vec<String>) -> Response {
        match self.render(result) {
            Ok(page) => Html(page).into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}\n")).into_response(),
        }
    }

    fn render(&self, result: Vec<String>) -> Result<String> {
        let mut mails = self.mailbox.all()?;
        mails.reverse();
        Ok(Page { smtp: self.smtp, domain: &self.domain, result, mails }.render()?)
    }
}
