//! Dead letters, as an operator sees them.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as Name};
use jiff::Timestamp;
use serde::Serialize;

use super::dead_letters::DeadLetters;
use super::redrive::Way;
use crate::output::{facts, table, time};

/// `queue list`
#[derive(Debug, Serialize)]
pub(super) struct ListView {
    pub(super) queues: Vec<DeadLetters>,
}

impl fmt::Display for ListView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |queue: &DeadLetters| {
            let DeadLetters { name, messages, in_flight, in_front, .. } = queue;
            [name.clone(), messages.to_string(), in_flight.to_string(), in_front.to_string()]
        };
        writeln!(f, "{}", table(["queue", "dead", "looked at", "in front"], self.queues.iter().map(row)))
    }
}

/// `queue show`
#[derive(Debug, Serialize)]
pub(super) struct ShowView {
    queue: String,
    messages: Vec<Letter>,
}

/// A message with everything that is needed to replay it.
#[derive(Debug, Serialize)]
struct Letter {
    id: String,
    sent: Option<Timestamp>,
    first_received: Option<Timestamp>,
    receives: Option<u64>,
    attributes: BTreeMap<String, String>,
    body: String,
}

impl ShowView {
    pub(super) fn new(queue: String, messages: Vec<Message>) -> Self {
        let mut messages: Vec<_> = messages.into_iter().map(Letter::from).collect();
        messages.sort_by(|one, other| (one.sent, &one.id).cmp(&(other.sent, &other.id)));
        Self { queue, messages }
    }
}

impl From<Message> for Letter {
    fn from(message: Message) -> Self {
        let system = message.attributes.unwrap_or_default();
        let number = |name: &Name| system.get(name).and_then(|text| text.parse::<i64>().ok());
        let at = |name: &Name| number(name).and_then(|millis| Timestamp::from_millisecond(millis).ok());
        let attributes = message.message_attributes.unwrap_or_default().into_iter();
        Self {
            id: message.message_id.unwrap_or_default(),
            sent: at(&Name::SentTimestamp),
            first_received: at(&Name::ApproximateFirstReceiveTimestamp),
            receives: number(&Name::ApproximateReceiveCount).and_then(|count| u64::try_from(count).ok()),
            attributes: attributes.map(|(name, value)| (name, value.string_value.unwrap_or_default())).collect(),
            body: message.body.unwrap_or_default(),
        }
    }
}

impl fmt::Display for ShowView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.messages.is_empty() {
            return writeln!(f, "no dead letters of {}", self.queue);
        }
        for letter in &self.messages {
            writeln!(f, "{letter}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Letter {
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
            // A message of anybody must not steer the terminal.
            writeln!(f, "    {}", line.escape_debug_but_unicode())?;
        }
        Ok(())
    }
}

trait Harmless {
    /// Without control characters.
    fn escape_debug_but_unicode(&self) -> String;
}

impl Harmless for str {
    fn escape_debug_but_unicode(&self) -> String {
        let escape = |letter: char| if letter.is_control() { letter.escape_debug().to_string() } else { letter.into() };
        self.chars().map(escape).collect()
    }
}

/// `queue redrive`
#[derive(Debug, Serialize)]
pub(super) struct RedriveView {
    pub(super) queue: String,
    pub(super) moved: u64,
    pub(super) way: Way,
}

impl fmt::Display for RedriveView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.moved {
            0 => writeln!(f, "no dead letters of {} to send back", self.queue),
            1 => writeln!(f, "1 message is on its way back to {}", self.queue),
            moved => writeln!(f, "{moved} messages are on their way back to {}", self.queue),
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
    fn dead_letters_as_operators_see_them() {
        let messages = vec![message("2", "no JSON \u{1b}[2Jé"), message("1", r#"{"kind":"grant","name":"alice"}"#)];
        insta::assert_snapshot!(ShowView::new("write".to_owned(), messages));
    }

    #[test]
    fn a_body_comes_out_of_json_as_it_went_in() {
        let body = r#"{ "kind":  "grant" }"#;
        let view = serde_json::to_value(ShowView::new("write".to_owned(), vec![message("1", body)])).unwrap();
        assert_eq!(view["messages"][0]["body"], body);
        assert_eq!(view["messages"][0]["receives"], 13);
    }
}
