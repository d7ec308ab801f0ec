//! Sends a mail and follows it: what the host said at the door, and what it wrote about each delivery. It works with any
//! Postfix whose log can be read, and so with the real mail host as with the one on this machine.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use tokio::net::ToSocketAddrs;
use tokio::time::Instant;

use crate::mail_log::MailLog;

/// The name that we greet a mail host with.
const HELLO: &str = "client.example";

/// How long the host may take for each answer.
const ANSWER: Duration = Duration::from_secs(60);

/// What the host said to a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It took it, under this id of its queue.
    Taken(String),
    /// It wants it again later: 4xx.
    Later(String),
    /// It does not want it: 5xx.
    Refused(Step, String),
}

/// What the host was told when it said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Who the mail is from: `MAIL`.
    Sender,
    /// Whom it is for: `RCPT`. To refuse it there is to refuse it at the door.
    Recipient,
    /// The mail itself: `DATA` and what follows.
    Message,
}

/// One line of Postfix's log on one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where it went.
    pub to: String,
    /// The address that it was sent to, where that is another.
    pub sent_to: Option<String>,
    /// The server that was asked, or `none`.
    pub relay: String,
    /// The status code (RFC 3463).
    pub code: String,
    /// `sent`, `deferred`, `bounced`, `expired`.
    pub status: String,
    /// What the other side said.
    pub because: String,
}

/// What a line of the log says of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A delivery was tried.
    Tried(Delivery),
    /// It has left the queue: every delivery has come to its end, good or bad.
    Left,
}

/// A mail that was offered, and what came of it at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The reply to the recipient, where that was taken.
    pub recipient: Option<String>,
    /// The last word.
    pub said: Said,
}

/// Sends one mail to the host on this machine; `sender` is `None` for the null sender of a bounce.
pub async fn send(port: u16, from: Option<&str>, sender: Option<&str>, recipient: &str, mail: &[u8]) -> Result<Said> {
    let envelope = envelope(sender, recipient)?;
    Ok(offer((Ipv4Addr::LOCALHOST, port), from, &envelope, mail).await?.said)
}

/// Offers one mail, step by step. `from` is the address of ours that we connect from.
pub async fn offer<A: ToSocketAddrs>(at: A, from: Option<&str>, envelope: &Envelope, mail: &[u8]) -> Result<Offered> {
    offer_by(connect(at, from).await?, envelope, mail).await
}

async fn connect<A: ToSocketAddrs>(at: A, from: Option<&str>) -> Result<AsyncSmtpConnection> {
    let local = from.map(str::parse).transpose()?;
    let hello = ClientId::Domain(HELLO.to_owned());
    let connection = AsyncSmtpConnection::connect_tokio1(at, Some(ANSWER), &hello, None, local).await;
    connection.context("connecting to the mail host")
}

async fn offer_by(mut connection: AsyncSmtpConnection, envelope: &Envelope, mail: &[u8]) -> Result<Offered> {
    let (mut recipient, mut step) = (None, Step::Sender);
    let said = talk(&mut connection, envelope, mail, &mut recipient, &mut step).await;
    let _ = connection.quit().await;
    let said = match said {
        Ok(response) => {
            let text = spoken(&response);
            let (_, id) = text.rsplit_once("queued as ").with_context(|| format!("the mail host said {text:?}"))?;
            Said::Taken(id.trim().to_owned())
        }
        Err(error) if error.is_transient() => Said::Later(words(&error)),
        Err(error) if error.is_permanent() => Said::Refused(step, words(&error)),
        Err(error) => return Err(error).context("talking to the mail host"),
    };
    Ok(Offered { recipient, said })
}

async fn talk(
    connection: &mut AsyncSmtpConnection,
    envelope: &Envelope,
    mail: &[u8],
    recipient: &mut Option<String>,
    step: &mut Step,
) -> Result<Response, Error> {
    connection.command(Mail::new(envelope.from().cloned(), Vec::new())).await?;
    *step = Step::Recipient;
    for to in envelope.to() {
        let response = connection.command(Rcpt::new(to.clone(), Vec::new())).await?;
        *recipient = Some(format!("{} {}", response.code(), spoken(&response)));
    }
    *step = Step::Message;
    connection.command(Data).await?;
    connection.message(mail).await
}

fn envelope(sender: Option<&str>, recipient: &str) -> Result<Envelope> {
    let sender = sender.map(str::parse).transpose().context("the sender")?;
    Ok(Envelope::new(sender, vec![recipient.parse().context("the recipient")?])?)
}

fn spoken(response: &Response) -> String {
    response.message().collect::<Vec<_>>().join(" ")
}

/// Code and text, as the server said them.
fn words(error: &Error) -> String {
    let code = error.status().map(|code| code.to_string()).unwrap_or_default();
    let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    format!("{code} {source}")
}

/// What a line of the log says of the mail of that id.
pub fn event(line: &str, id: &str) -> Option<Event> {
    let (_, of_mail) = line.split_once(&format!(": {id}: "))?;
    if of_mail == "removed" {
        return Some(Event::Left);
    }
    let field = |name: &str, end: char| {
        let (_, rest) = of_mail.split_once(name)?;
        Some(rest.split(end).next().unwrap_or(rest).to_owned())
    };
    of_mail.starts_with("to=<").then(|| {
        let because = of_mail.split_once(" (").map(|(_, rest)| rest.trim_end_matches(')').to_owned());
        Some(Event::Tried(Delivery {
            to: field("to=<", '>')?,
            sent_to: field(" orig_to=<", '>'),
            relay: field(" relay=", ',')?,
            code: field(" dsn=", ',')?,
            status: field(" status=", ' ')?,
            because: because.unwrap_or_default(),
        }))
    })?
}

