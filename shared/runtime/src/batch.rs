//! Processes an SQS batch message by message. A message that fails goes back to its queue alone (partial batch response).

use std::error::Error;
use std::fmt::Write;
use std::future::Future;
use std::time::Duration;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use membermail_core::clock::Clock;
use membermail_core::json::JsonError;
use membermail_core::member::MemberId;
use membermail_core::message::{Failure, NotifyMessage, QueueMessage};
use membermail_core::random::Random;
use serde::de::DeserializeOwned;
use tracing::{Instrument, error, warn};
use ulid::Ulid;

use crate::metrics::{Measure, Metrics};
use crate::queue::{Queue, REQUEST_ID};
use crate::retry::backoff_seconds;

/// An error that knows whether a retry can help.
pub trait Retryable: Error {
    /// Whether the same message can succeed later.
    fn is_retryable(&self) -> bool;

    /// The wait that the failing service requested (`Retry-After`).
    fn retry_after(&self) -> Option<Duration> {
        None
    }

    /// The member that the error concerns, if the message concerns several.
    fn member(&self) -> Option<MemberId> {
        None
    }
}

/// One delivery of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Deliveries of the message so far, including this one.
    pub receives: u32,
    /// Whether SQS moves the message to the dead-letter queue if this attempt fails.
    pub is_last: bool,
}

/// What every function with a queue needs to process its batches.
pub struct Worker {
    /// The function's name in logs, metrics and failure reports.
    pub function: &'static str,
    /// Failed messages return to this queue. If a function has several queues in the same account and region, each message
    /// returns to the queue that it came from.
    pub queue: Queue,
    /// The queue of `notify`, for notices and failure reports.
    pub notify_queue: Queue,
    /// `maxReceiveCount` of the function's own queue: a failure of the last attempt is reported to the operators. None for
    /// `notify`, which cannot report its own failures by mail; its dead-letter queue has an alarm.
    pub max_receives: Option<u32>,
    /// Records the age and the result of each message.
    pub metrics: Metrics,
    /// The time.
    pub clock: Box<dyn Clock>,
    /// Random bytes, also for the jitter of the backoff.
    pub random: Box<dyn Random>,
}

impl Worker {
    /// Passes every message to `handle` and returns those that failed. A retryable failure hides the message with
    /// exponential backoff; any other makes it visible at once, so that it soon reaches the dead-letter queue. A failure of
    /// the last attempt is reported to the operators.
    pub async fn process<'h, M, E, F>(&self, event: SqsEvent, handle: impl Fn(M) -> F + 'h) -> SqsBatchResponse
    where
        M: DeserializeOwned + QueueMessage,
        E: Retryable,
        F: Future<Output = Result<(), E>>,
    {
        self.process_attempts(event, move |message, _| handle(message)).await
    }

    /// Like [`process`](Self::process), for a handler that needs to know the attempt.
    pub async fn process_attempts<'h, M, E, F>(
        &self,
        event: SqsEvent,
        handle: impl Fn(M, Attempt) -> F + 'h,
    ) -> SqsBatchResponse
    where
        M: DeserializeOwned + QueueMessage,
        E: Retryable,
        F: Future<Output = Result<(), E>>,
    {
        let mut response = SqsBatchResponse::default();
        for record in event.records {
            let age = self.age(&record);
            let attempt = self.attempt(&record);
            let result = process_record(&record, attempt, &handle).await;
            self.metrics.record(&Measure::Message {
                function: self.function,
                age,
                failed: result.is_err(),
                is_repeated: attempt.receives > 1,
            });
            let Err(failed) = result else { continue };
            if attempt.is_last {
                self.report(&record, &failed).await;
            }
            self.hide(&record, attempt, &failed).await;
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = record.message_id.unwrap_or_default();
            response.batch_item_failures.push(failure);
        }
        response
    }

    fn attempt(&self, record: &SqsMessage) -> Attempt {
        let receives = record.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        let receives = receives.unwrap_or(1);
        Attempt { receives, is_last: self.max_receives.is_some_and(|max| receives >= max) }
    }

    /// Time since the message was sent.
    fn age(&self, record: &SqsMessage) -> Option<Duration> {
        let sent: i64 = record.attributes.get("SentTimestamp")?.parse().ok()?;
        let age = self.clock.now().as_millisecond().saturating_sub(sent);
        // Clock skew can make it negative.
        Some(Duration::from_millis(u64::try_from(age).unwrap_or_default()))
    }

    /// Sets when a failed message becomes visible again.
    async fn hide(&self, record: &SqsMessage, attempt: Attempt, failed: &FailedMessage) {
        let FailedMessage { retryable, retry_after, .. } = failed;
        let seconds = if *retryable { backoff_seconds(attempt.receives, *retry_after, &*self.random) } else { 0 };
        let receipt = record.receipt_handle.as_deref().unwrap_or_default();
        let queue = self.queue.at_arn(record.event_source_arn.as_deref());
        if let Err(cause) = queue.set_visibility_timeout(receipt, seconds).await {
            // The message returns after the queue's own visibility timeout.
            warn!(message_id = record.message_id, cause = %cause, "setting the visibility timeout failed");
        }
    }

    /// Reports a message whose last attempt failed to the operators, before SQS moves it to the dead-letter queue.
    async fn report(&self, record: &SqsMessage, failed: &FailedMessage) {
        let FailedMessage { member, request_id, error, cause, .. } = failed.clone();
        let id = record.message_id.clone().unwrap_or_default();
        error!(message_id = id, request_id, cause, "message failed for good, moving it to the dead-letter queue");
        let failure = Failure { id, member, step: self.function.to_owned(), error, cause, request_id };
        if let Err(cause) = self.notify_queue.send(&NotifyMessage::Failed(failure)).await {
            // The alarm of the dead-letter queue still fires.
            warn!(message_id = record.message_id, cause = %cause, "sending the failure report failed");
        }
    }

    /// Enqueues the notice of a change. The change is already in the transactional outbox, so a failure only delays the notice
    /// and never stops the change.
    pub async fn enqueue_notice(&self, entry: Ulid, request_id: &str) {
        if let Err(cause) = self.notify_queue.send(&NotifyMessage::change(entry, request_id)).await {
            warn!(cause = chain(&cause), "notice could not be enqueued and waits in the outbox");
        }
    }
}

