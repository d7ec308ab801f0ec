//! A batch of queue messages, one by one: a bad record fails alone (SQS partial batch response).

use std::error::Error;
use std::fmt::Write;
use std::future::Future;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use membermail_core::member::MemberId;
use membermail_core::message::{Concerns, Failure, ToNotify};
use membermail_core::random::Random;
use serde::de::DeserializeOwned;
use tracing::{Instrument, error, warn};

use crate::queue::Queue;
use crate::retry::seconds_until_retry;

/// An error that knows whether trying again can help.
pub trait Retryable: Error {
    /// Whether the same message can succeed later.
    fn is_retryable(&self) -> bool;

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
    /// The function.
    pub step: &'static str,
    /// How often its queue shows a message (`maxReceiveCount`).
    pub tries: u32,
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
        if let Err(failed) = one(&record, &handle, |_| About::default()).await {
            response.batch_item_failures.push(failed.back(queue, random).await);
        }
    }
    response
}

/// The same, and at its last try a record that failed is reported to the operators.
pub async fn each_with_reports<'a, M, E, F>(
    event: SqsEvent,
    queue: &Queue,
    reports: &Reports,
    random: &dyn Random,
    handle: impl Fn(M) -> F + 'a,
) -> SqsBatchResponse
where
    M: DeserializeOwned + Concerns,
    E: Retryable,
    F: Future<Output = Result<(), E>>,
{
    let mut response = SqsBatchResponse::default();
    for record in event.records {
        let about = |message: &M| About { member: message.member(), request_id: message.request_id().to_owned() };
        if let Err(failed) = one(&record, &handle, about).await {
            if failed.receives >= reports.tries {
                reports.tell(&failed).await;
            }
            response.batch_item_failures.push(failed.back(queue, random).await);
        }
    }
    response
}

/// What a message tells of itself.
#[derive(Default)]
struct About {
    member: Option<MemberId>,
    request_id: String,
}

/// A record that failed.
struct Failed {
    message_id: String,
    receipt: String,
    receives: u32,
    retryable: bool,
    about: About,
    error: String,
    cause: String,
}

impl Failed {
    /// Gives the record back to its queue.
    async fn back(self, queue: &Queue, random: &dyn Random) -> BatchItemFailure {
        let seconds = if self.retryable { seconds_until_retry(self.receives, random) } else { 0 };
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
    async fn tell(&self, failed: &Failed) {
        let Failed { message_id, about: About { member, request_id }, error, cause, .. } = failed;
        error!(message_id, request_id, cause, "a message is given up");
        let failure = Failure {
            id: message_id.clone(),
            member: *member,
            step: self.step.to_owned(),
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

async fn one<M, E, F>(record: &SqsMessage, handle: &impl Fn(M) -> F, about: impl Fn(&M) -> About) -> Result<(), Failed>
where
    M: DeserializeOwned,
    E: Retryable,
    F: Future<Output = Result<(), E>>,
{
    let message_id = record.message_id.clone().unwrap_or_default();
    let receives = record.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
    let failed = |about: About, retryable: bool, error: String, cause: String| Failed {
        message_id: message_id.clone(),
        receipt: record.receipt_handle.clone().unwrap_or_default(),
        receives: receives.unwrap_or(1),
        retryable,
        about,
        error,
        cause,
    };
    let work = async {
        let message = serde_json::from_str(record.body.as_deref().unwrap_or_default()).map_err(|cause| {
            error!(cause = %cause, "a message that cannot be read");
            failed(About::default(), false, "a message that cannot be read".to_owned(), cause.to_string())
        })?;
        let about = about(&message);
        // Boxed: the SDK's futures are deep, and without this their layout is too deep for the compiler.
        Box::pin(handle(message)).await.map_err(|cause| {
            let retryable = cause.is_retryable();
            let (text, member) = (chain(&cause), cause.member().or(about.member));
            warn!(retryable, cause = text, "a message failed");
            failed(About { member, ..about }, retryable, cause.to_string(), text)
        })
    };
    work.instrument(tracing::info_span!("message", message_id)).await
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
