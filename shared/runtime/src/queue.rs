//! Sending to a queue.

use std::error::Error;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{DisplayErrorContext, SdkError};
use aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder;
use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName, SendMessageBatchRequestEntry};
use membermail_core::message::Concerns;
use serde::Serialize;

/// The attribute in which every message carries the request id that it began with.
pub(crate) const REQUEST_ID: &str = "request-id";

/// A queue, by its URL.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// Messages in one request at most.
    pub const BATCH: usize = 10;

    /// The queue at `url`.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// The queue with this ARN, which is in the same region and account as this one. Of anything that names no other
    /// queue, this one.
    pub(crate) fn at_arn(&self, arn: Option<&str>) -> Self {
        let name = arn.and_then(|arn| arn.rsplit(':').next()).filter(|name| !name.is_empty());
        match (name, self.url.rsplit_once('/')) {
            (Some(name), Some((account, own))) if name != own => {
                Self { url: format!("{account}/{name}"), ..self.clone() }
            }
            _ => self.clone(),
        }
    }

    /// Sends a message as JSON. When this returns, the queue has it.
    pub async fn send<M: Serialize + Concerns>(&self, message: &M) -> Result<(), QueueError> {
        let sent = self.message(message)?.send().await;
        sent.map(drop).map_err(QueueError::of)
    }

    /// Sends messages as JSON, ten a request. When this returns, the queue has all of them; where it fails, it may have
    /// some.
    pub async fn send_all<M: Serialize + Concerns>(&self, messages: &[M]) -> Result<(), QueueError> {
        for batch in messages.chunks(Self::BATCH) {
            let refused = self.send_batch(batch).await?;
            if let Some((_, code)) = refused.first() {
                return Err(QueueError::refused(format!("{} of a batch, the first by {code}", refused.len())));
            }
        }
        Ok(())
    }

    /// Sends at most [`BATCH`](Self::BATCH) messages in one request. Returns the places of those that the queue refused, with
    /// its error codes; it has all others.
    pub async fn send_batch<M: Serialize + Concerns>(&self, batch: &[M]) -> Result<Vec<(usize, String)>, QueueError> {
        let mut entries = Vec::with_capacity(batch.len());
        for (place, message) in batch.iter().enumerate() {
            let body = serde_json::to_string(message).map_err(QueueError::unsent)?;
            let entry = SendMessageBatchRequestEntry::builder().id(place.to_string()).message_body(body);
            let entry = match request_id(message)? {
                Some(request_id) => entry.message_attributes(REQUEST_ID, request_id),
                None => entry,
            };
            entries.push(entry.build().map_err(QueueError::unsent)?);
        }
        let request = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let answer = request.send().await.map_err(QueueError::of)?;
        let refused = answer.failed.into_iter().filter_map(|entry| Some((entry.id.parse().ok()?, entry.code)));
        Ok(refused.collect())
    }

    /// Sends a message that nobody sees for so many seconds (15 minutes at most).
    pub async fn send_later<M: Serialize + Concerns>(&self, message: &M, seconds: u16) -> Result<(), QueueError> {
        let sent = self.message(message)?.delay_seconds(i32::from(seconds.min(900))).send().await;
        sent.map(drop).map_err(QueueError::of)
    }

    /// Whether the queue is there and we may use it; asks for no message and changes nothing.
    pub async fn reach(&self) -> Result<(), QueueError> {
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let reached = request.attribute_names(QueueAttributeName::QueueArn).send().await;
        reached.map(drop).map_err(QueueError::of)
    }

    fn message<M: Serialize + Concerns>(&self, message: &M) -> Result<SendMessageFluentBuilder, QueueError> {
        let body = serde_json::to_string(message).map_err(QueueError::unsent)?;
        let request = self.client.send_message().queue_url(&self.url).message_body(body);
        Ok(match request_id(message)? {
            Some(request_id) => request.message_attributes(REQUEST_ID, request_id),
            None => request,
        })
    }

    /// Hides a received message for so many seconds from now: when it is to be tried again.
    pub(crate) async fn hide(&self, receipt: &str, seconds: i32) -> Result<(), QueueError> {
        let request = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        let hidden = request.visibility_timeout(seconds).send().await;
        hidden.map(drop).map_err(QueueError::of)
    }
}

/// As an attribute, which cannot be empty.
fn request_id(message: &impl Concerns) -> Result<Option<MessageAttributeValue>, QueueError> {
    let request_id = message.request_id();
    if request_id.is_empty() {
        return Ok(None);
    }
    let value = MessageAttributeValue::builder().data_type("String").string_value(request_id).build();
    value.map(Some).map_err(QueueError::unsent)
}

/// The queue did not take it; try again.
#[derive(Debug, thiserror::Error)]
#[error("the queue cannot be reached: {cause}")]
pub struct QueueError {
    cause: String,
    is_refused: bool,
}

impl QueueError {
    /// Whether it is certain that the queue has none of what was sent. After a time-out, for example, it is not.
    pub fn is_refused(&self) -> bool {
        self.is_refused
    }

    fn of<E: Error + Send + Sync + 'static>(error: SdkError<E, HttpResponse>) -> Self {
        let is_refused = match &error {
            SdkError::ConstructionFailure(_) => true,
            // After a 5xx it may have been taken all the same.
            SdkError::ServiceError(answer) => answer.raw().status().is_client_error(),
            _ => false,
        };
        Self { cause: DisplayErrorContext(error).to_string(), is_refused }
    }

    /// A message that could not be sent at all.
    fn unsent(cause: impl ToString) -> Self {
        Self::refused(cause.to_string())
    }

    fn refused(cause: String) -> Self {
        Self { cause, is_refused: true }
    }
}
