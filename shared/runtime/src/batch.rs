//! A batch of queue messages, one by one: a bad record fails alone (SQS partial batch response).

use std::error::Error;
use std::fmt::Write;
use std::future::Future;
use std::time::Duration;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use membermail_core::clock::Clock;
use membermail_core::member::MemberId;
use membermail_core::message::{Concerns, Failure, ToNotify};
use membermail_core::random::Random;
use serde::de::DeserializeOwned;
use tracing::{Instrument, error, warn};

use crate::metrics::{Measure, Metrics};
use crate::queue::{Queue, REQUEST_ID};
use crate::retry::seconds_until_retry;

/// An error that knows whether trying again can help.
pub trait Retryable: Error {
    /// Whether the same message can succeed later.
    fn is_retryable(&self) -> bool;

    /// For how long whoever failed us asked to be left alone, where they did.
    fn retry_after(&self) -> Option<Duration> {
        None
    }

    /// The member whom it concerns, where the message is about several.
    fn member(&self) -> Option<MemberId> {
        None
    }
}

/// To whom a function tells that it has given a message up, before the queue moves that to the dead letters.
#[derive(Clone, Debug)]
pub struct Reports {
    /// The queue of `notify`.
    pub queue: Queue,
    /// How often the function's own queue shows a message (`maxReceiveCount`).
    pub tries: u32,
}

/// Which try of a message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Try {
    /// How often the queue has shown the message, this time with it.
    pub receives: u32,
    /// Whether the queue moves it to the dead letters if this one fails too.
    pub is_last: bool,
}

/// The queue in front of a function, and what is told of each of its messages.
pub struct Inbox<'a> {
    /// The function, by the name that logs, metrics and reports have for it.
    pub step: &'static str,
    /// Where messages that failed go back to. A function may have several queues in the same account and region; each
    /// message goes back to the one that it came from.
    pub queue: &'a Queue,
    /// Who hears of those that are given up; nobody, where it is `notify` itself that gives up.
    pub reports: Option<&'a Reports>,
    /// Where the age of each message goes, and whether it failed.
    pub metrics: &'a Metrics,
    /// The time.
    pub clock: &'a dyn Clock,
    /// For the waits between tries.
    pub random: &'a dyn Random,
}

impl Inbox<'_> {
    /// Hands every record to `handle` and answers which failed. A record that may succeed later stays hidden for a while
    /// that grows; one that never can is shown again at once, so that it soon reaches the dead-letter queue. At its last
    /// try a record that failed is reported to the operators.
    pub async fn each<'h, M, E, F>(&self, event: SqsEvent, handle: impl Fn(M) -> F + 'h) -> SqsBatchResponse
    where
        M: DeserializeOwned + Concerns,
        E: Retryable,
        F: Future<Output = Result<(), E>>,
    {
        self.each_try(event, move |message, _| handle(message)).await
    }

    /// The same for a handler that does something else at the last try than before.
    pub async fn each_try<'h, M, E, F>(&self, event: SqsEvent, handle: impl Fn(M, Try) -> F + 'h) -> SqsBatchResponse
    where
        M: DeserializeOwned + Concerns,
        E: Retryable,
        F: Future<Output = Result<(), E>>,
    {
        let mut response = SqsBatchResponse::default();
        for record in event.records {
            let age = self.age(&record);
            let attempt = self.attempt(&record);
            let failed = one(&record, attempt, &handle).await.err();
            let (failed_now, is_repeated) = (failed.is_some(), attempt.receives > 1);
            self.metrics.record(&Measure::Message { function: self.step, age, failed: failed_now, is_repeated });
            let Some(failed) = failed else { continue };
            if let Some(reports) = self.reports.filter(|_| attempt.is_last) {
                reports.tell(self.step, &failed).await;
            }
            let queue = self.queue.at_arn(record.event_source_arn.as_deref());
            response.batch_item_failures.push(failed.back(&queue, self.random).await);
        }
        response
    }

    fn attempt(&self, record: &SqsMessage) -> Try {
        let receives = record.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        let receives = receives.unwrap_or(1);
        Try { receives, is_last: self.reports.is_some_and(|reports| receives >= reports.tries) }
    }

    /// How long ago the message was sent.
    fn age(&self, record: &SqsMessage) -> Option<Duration> {
        let sent: i64 = record.attributes.get("SentTimestamp")?.parse().ok()?;
        let age = self.clock.now().as_millisecond().saturating_sub(sent);
        // Clocks differ by a little.
        Some(Duration::from_millis(u64::try_from(age).unwrap_or_default()))
    }
}

