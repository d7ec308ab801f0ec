//! The deliveries of a queued message, from Postfix's log. It works with any Postfix whose log can be read.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::Instant;

use crate::mail_log::MailLog;

/// One delivery attempt to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The final recipient.
    pub recipient: String,
    /// The recipient before aliases were expanded, if it differs.
    pub original_recipient: Option<String>,
    /// The server that the message was sent to, or `none`.
    pub relay: String,
    /// The enhanced status code (RFC 3463).
    pub code: String,
    /// `sent`, `deferred`, `bounced` or `expired`.
    pub status: String,
    /// The response of the server, or the reason of the failure.
    pub response: String,
}

/// A log line about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A delivery attempt.
    Attempt(Delivery),
    /// The message was removed from the queue: every delivery succeeded or failed permanently.
    Removed,
}

/// Parses a log line about the message with this queue id.
pub fn parse_event(line: &str, queue_id: &str) -> Option<Event> {
    let (_, text) = line.split_once(&format!(": {queue_id}: "))?;
    if text == "removed" {
        return Some(Event::Removed);
    }
    if !text.starts_with("to=<") {
        return None;
    }
    let response = text.split_once(" (").map(|(_, rest)| rest.trim_end_matches(')').to_owned());
    Some(Event::Attempt(Delivery {
        recipient: field(text, "to=<", '>')?,
        original_recipient: field(text, " orig_to=<", '>'),
        relay: field(text, " relay=", ',')?,
        code: field(text, " dsn=", ',')?,
        status: field(text, " status=", ' ')?,
        response: response.unwrap_or_default(),
    }))
}

/// The text between the name of a field and its end.
fn field(text: &str, name: &str, end: char) -> Option<String> {
    let (_, rest) = text.split_once(name)?;
    Some(rest.split(end).next().unwrap_or(rest).to_owned())
}

/// All delivery attempts of a message in `log`.
pub fn deliveries(log: &str, queue_id: &str) -> Vec<Delivery> {
    let events = log.lines().filter_map(|line| parse_event(line, queue_id));
    events.filter_map(|event| if let Event::Attempt(delivery) = event { Some(delivery) } else { None }).collect()
}

/// Calls `report` for each delivery attempt until the message leaves the queue or the deadline passes. Returns whether it
/// left the queue.
pub async fn watch(
    log: &mut MailLog,
    queue_id: &str,
    deadline: Instant,
    mut report: impl FnMut(Delivery),
) -> Result<bool> {
    while let Some(line) = log.next(deadline).await? {
        match parse_event(&line, queue_id) {
            Some(Event::Attempt(delivery)) => report(delivery),
            Some(Event::Removed) => return Ok(true),
            None => {}
        }
    }
    Ok(false)
}

/// Waits until a message leaves the queue, including retries of deferred deliveries, and returns all attempts.
pub async fn wait_for_deliveries(log: &Path, queue_id: &str, timeout: Duration) -> Result<Vec<Delivery>> {
    let start = Instant::now();
    let removed = format!(": {queue_id}: removed");
    let mut text = String::new();
    while start.elapsed() < timeout {
        text = std::fs::read_to_string(log).with_context(|| format!("reading {}", log.display()))?;
        if text.contains(&removed) {
            return Ok(deliveries(&text, queue_id));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("{queue_id} is still in the queue after {timeout:?}: {:?}", deliveries(&text, queue_id))
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
    fn deliveries_are_found_by_queue_id() {
        let found = deliveries(LOG, "4A1");
        assert_eq!(found.iter().map(|delivery| delivery.status.as_str()).collect::<Vec<_>>(), ["deferred", "sent"]);
        assert_eq!(found[0].original_recipient.as_deref(), Some("alice@ubuntu.com"));
        assert_eq!(found[0].response, "connect to 127.0.0.1[127.0.0.1]:1: Connection refused");
        assert_eq!((found[0].relay.as_str(), found[0].code.as_str()), ("127.0.0.1[127.0.0.1]:1", "4.4.1"));
        assert_eq!(deliveries(LOG, "4A2")[0].original_recipient, None);
        assert_eq!(LOG.lines().filter_map(|line| parse_event(line, "4A1")).next_back(), Some(Event::Removed));
    }

    #[tokio::test]
    async fn watch_ends_at_removal_or_deadline() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mail.log");
        std::fs::write(&path, "").unwrap();
        let mut log = MailLog::file(&path).unwrap();
        let mut statuses = Vec::new();
        std::fs::write(&path, LOG).unwrap();
        let timeout = Duration::from_millis(50);
        let deadline = Instant::now() + timeout;
        assert!(watch(&mut log, "4A1", deadline, |delivery| statuses.push(delivery.status)).await.unwrap());
        assert_eq!(statuses, ["deferred", "sent"]);
        assert!(!watch(&mut log, "4A1", Instant::now() + timeout, |_| ()).await.unwrap());
    }
}
