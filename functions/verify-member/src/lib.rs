//! Looks up a member who signed in or asked for another check, records the outcome, and passes on what they are eligible
//! for.

mod check;
mod pins;
#[cfg(test)]
mod tests;

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::community::Community;
use membermail_core::member::MemberId;
use membermail_core::message::VerifyMember;
use membermail_core::random::{OsRandom, Random};
use membermail_membership::{self as membership, Source, launchpad};
use membermail_runtime::aws::Aws;
use membermail_runtime::batch::{Inbox, Reports, Retryable, Try, chain};
use membermail_runtime::metrics::{Measure, Metrics};
use membermail_runtime::queue::{Queue, QueueError};
use membermail_runtime::variables::{Variables, of_process};
use membermail_store::{Store, StoreError};
use membermail_sync::ObserveError;
use tracing::warn;
use url::Url;

use crate::pins::Pins;

/// How often the verify queue shows a message, unless the template says otherwise.
const TRIES: u32 = 130;

/// What the function holds through its life.
pub struct Context {
    community: Community,
    source: Box<dyn Source>,
    store: Store,
    pins: Pins,
    inbox: Queue,
    outbox: Queue,
    reports: Reports,
    metrics: Metrics,
    clock: Box<dyn Clock>,
    random: Box<dyn Random>,
}

impl Context {
    /// Reads the settings and builds the clients.
    pub async fn from_env() -> Result<Self, lambda_runtime::Error> {
        let mut variables = Variables::new(&of_process);
        let community = variables.required("COMMUNITY");
        let table = variables.required("TABLE_NAME");
        let inbox = variables.required("VERIFY_QUEUE_URL");
        let outbox = variables.required("GRANT_QUEUE_URL");
        let api: Option<Url> = variables.optional("LAUNCHPAD_URL");
        let timeout: Option<u64> = variables.optional("LAUNCHPAD_TIMEOUT_SECONDS");
        let retry: Option<u64> = variables.optional("LAUNCHPAD_RETRY_MILLISECONDS");
        let notices = variables.required("NOTIFY_QUEUE_URL");
        let tries = variables.optional("VERIFY_QUEUE_TRIES");
        variables.finish()?;
        let community = membermail_communities::community(&community)?;
        let aws = Aws::from_env().await?;
        let metrics = Metrics::to_log();
        let observed = metrics.clone();
        let timeout = Duration::from_secs(timeout.unwrap_or(45));
        let source = launchpad::Client::new(launchpad::Settings::of(&community, api, timeout).paced_by(retry))?
            .observed_by(move |took, failed| observed.record(&Measure::Launchpad { took, failed }));
        Ok(Self {
            source: Box::new(source),
            store: Store::new(aws.dynamodb(), table),
            pins: Pins::default(),
            inbox: Queue::new(aws.sqs(), inbox),
            outbox: Queue::new(aws.sqs(), outbox),
            reports: Reports { queue: Queue::new(aws.sqs(), notices), tries: tries.unwrap_or(TRIES) },
            metrics,
            clock: Box::new(SystemClock),
            random: Box::new(OsRandom),
            community,
        })
    }
}

/// Handles a batch; a member whose check failed comes back alone.
pub async fn handle(context: &Context, event: SqsEvent) -> SqsBatchResponse {
    let Context { inbox: queue, reports, metrics, clock, .. } = context;
    let (reports, clock) = (Some(reports), &**clock);
    let inbox = Inbox { step: "verify-member", queue, reports, metrics, clock, random: &OsRandom };
    inbox.each_try(event, |message, attempt| verify(context, message, attempt)).await
}

async fn verify(context: &Context, message: VerifyMember, attempt: Try) -> Result<(), Error> {
    let member = message.member;
    let checked = check::check(context, message, attempt).await;
    let outcome = match &checked {
        Ok(outcome) => outcome,
        // Another check of the same member is in flight or just ended: that one is measured.
        Err(Error::Busy { .. }) => return checked.map(drop),
        Err(Error::Source(_)) => "launchpad-failed",
        Err(Error::NoMember | Error::Superseded | Error::Store(_) | Error::Queue(_)) => "failed",
    };
    if let Err(cause) = &checked {
        tell_member(context, member, cause, attempt).await;
    }
    context.metrics.record(&Measure::Verification { outcome });
    checked.map(drop)
}

/// What the page says until there is an outcome: that the queue retries, for as long as that is true.
async fn tell_member(context: &Context, member: MemberId, cause: &Error, attempt: Try) {
    let noted = match cause {
        Error::NoMember => return,
        _ if attempt.is_last => context.store.record_given_up(member).await,
        Error::Source(_) => context.store.record_delay(member).await,
        _ => return,
    };
    if let Err(cause) = noted {
        warn!(cause = chain(&cause), "the page of member {member} could not be told how far the check is");
    }
}

/// Why a check did not come to its end.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("no such member")]
    NoMember,
    #[error("another check of the member is in flight, or ended a moment ago")]
    Busy {
        /// How long that lasts at most.
        retry_after: Duration,
    },
    #[error("a newer observation of the member was recorded meanwhile")]
    Superseded,
    #[error("Launchpad gave no usable answer")]
    Source(#[from] membership::Error),
    #[error("the table")]
    Store(#[from] StoreError),
    #[error("the next queue")]
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
            // Whatever Launchpad answers, it may answer better later: no address hangs on one bad answer.
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
