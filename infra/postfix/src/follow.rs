//! Sends a mail and follows it: what the host said at the door, and what it wrote about each delivery. It works with any
//! Postfix whose log can be read, and so with the real mail host as with the one on this machine.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use lettre::address::Envelope;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;

/// What the host said to a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It took it, under this id of its queue.
    Taken(String),
    /// It wants it again later: 4xx.
    Later(String),
    /// It does not want it: 5xx.
    Refused(String),
}

/// One line of Postfix's log on one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where it went.
    pub to: String,
    /// The address that it was sent to, where that is another.
    pub sent_to: Option<String>,
    /// `sent`, `deferred`, `bounced`, `expired`.
    pub status: String,
    /// What the other side said.
    pub because: String,
}

/// Sends one mail; `sender` is `None` for the null sender of a bounce.
pub async fn send(port: u16, from: Option<&str>, sender: Option<&str>, recipient: &str, mail: &[u8]) -> Result<Said> {
    let sender = sender.map(str::parse).transpose().context("the sender")?;
    let envelope = Envelope::new(sender, vec![recipient.parse().context("the recipient")?])?;
    let local = from.map(str::parse).transpose()?;
    let hello = ClientId::Domain("client.example".to_owned());
    let timeout = Some(Duration::from_secs(60));
    let mut connection = AsyncSmtpConnection::connect_tokio1((Ipv4Addr::LOCALHOST, port), timeout, &hello, None, local)
        .await
        .context("connecting to Postfix")?;
    let said = connection.send(&envelope, mail).await;
    let _ = connection.quit().await;
    match said {
        Ok(response) => {
            let text = response.message().collect::<Vec<_>>().join(" ");
            let (_, id) = text.rsplit_once("queued as ").with_context(|| format!("Postfix said {text:?}"))?;
            Ok(Said::Taken(id.trim().to_owned()))
        }
        Err(error) if error.is_transient() => Ok(Said::Later(words(&error))),
        Err(error) if error.is_permanent() => Ok(Said::Refused(words(&error))),
        Err(error) => Err(error).context("talking to Postfix"),
    }
}

/// Code and text, as the server said them.
fn words(error: &lettre::transport::smtp::Error) -> String {
    let code = error.status().map(|code| code.to_string()).unwrap_or_default();
    let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    format!("{code} {source}")
}

/// What the log says of the mail of that id, so far.
pub fn deliveries(log: &str, id: &str) -> Vec<Delivery> {
    let mark = format!(": {id}: to=<");
    let field = |line: &str, name: &str, end: char| {
        let (_, rest) = line.split_once(name)?;
        Some(rest.split(end).next().unwrap_or(rest).to_owned())
    };
    let of_mail = log.lines().filter(|line| line.contains(&mark));
    of_mail
        .filter_map(|line| {
            let because = line.split_once(" (").map(|(_, rest)| rest.trim_end_matches(')').to_owned());
            Some(Delivery {
                to: field(line, " to=<", '>')?,
                sent_to: field(line, " orig_to=<", '>'),
                status: field(line, " status=", ' ')?,
                because: because.unwrap_or_default(),
            })
        })
        .collect()
}

/// Waits until every delivery of a mail has come to an end, good or bad; what was deferred is waited for.
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

/// A test mail to an address, followed to its delivery: for `membermail alias test`. `token` makes it one of a kind.
pub async fn test_mail(
    port: u16,
    log: &Path,
    sender: &str,
    address: &str,
    token: &str,
) -> Result<(Said, Vec<Delivery>)> {
    let mail = format!(
        "From: <{sender}>\r\nTo: <{address}>\r\nSubject: Test of {address}\r\nMessage-ID: <{token}@membermail.test>\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nA test that mail to this address arrives. {token}\r\n"
    );
    let said = send(port, None, Some(sender), address, mail.as_bytes()).await?;
    let Said::Taken(id) = &said else { return Ok((said, Vec::new())) };
    let deliveries = follow(log, id, Duration::from_secs(60)).await?;
    Ok((said, deliveries))
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
        assert_eq!(deliveries(LOG, "4A2")[0].sent_to, None);
    }
}