/// Why a message failed.
#[derive(Clone, Default)]
struct FailedMessage {
    retryable: bool,
    retry_after: Option<Duration>,
    member: Option<MemberId>,
    request_id: String,
    error: String,
    cause: String,
}

async fn process_record<M, E, F>(
    record: &SqsMessage,
    attempt: Attempt,
    handle: &impl Fn(M, Attempt) -> F,
) -> Result<(), FailedMessage>
where
    M: DeserializeOwned + QueueMessage,
    E: Retryable,
    F: Future<Output = Result<(), E>>,
{
    let message: Result<M, _> = serde_json::from_str(record.body.as_deref().unwrap_or_default());
    let request_id = request_id(record, message.as_ref().ok());
    let span = tracing::info_span!("message", message_id = record.message_id, request_id);
    let work = async {
        let mut message = message.map_err(|error| {
            // serde's error quotes the message, which holds whatever the sender put into it.
            let cause = JsonError::from(error);
            error!(cause = %cause, "message is malformed");
            let error = "the message is malformed".to_owned();
            FailedMessage { error, cause: cause.to_string(), ..FailedMessage::default() }
        })?;
        message.set_request_id(request_id.clone());
        let member = message.member();
        // Boxed: without it, the nested futures of the SDK exceed the compiler's limit for type layouts.
        Box::pin(handle(message, attempt)).await.map_err(|error| {
            let retryable = error.is_retryable();
            let cause = chain(&error);
            warn!(retryable, cause, "message failed");
            FailedMessage {
                retryable,
                retry_after: error.retry_after(),
                member: error.member().or(member),
                error: error.to_string(),
                cause,
                ..FailedMessage::default()
            }
        })
    };
    let result = work.instrument(span).await;
    result.map_err(|failed| FailedMessage { request_id, ..failed })
}

/// The id of the request that caused the message: from its attribute, else from its body, else the message id.
fn request_id(record: &SqsMessage, message: Option<&impl QueueMessage>) -> String {
    let attribute = record.message_attributes.get(REQUEST_ID).and_then(|value| value.string_value.as_deref());
    let body = message.map(QueueMessage::request_id);
    let known = attribute.into_iter().chain(body).find(|id| !id.is_empty());
    known.or(record.message_id.as_deref()).unwrap_or_default().to_owned()
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

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
