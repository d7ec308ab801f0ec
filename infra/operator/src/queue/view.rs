//! Views of dead-letter queues and their messages.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as Name};
use jiff::Timestamp;
use serde::Serialize;

use super::dead_letter_queue::DeadLetterQueue;
use super::redrive::Method;
use crate::output::{facts, table, time};

/// `queue list`
#[derive(Debug, Serialize)]
pub(super) struct ListView {
    pub(super) queues: Vec<DeadLetterQueue>,
}

impl fmt::Display for ListView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.queues.iter().map(|DeadLetterQueue { name, messages, in_flight, in_source, .. }| {
            [name.clone(), messages.to_string(), in_flight.to_string(), in_source.to_string()]
        });
        writeln!(f, "{}", table(["queue", "dead letters", "in flight", "in source queue"], rows))
    }
}

/// `queue show`
#[derive(Debug, Serialize)]
pub(super) struct ShowView {
    queue: String,
    messages: Vec<MessageView>,
}

/// A message with all data that is needed to replay it.
#[derive(Debug, Serialize)]
struct MessageView {
    id: String,
    sent: Option<Timestamp>,
    first_received: Option<Timestamp>,
    receives: Option<u64>,
    attributes: BTreeMap<String, String>,
    body: String,
}

impl ShowView {
    pub(super) fn new(queue: String, messages: Vec<Message>) -> Self {
        let mut messages: Vec<_> = messages.into_iter().map(MessageView::from).collect();
        messages.sort_by(|one, other| (one.sent, &one.id).cmp(&(other.sent, &other.id)));
        Self { queue, messages }
    }
}

impl From<Message> for MessageView {
    fn from(message: Message) -> Self {
        let system = message.attributes.unwrap_or_default();
        let attributes = message.message_attributes.unwrap_or_default().into_iter();
        Self {
            id: message.message_id.unwrap_or_default(),
            sent: time_of(&system, &Name::SentTimestamp),
            first_received: time_of(&system, &Name::ApproximateFirstReceiveTimestamp),
            receives: system.get(&Name::ApproximateReceiveCount).and_then(|count| count.parse().ok()),
            attributes: attributes.map(|(name, value)| (name, value.string_value.unwrap_or_default())).collect(),
            body: message.body.unwrap_or_default(),
        }
    }
}

fn time_of(attributes: &HashMap<Name, String>, name: &Name) -> Option<Timestamp> {
    Timestamp::from_millisecond(attributes.get(name)?.parse().ok()?).ok()
}

impl fmt::Display for ShowView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.messages.is_empty() {
            return writeln!(f, "The dead-letter queue of {} is empty.", self.queue);
        }
        for message in &self.messages {
            writeln!(f, "{message}")?;
        }
        Ok(())
    }
}

impl fmt::Display for MessageView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = [
            ("message", Some(self.id.clone())),
            ("sent", self.sent.map(time)),
            ("received", self.receives.map(|count| format!("{count} times"))),
        ];
        let attributes = self.attributes.iter().map(|(name, value)| (name.as_str(), Some(value.clone())));
        writeln!(f, "{}", facts(about.into_iter().chain(attributes)))?;
        let body = match serde_json::from_str::<serde_json::Value>(&self.body) {
            Ok(value) => format!("{value:#}"),
            Err(_) => self.body.clone(),
        };
        for line in body.lines() {
            writeln!(f, "    {}", escape_control(line))?;
        }
        Ok(())
    }
}

/// Escapes control characters: a message must not control the terminal.
fn escape_control(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() { escaped.extend(letter.escape_debug()) } else { escaped.push(letter) }
    }
    escaped
}

/// `queue redrive`
#[derive(Debug, Serialize)]
pub(super) struct RedriveView {
    pub(super) queue: String,
    pub(super) moved: u64,
    #[serde(rename = "way")]
    pub(super) method: Method,
}

impl fmt::Display for RedriveView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.moved {
            0 => writeln!(f, "The dead-letter queue of {} has no messages to move.", self.queue),
            1 => writeln!(f, "Moved 1 message back to {}.", self.queue),
            moved => writeln!(f, "Moved {moved} messages back to {}.", self.queue),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::types::MessageAttributeValue;

    use super::*;

    fn message(id: &str, body: &str) -> Message {
        let attribute = MessageAttributeValue::builder().data_type("String").string_value("request-1").build().unwrap();
        Message::builder()
            .message_id(id)
            .body(body)
            .attributes(Name::SentTimestamp, "1795514400000")
            .attributes(Name::ApproximateReceiveCount, "13")
            .message_attributes("request-id", attribute)
            .build()
    }

    #[test]
    fn message_views() {
        let messages = vec![message("2", "no JSON \u{1b}[2Jé"), message("1", r#"{"kind":"grant","name":"alice"}"#)];
        insta::assert_snapshot!(ShowView::new("write".to_owned(), messages));
    }

    #[test]
    fn json_preserves_message_body() {
        let body = r#"{ "kind":  "grant" }"#;
        let view = serde_json::to_value(ShowView::new("write".to_owned(), vec![message("1", body)])).unwrap();
        assert_eq!(view["messages"][0]["body"], body);
        assert_eq!(view["messages"][0]["receives"], 13);
    }
}
