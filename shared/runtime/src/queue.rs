//! Sending to a queue.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use serde::Serialize;

/// Messages in one request at most.
const BATCH: usize = 10;

/// A queue, by its URL.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// The queue at `url`.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Sends a message as JSON. When this returns, the queue has it.
    pub async fn send(&self, message: &impl Serialize) -> Result<(), QueueError> {
        let body = serde_json::to_string(message).map_err(|error| QueueError(error.to_string()))?;
        let sent = self.client.send_message().queue_url(&self.url).message_body(body).send().await;
        sent.map(drop).map_err(|error| QueueError(DisplayErrorContext(error).to_string()))
    }

    /// Sends messages as JSON, ten a request. When this returns, the queue has all of them; where it fails, it may have
    /// some.
    pub async fn send_all<M: Serialize>(&self, messages: &[M]) -> Result<(), QueueError> {
        for batch in messages.chunks(BATCH) {
            let mut entries = Vec::with_capacity(batch.len());
            for (place, message) in batch.iter().enumerate() {
                let body = serde_json::to_string(message).map_err(|error| QueueError(error.to_string()))?;
                let entry = SendMessageBatchRequestEntry::builder().id(place.to_string()).message_body(body);
                entries.push(entry.build().map_err(|error| QueueError(error.to_string()))?);
            }
            let request = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
            let answer = request.send().await.map_err(|error| QueueError(DisplayErrorContext(error).to_string()))?;
            if let Some(failed) = answer.failed().first() {
                return Err(QueueError(format!(
                    "{} of a batch, the first by {}",
                    answer.failed().len(),
                    failed.code()
                )));
            }
        }
        Ok(())
    }

    /// Sends a message that nobody sees for so many seconds (15 minutes at most).
    pub async fn send_later(&self, message: &impl Serialize, seconds: u16) -> Result<(), QueueError> {
        let body = serde_json::to_string(message).map_err(|error| QueueError(error.to_string()))?;
        let request = self.client.send_message().queue_url(&self.url).message_body(body);
        let sent = request.delay_seconds(i32::from(seconds.min(900))).send().await;
        sent.map(drop).map_err(|error| QueueError(DisplayErrorContext(error).to_string()))
    }

    /// Hides a received message for so many seconds from now: when it is to be tried again.
    pub(crate) async fn hide(&self, receipt: &str, seconds: i32) -> Result<(), QueueError> {
        let request = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        let hidden = request.visibility_timeout(seconds).send().await;
        hidden.map(drop).map_err(|error| QueueError(DisplayErrorContext(error).to_string()))
    }
}

/// The queue did not take it; try again.
#[derive(Debug, thiserror::Error)]
#[error("the queue cannot be reached: {0}")]
pub struct QueueError(String);
