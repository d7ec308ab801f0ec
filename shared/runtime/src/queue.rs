//! SQS queues.

use std::collections::HashMap;
use std::error::Error;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder;
use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName, SendMessageBatchRequestEntry};
use membermail_core::json::JsonError;
use membermail_core::message::QueueMessage;
use membermail_store::{AwsError, error_code};
use serde::Serialize;

/// The message attribute with the id of the request that caused the message.
pub(crate) const REQUEST_ID: &str = "request-id";

/// An SQS queue.
#[derive(Clone, Debug)]
pub struct Queue {
    pub(crate) client: Client,
    pub(crate) url: String,
}

impl Queue {
    /// Maximum messages per `SendMessageBatch` request.
    pub const BATCH: usize = 10;

    /// The queue at `url`.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// The queue with this ARN in the same region and account; this queue if there is no ARN.
    pub(crate) fn at_arn(&self, arn: Option<&str>) -> Self {
        let name = arn.and_then(|arn| arn.rsplit(':').next()).filter(|name| !name.is_empty());
        match (name, self.url.rsplit_once('/')) {
            (Some(name), Some((account, own))) if name != own => {
                Self { url: format!("{account}/{name}"), ..self.clone() }
            }
            _ => self.clone(),
        }
    }

    /// Sends a message as JSON.
    pub async fn send<M: Serialize + QueueMessage>(&self, message: &M) -> Result<(), QueueError> {
        let sent = self.message(message)?.send().await;
        sent.map(drop).map_err(QueueError::of)
    }

    /// Sends messages as JSON in batches. After an error, some of them may have been sent.
    pub async fn send_all<M: Serialize + QueueMessage>(&self, messages: &[M]) -> Result<(), QueueError> {
        for batch in messages.chunks(Self::BATCH) {
            let refused = self.send_batch(batch).await?;
            if let Some((_, code)) = refused.first() {
                return Err(QueueError::refused(format!(
                    "{} messages of a batch were rejected, the first with {code}",
                    refused.len()
                )));
            }
        }
        Ok(())
    }

    /// Sends at most [`BATCH`](Self::BATCH) messages in one request. Returns index and error code of each message that SQS
    /// rejected; all others were sent.
    pub async fn send_batch<M: Serialize + QueueMessage>(
        &self,
        batch: &[M],
    ) -> Result<Vec<(usize, String)>, QueueError> {
        let mut entries = Vec::with_capacity(batch.len());
        for (index, message) in batch.iter().enumerate() {
            let body = serialize(message)?;
            let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body);
            let entry = entry.set_message_attributes(attributes(message)?);
            entries.push(entry.build().map_err(QueueError::unsent)?);
        }
        let request = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let response = request.send().await.map_err(QueueError::of)?;
        let refused = response.failed.into_iter().filter_map(|entry| {
            let code = error_code(&entry.code).unwrap_or_else(|| "an unknown code".to_owned());
            Some((entry.id.parse().ok()?, code))
        });
        Ok(refused.collect())
    }

    /// Sends a message that becomes visible after a delay of at most 15 minutes.
    pub async fn send_delayed<M: Serialize + QueueMessage>(&self, message: &M, seconds: u16) -> Result<(), QueueError> {
        let sent = self.message(message)?.delay_seconds(i32::from(seconds.min(900))).send().await;
        sent.map(drop).map_err(QueueError::of)
    }

    /// Health check: whether the queue exists and is accessible. Receives no message.
    pub async fn check_access(&self) -> Result<(), QueueError> {
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let response = request.attribute_names(QueueAttributeName::QueueArn).send().await;
        response.map(drop).map_err(QueueError::of)
    }

    fn message<M: Serialize + QueueMessage>(&self, message: &M) -> Result<SendMessageFluentBuilder, QueueError> {
        let body = serialize(message)?;
        let request = self.client.send_message().queue_url(&self.url).message_body(body);
        Ok(request.set_message_attributes(attributes(message)?))
    }

    /// Sets in how many seconds a received message becomes visible again.
    pub(crate) async fn set_visibility_timeout(&self, receipt: &str, seconds: i32) -> Result<(), QueueError> {
        let request = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        let response = request.visibility_timeout(seconds).send().await;
        response.map(drop).map_err(QueueError::of)
    }
}

fn serialize(message: &impl Serialize) -> Result<String, QueueError> {
    serde_json::to_string(message).map_err(|error| QueueError::unsent(JsonError::from(error)))
}

/// The attribute with the request id. SQS does not allow it to be empty.
fn attributes(message: &impl QueueMessage) -> Result<Option<HashMap<String, MessageAttributeValue>>, QueueError> {
    let request_id = message.request_id();
    if request_id.is_empty() {
        return Ok(None);
    }
    let value = MessageAttributeValue::builder().data_type("String").string_value(request_id).build();
    Ok(Some([(REQUEST_ID.to_owned(), value.map_err(QueueError::unsent)?)].into()))
}

/// A request to SQS failed.
#[derive(Debug, thiserror::Error)]
#[error("the request to SQS failed; retry later: {cause}")]
pub struct QueueError {
    cause: String,
    is_refused: bool,
}

impl QueueError {
    /// Whether certainly nothing was sent. After a timeout, for example, that is unknown.
    pub fn is_refused(&self) -> bool {
        self.is_refused
    }

    pub(crate) fn of<E: Error + ProvideErrorMetadata + 'static>(error: SdkError<E, HttpResponse>) -> Self {
        let is_refused = match &error {
            SdkError::ConstructionFailure(_) => true,
            // After a 5xx the message may have been accepted.
            SdkError::ServiceError(error) => error.raw().status().is_client_error(),
            _ => false,
        };
        Self { cause: AwsError::from(&error).to_string(), is_refused }
    }

    /// The message could not be serialized into a request.
    pub(crate) fn unsent(cause: impl ToString) -> Self {
        Self::refused(cause.to_string())
    }

    fn refused(cause: String) -> Self {
        Self { cause, is_refused: true }
    }
}
