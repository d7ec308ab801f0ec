//! A batch of queue messages, one by one: a bad record fails alone (SQS partial batch response).

use std::error::Error;
use std::fmt::Write;
use std::future::Future;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use membermail_core::random::Random;
use serde::de::DeserializeOwned;
use tracing::{Instrument, error, warn};

use crate::queue::Queue;
use crate::retry::seconds_until_retry;

/// An error that knows whether trying again can help.
pub trait Retryable: Error {
    /// Whether the same message can succeed later.
    fn is_retryable(&self) -> bool;
}

/// Hands every record to `handle` and reports those that failed. A record that may succeed later stays hidden for a
/// while that grows; one that never can is shown again at once, so that it soon reaches the dead-letter queue.
pub async fn each<'a, M, E, F>(
    event: SqsEvent,
    queue: &Queue,
    random: &dyn Random,
    handle: impl Fn(M) -> F + 'a,
) -> SqsBatchResponse
where
    M: DeserializeOwned,
    E: Retryable,
    F: Future<Output = Result<(), E>>,
{
    let mut response = SqsBatchResponse::default();
    for record in event.records {
        let message_id = record.message_id.clone().unwrap_or_default();
        let span = tracing::info_span!("message", message_id);
        let Err(retryable) = one(&record, &handle).instrument(span).await else { continue };
        let receives = record.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        let seconds = if retryable { seconds_until_retry(receives.unwrap_or(1), random) } else { 0 };
        if let Err(cause) = queue.hide(record.receipt_handle.as_deref().unwrap_or_default(), seconds).await {
            // The queue's own visibility time-out still brings the message back.
            warn!(message_id, cause = %cause, "the wait for the next try could not be set");
        }
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = message_id;
        response.batch_item_failures.push(failure);
    }
    response
}

/// `Err` says whether trying again can help.
async fn one<M, E, F>(record: &SqsMessage, handle: &impl Fn(M) -> F) -> Result<(), bool>
where
    M: DeserializeOwned,
    E: Retryable,
    F: Future<Output = Result<(), E>>,
{
    let message = serde_json::from_str(record.body.as_deref().unwrap_or_default()).map_err(|cause| {
        error!(cause = %cause, "a message that cannot be read");
        false
    })?;
    // Boxed: the SDK's futures are deep, and without this their layout is too deep for the compiler.
    Box::pin(handle(message)).await.map_err(|cause| {
        let retryable = cause.is_retryable();
        warn!(retryable, cause = chain(&cause), "a message failed");
        retryable
    })
}

/// An error and all its causes on one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}
