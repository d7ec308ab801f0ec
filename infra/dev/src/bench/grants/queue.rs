//! A queue in memory that is received from at once, as by SQS with long polling.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

/// A message and when it was sent.
#[derive(Clone, Debug)]
pub(super) struct Message {
    body: String,
    sent: Instant,
}

#[derive(Default)]
struct Inside {
    waiting: VecDeque<Message>,
    /// Seconds from the message in the queue to its end.
    waits: Vec<f64>,
}

/// A queue.
#[derive(Default)]
pub(super) struct Queue {
    inside: Mutex<Inside>,
    arrived: Notify,
    ended: Notify,
}

impl Queue {
    pub(super) fn send(&self, body: String) {
        self.send_all([body]);
    }

    pub(super) fn send_all(&self, bodies: impl IntoIterator<Item = String>) {
        let sent = Instant::now();
        self.inside().waiting.extend(bodies.into_iter().map(|body| Message { body, sent }));
        self.arrived.notify_one();
    }

    /// The next messages, once there is one.
    pub(super) async fn receive(&self, most: usize) -> Vec<Message> {
        loop {
            let (messages, more) = {
                let mut inside = self.inside();
                let most = most.min(inside.waiting.len());
                (inside.waiting.drain(..most).collect::<Vec<_>>(), !inside.waiting.is_empty())
            };
            if more {
                self.arrived.notify_one();
            }
            if !messages.is_empty() {
                return messages;
            }
            self.arrived.notified().await;
        }
    }

    pub(super) fn handled(&self, messages: &[Message]) {
        self.inside().waits.extend(messages.iter().map(|message| message.sent.elapsed().as_secs_f64()));
        self.ended.notify_one();
    }

    /// Returns once so many messages were handled. For one caller.
    pub(super) async fn until_handled(&self, messages: usize) {
        while self.inside().waits.len() < messages {
            self.ended.notified().await;
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.inside().waiting.len()
    }

    pub(super) fn waits(&self) -> Vec<f64> {
        self.inside().waits.clone()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The event that Lambda would give the function.
pub(super) fn event(messages: &[Message]) -> Value {
    let record = |(place, message): (usize, &Message)| {
        json!({
            "messageId": place.to_string(), "receiptHandle": "receipt", "body": message.body, "messageAttributes": {},
            "attributes": { "ApproximateReceiveCount": "1" }, "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:write", "awsRegion": "us-east-1",
        })
    };
    json!({ "Records": messages.iter().enumerate().map(record).collect::<Vec<_>>() })
}