/// What the log says of the mail of that id, so far.
pub fn deliveries(log: &str, id: &str) -> Vec<Delivery> {
    let events = log.lines().filter_map(|line| event(line, id));
    events.filter_map(|event| if let Event::Tried(delivery) = event { Some(delivery) } else { None }).collect()
}

/// Tells of every delivery of a mail until all have come to an end, good or bad. Whether that was before `deadline`.
pub async fn watch(log: &mut MailLog, id: &str, deadline: Instant, mut tell: impl FnMut(Delivery)) -> Result<bool> {
    while let Some(line) = log.next(deadline).await? {
        match event(&line, id) {
            Some(Event::Tried(delivery)) => tell(delivery),
            Some(Event::Left) => return Ok(true),
            None => {}
        }
    }
    Ok(false)
}

/// Waits until every delivery of a mail has come to an end; what was deferred is waited for.
pub async fn follow(log: &Path, id: &str, patience: Duration) -> Result<Vec<Delivery>> {
    let (start, removed) = (Instant::now(), format!(": {id}: removed"));
    let mut text = String::new();
    while start.elapsed() < patience {
        text = std::fs::read_to_string(log).with_context(|| format!("reading {}", log.display()))?;
        if text.contains(&removed) {
            return Ok(deliveries(&text, id));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("{id} is still in the queue after {patience:?}: {:?}", deliveries(&text, id))
}

/// A mail that says what it is for.
#[derive(Clone, Copy, Debug)]
pub struct TestMail<'a> {
    /// Who it is from; without anybody, the postmaster of the mail host, by the name that it greets with. Neither a
    /// member's domain nor a stranger's would do: where it is forwarded to, DMARC would be asked of that.
    pub sender: Option<&'a str>,
    /// The address that is tested.
    pub address: &'a str,
    /// What no other mail has in it.
    pub token: &'a str,
    /// When it is sent.
    pub at: Timestamp,
}

impl TestMail<'_> {
    /// Offers it to a mail host.
    pub async fn offer<A: ToSocketAddrs>(&self, at: A) -> Result<Offered> {
        let connection = connect(at, None).await?;
        let host = || format!("postmaster@{}", connection.server_info().name());
        let sender = self.sender.map_or_else(host, str::to_owned);
        offer_by(connection, &envelope(Some(&sender), self.address)?, self.text(&sender)?.as_bytes()).await
    }

    /// As it goes over the wire.
    fn text(&self, sender: &str) -> Result<String> {
        let Self { address, token, at, .. } = self;
        let date = DateTimePrinter::new().timestamp_to_string(at)?;
        let domain = address.rsplit_once('@').map_or(HELLO, |(_, domain)| domain);
        Ok(format!(
            "From: <{sender}>\r\nTo: <{address}>\r\nSubject: Test of {address}\r\nDate: {date}\r\n\
             Message-ID: <{token}@{domain}>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n\
             This is a test by those who run {address}: it arrived, so mail to this address does.\r\n\
             There is nothing for you to do. {token}\r\n"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
Nov 24 20:00:01 mail postfix/smtp[7]: 4A1: to=<a@b.example>, orig_to=<alice@ubuntu.com>, relay=127.0.0.1[127.0.0.1]:1, \
delay=0.1, delays=0/0/0/0, dsn=4.4.1, status=deferred (connect to 127.0.0.1[127.0.0.1]:1: Connection refused)
Nov 24 20:00:02 mail postfix/smtp[7]: 4A2: to=<x@b.example>, relay=none, dsn=2.0.0, status=sent (250 OK)
Nov 24 20:00:03 mail postfix/smtp[7]: 4A1: to=<a@b.example>, orig_to=<alice@ubuntu.com>, relay=127.0.0.1[127.0.0.1]:1, \
delay=0.1, delays=0/0/0/0, dsn=2.0.0, status=sent (250 OK)
Nov 24 20:00:03 mail postfix/qmgr[8]: 4A1: removed
";

    #[test]
    fn a_mail_is_followed_by_its_id() {
        let found = deliveries(LOG, "4A1");
        assert_eq!(found.iter().map(|one| one.status.as_str()).collect::<Vec<_>>(), ["deferred", "sent"]);
        assert_eq!(found[0].sent_to.as_deref(), Some("alice@ubuntu.com"));
        assert_eq!(found[0].because, "connect to 127.0.0.1[127.0.0.1]:1: Connection refused");
        assert_eq!((found[0].relay.as_str(), found[0].code.as_str()), ("127.0.0.1[127.0.0.1]:1", "4.4.1"));
        assert_eq!(deliveries(LOG, "4A2")[0].sent_to, None);
        assert_eq!(LOG.lines().filter_map(|line| event(line, "4A1")).next_back(), Some(Event::Left));
    }

    #[tokio::test]
    async fn the_end_is_seen_and_waited_for_no_longer_than_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mail.log");
        std::fs::write(&path, "").unwrap();
        let (mut log, mut tried) = (MailLog::file(&path).unwrap(), Vec::new());
        std::fs::write(&path, LOG).unwrap();
        let soon = || Instant::now() + Duration::from_millis(50);
        assert!(watch(&mut log, "4A1", soon(), |one| tried.push(one.status)).await.unwrap());
        assert_eq!(tried, ["deferred", "sent"]);
        assert!(!watch(&mut log, "4A1", soon(), |_| ()).await.unwrap());
    }

    #[test]
    fn a_test_mail_says_what_it_is() {
        let (sender, address, token) = ("postmaster@mx.forwards.example", "alice@ubuntu.com", "5eed");
        let mail = TestMail { sender: None, address, token, at: Timestamp::UNIX_EPOCH };
        insta::assert_snapshot!(mail.text(sender).unwrap());
    }
}