/// A record that failed.
struct Failed {
    message_id: String,
    receipt: String,
    receives: u32,
    retryable: bool,
    retry_after: Option<Duration>,
    member: Option<MemberId>,
    request_id: String,
    error: String,
    cause: String,
}

impl Failed {
    /// Gives the record back to its queue.
    async fn back(self, queue: &Queue, random: &dyn Random) -> BatchItemFailure {
        let seconds = if self.retryable { seconds_until_retry(self.receives, self.retry_after, random) } else { 0 };
        if let Err(cause) = queue.hide(&self.receipt, seconds).await {
            // The queue's own visibility time-out still brings the message back.
            warn!(message_id = self.message_id, cause = %cause, "the wait for the next try could not be set");
        }
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = self.message_id;
        failure
    }
}

impl Reports {
    async fn tell(&self, step: &'static str, failed: &Failed) {
        let Failed { message_id, member, request_id, error, cause, .. } = failed;
        error!(message_id, request_id, cause, "a message is given up");
        let failure = Failure {
            id: message_id.clone(),
            member: *member,
            step: step.to_owned(),
            error: error.clone(),
            cause: cause.clone(),
            request_id: request_id.clone(),
        };
        if let Err(cause) = self.queue.send(&ToNotify::Failed(failure)).await {
            // The message itself reaches the dead letters all the same, and those have an alarm.
            warn!(message_id, cause = %cause, "the operators could not be told");
        }
    }
}

async fn one<M, E, F>(record: &SqsMessage, attempt: Try, handle: &impl Fn(M, Try) -> F) -> Result<(), Failed>
where
    M: DeserializeOwned + Concerns,
    E: Retryable,
    F: Future<Output = Result<(), E>>,
{
    let message_id = record.message_id.clone().unwrap_or_default();
    let message: Result<M, _> = serde_json::from_str(record.body.as_deref().unwrap_or_default());
    let request_id = request_id(record, message.as_ref().ok());
    let span = tracing::info_span!("message", message_id, request_id);
    let failed = |member: Option<MemberId>, retryable: bool, error: String, cause: String| Failed {
        message_id: message_id.clone(),
        receipt: record.receipt_handle.clone().unwrap_or_default(),
        receives: attempt.receives,
        retryable,
        retry_after: None,
        member,
        request_id: request_id.clone(),
        error,
        cause,
    };
    let work = async {
        let mut message = message.map_err(|cause| {
            error!(cause = %cause, "a message that cannot be read");
            failed(None, false, "a message that cannot be read".to_owned(), cause.to_string())
        })?;
        message.began_with(request_id.clone());
        let member = message.member();
        // Boxed: the SDK's futures are deep, and without this their layout is too deep for the compiler.
        Box::pin(handle(message, attempt)).await.map_err(|cause| {
            let (retryable, retry_after) = (cause.is_retryable(), cause.retry_after());
            let text = chain(&cause);
            warn!(retryable, cause = text, "a message failed");
            Failed { retry_after, ..failed(cause.member().or(member), retryable, cause.to_string(), text) }
        })
    };
    work.instrument(span).await
}

/// The request that a message began with: by its attribute, or else by its body, or else it begins with the message.
fn request_id(record: &SqsMessage, message: Option<&impl Concerns>) -> String {
    let attribute = record.message_attributes.get(REQUEST_ID).and_then(|value| value.string_value.as_deref());
    let body = message.map(Concerns::request_id);
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
