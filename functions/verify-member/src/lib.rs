//! Looks up a member who signed in or requested another check, records the outcome, and enqueues the grants that they are
//! eligible for.

mod add_identity;
mod check;
mod pins;
#[cfg(test)]
mod tests;

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use membermail_core::community::Community;
use membermail_core::member::MemberId;
use membermail_core::message::VerifyMember;
use membermail_membership::{self as membership, Source};
use membermail_runtime::batch::{Attempt, Retryable, Worker, chain};
use membermail_runtime::environment::{Environment, WorkerVariables};
use membermail_runtime::metrics::Measure;
use membermail_runtime::queue::{Queue, QueueError};
use membermail_runtime::variables::Variables;
use membermail_store::{Store, StoreError};
use membermail_sync::{ObserveError, SourceVariables};
use tracing::warn;

use crate::pins::PinCache;

/// Default `maxReceiveCount` of the verify queue.
const MAX_RECEIVES: u32 = 130;

/// Settings and clients, built once per instance.
pub struct Context {
    worker: Worker,
    community: Community,
    source: Box<dyn Source>,
    store: Store,
    pins: PinCache,
    write_queue: Queue,
}

impl Context {
    /// Reads the settings and builds the clients.
    pub async fn from_env() -> Result<Self, lambda_runtime::Error> {
        let mut variables = Variables::of_process();
        let worker = WorkerVariables::read(&mut variables, "VERIFY_QUEUE", Some(MAX_RECEIVES));
        let write_queue = variables.required("GRANT_QUEUE_URL");
        let source = SourceVariables::read(&mut variables);
        let environment = Environment::load(variables).await?;
        let worker = environment.worker("verify-member", worker);
        Ok(Self {
            source: source.client(&environment, &worker.metrics)?,
            worker,
            pins: PinCache::default(),
            write_queue: environment.queue(write_queue),
            community: environment.community,
            store: environment.store,
        })
    }
}

/// Handles a batch of messages (partial batch response).
pub async fn handle(context: &Context, event: SqsEvent) -> SqsBatchResponse {
    context.worker.process_attempts(event, |message, attempt| verify(context, message, attempt)).await
}

async fn verify(context: &Context, message: VerifyMember, attempt: Attempt) -> Result<(), Error> {
    let member = message.member;
    let checked = add_and_check(context, message, attempt).await;
    let outcome = match &checked {
        Ok(outcome) => outcome,
        // Another check of the same member is in flight or just ended; the metric counts that one.
        Err(Error::Busy { .. }) => return checked.map(drop),
        Err(Error::Source(_)) => "source-failed",
        Err(Error::NoMember | Error::Superseded | Error::Store(_) | Error::Queue(_)) => "failed",
    };
    if let Err(cause) = &checked {
        record_progress(context, member, cause, attempt).await;
    }
    context.worker.metrics.record(&Measure::Verification { outcome });
    checked.map(drop)
}

/// The added identity can be the one that the membership source knows. It is added before a stale message is dropped, because
/// no other message adds it.
async fn add_and_check(context: &Context, message: VerifyMember, attempt: Attempt) -> Result<&'static str, Error> {
    if let Some(adds) = &message.adds {
        add_identity::add_identity(context, message.member, adds, &message.request_id).await?;
    }
    check::check(context, message, attempt).await
}

/// Records for the member's page that the check is delayed, or that no further retry follows.
async fn record_progress(context: &Context, member: MemberId, cause: &Error, attempt: Attempt) {
    let recorded = match cause {
        Error::NoMember => return,
        _ if attempt.is_last => context.store.record_given_up(member).await,
        Error::Source(_) => context.store.record_delay(member).await,
        _ => return,
    };
    if let Err(cause) = recorded {
        warn!(cause = chain(&cause), "progress of the check of member {member} could not be recorded");
    }
}

/// Why a check failed.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("no such member")]
    NoMember,
    #[error("another check of the member is in flight or just ended; retry later")]
    Busy {
        /// Time after which the check can start.
        retry_after: Duration,
    },
    #[error("a newer observation of the member was recorded concurrently")]
    Superseded,
    #[error("the membership source gave no usable answer")]
    Source(#[from] membership::Error),
    #[error("the table request failed")]
    Store(#[from] StoreError),
    #[error("the queue request failed")]
    Queue(#[from] QueueError),
}

impl From<ObserveError> for Error {
    fn from(error: ObserveError) -> Self {
        match error {
            ObserveError::Source(cause) => Self::Source(cause),
            ObserveError::Store(cause) => Self::Store(cause),
        }
    }
}

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        match self {
            Self::NoMember => false,
            // Every error of the source is retried, since it may be temporary.
            Self::Busy { .. } | Self::Superseded | Self::Source(_) | Self::Queue(_) => true,
            Self::Store(cause) => cause.is_retryable(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after } => Some(*retry_after),
            Self::Source(cause) => cause.retry_after(),
            Self::NoMember | Self::Superseded | Self::Store(_) | Self::Queue(_) => None,
        }
    }
}
