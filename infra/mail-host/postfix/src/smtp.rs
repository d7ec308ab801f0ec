//! An SMTP client that reports the reply of the mail host and the command that it rejected. It sends test mails.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use tokio::net::ToSocketAddrs;

/// The name in `EHLO`.
const CLIENT_NAME: &str = "client.example";

/// Timeout of each reply.
const REPLY_TIMEOUT: Duration = Duration::from_secs(60);

/// The mail host's reply to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmtpReply {
    /// The message was accepted under this queue id.
    Queued(String),
    /// A temporary failure (4xx).
    Deferred(String),
    /// A permanent failure (5xx) in this phase.
    Rejected(SmtpPhase, String),
}

/// A phase of the SMTP transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpPhase {
    /// `MAIL FROM`
    Sender,
    /// `RCPT TO`
    Recipient,
    /// `DATA` and the message
    Message,
}

/// The outcome of an SMTP transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The reply to `RCPT TO`, if the recipient was accepted.
    pub recipient_reply: Option<String>,
    /// The final reply.
    pub reply: SmtpReply,
}

/// Sends a message to the mail host on this machine. `source` is the local address to connect from, and `sender` is `None`
/// for the null sender of a bounce.
pub async fn send(
    port: u16,
    source: Option<&str>,
    sender: Option<&str>,
    recipient: &str,
    message: &[u8],
) -> Result<SmtpReply> {
    let connection = connect((Ipv4Addr::LOCALHOST, port), source).await?;
    Ok(transact(connection, &envelope(sender, recipient)?, message).await?.reply)
}

async fn connect<A: ToSocketAddrs>(server: A, source: Option<&str>) -> Result<AsyncSmtpConnection> {
    let source = source.map(str::parse).transpose()?;
    let client = ClientId::Domain(CLIENT_NAME.to_owned());
    let connection = AsyncSmtpConnection::connect_tokio1(server, Some(REPLY_TIMEOUT), &client, None, source).await;
    connection.context("cannot connect to the mail host")
}

async fn transact(mut connection: AsyncSmtpConnection, envelope: &Envelope, message: &[u8]) -> Result<Transaction> {
    let mut recipient_reply = None;
    let mut phase = SmtpPhase::Sender;
    let result = run_commands(&mut connection, envelope, message, &mut recipient_reply, &mut phase).await;
    let _ = connection.quit().await;
    let reply = match result {
        Ok(response) => {
            let text = response_text(&response);
            let (_, id) =
                text.rsplit_once("queued as ").with_context(|| format!("the reply {text:?} has no queue id"))?;
            SmtpReply::Queued(id.trim().to_owned())
        }
        Err(error) if error.is_transient() => SmtpReply::Deferred(error_text(&error)),
        Err(error) if error.is_permanent() => SmtpReply::Rejected(phase, error_text(&error)),
        Err(error) => return Err(error).context("the SMTP connection failed"),
    };
    Ok(Transaction { recipient_reply, reply })
}

async fn run_commands(
    connection: &mut AsyncSmtpConnection,
    envelope: &Envelope,
    message: &[u8],
    recipient_reply: &mut Option<String>,
    phase: &mut SmtpPhase,
) -> Result<Response, Error> {
    connection.command(Mail::new(envelope.from().cloned(), Vec::new())).await?;
    *phase = SmtpPhase::Recipient;
    for recipient in envelope.to() {
        let response = connection.command(Rcpt::new(recipient.clone(), Vec::new())).await?;
        *recipient_reply = Some(format!("{} {}", response.code(), response_text(&response)));
    }
    *phase = SmtpPhase::Message;
    connection.command(Data).await?;
    connection.message(message).await
}

fn envelope(sender: Option<&str>, recipient: &str) -> Result<Envelope> {
    let sender = sender.map(str::parse).transpose().context("invalid sender")?;
    Ok(Envelope::new(sender, vec![recipient.parse().context("invalid recipient")?])?)
}

fn response_text(response: &Response) -> String {
    response.message().collect::<Vec<_>>().join(" ")
}

fn error_text(error: &Error) -> String {
    let code = error.status().map(|code| code.to_string()).unwrap_or_default();
    let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    format!("{code} {source}")
}

/// A mail that tests an address and explains itself to the recipient.
#[derive(Clone, Copy, Debug)]
pub struct TestMail<'a> {
    /// The sender, by default the postmaster of the host name in the greeting. A sender in another domain would fail DMARC
    /// at the destination.
    pub sender: Option<&'a str>,
    /// The tested address.
    pub address: &'a str,
    /// A unique token.
    pub token: &'a str,
    /// The date of the mail.
    pub at: Timestamp,
}

impl TestMail<'_> {
    /// Sends the mail.
    pub async fn send<A: ToSocketAddrs>(&self, server: A) -> Result<Transaction> {
        let connection = connect(server, None).await?;
        let sender = match self.sender {
            Some(sender) => sender.to_owned(),
            None => format!("postmaster@{}", connection.server_info().name()),
        };
        transact(connection, &envelope(Some(&sender), self.address)?, self.text(&sender)?.as_bytes()).await
    }

    fn text(&self, sender: &str) -> Result<String> {
        let Self { address, token, at, .. } = self;
        let date = DateTimePrinter::new().timestamp_to_string(at)?;
        let domain = address.rsplit_once('@').map_or(CLIENT_NAME, |(_, domain)| domain);
        Ok(format!(
            "From: <{sender}>\r\nTo: <{address}>\r\nSubject: Test of {address}\r\nDate: {date}\r\n\
             Message-ID: <{token}@{domain}>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n\
             The operators of {address} sent this mail to test the address. It arrived, so the address works.\r\n\
             You do not have to do anything. {token}\r\n"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_mail_explains_itself() {
        let mail = TestMail { sender: None, address: "alice@ubuntu.com", token: "5eed", at: Timestamp::UNIX_EPOCH };
        insta::assert_snapshot!(mail.text("postmaster@mx.forwards.example").unwrap());
    }
}
