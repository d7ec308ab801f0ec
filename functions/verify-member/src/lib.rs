//! Asks Launchpad about a member who signed in, records the outcome, and passes on what they are eligible for.

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::community::Community;
use membermail_core::eligibility::{self, Outcome, Person, Standing};
use membermail_core::member::MemberId;
use membermail_core::message::{VerifyMember, WriteAlias, WriteAliases};
use membermail_core::random::OsRandom;
use membermail_launchpad as launchpad;
use membermail_runtime::aws::Aws;
use membermail_runtime::batch::{Inbox, Reports, Retryable, Try, chain};
use membermail_runtime::metrics::{Measure, Metrics};
use membermail_runtime::queue::{Queue, QueueError};
use membermail_runtime::variables::{Variables, of_process};
use membermail_store::{Recorded, Store, StoreError};
use tracing::{info, warn};
use url::Url;

/// How often the verify queue shows a message, unless the template says otherwise.
const TRIES: u32 = 130;

/// What the function holds through its life.
pub struct Context {
    community: Community,
    launchpad: launchpad::Client,
    store: Store,
    inbox: Queue,
    outbox: Queue,
    reports: Reports,
    metrics: Metrics,
    clock: Box<dyn Clock>,
}

impl Context {
    /// Reads the settings and builds the clients.
    pub async fn from_env() -> Result<Self, lambda_runtime::Error> {
        let mut variables = Variables::new(&of_process);
        let community = variables.required("COMMUNITY");
        let table = variables.required("TABLE_NAME");
        let inbox = variables.required("VERIFY_QUEUE_URL");
        let outbox = variables.required("WRITE_QUEUE_URL");
        let api: Option<Url> = variables.optional("LAUNCHPAD_URL");
        let patience: Option<u64> = variables.optional("LAUNCHPAD_PATIENCE_SECONDS");
        let notices = variables.required("NOTIFY_QUEUE_URL");
        let tries = variables.optional("VERIFY_QUEUE_TRIES");
        variables.finish()?;
        let community = membermail_communities::community(&community)?;
        let aws = Aws::from_env().await?;
        let metrics = Metrics::to_log();
        let observed = metrics.clone();
        let patience = Duration::from_secs(patience.unwrap_or(20));
        let launchpad = launchpad::Client::new(launchpad::Settings::of(&community, api, patience))?
            .observed_by(move |took, failed| observed.record(&Measure::Launchpad { took, failed }));
        Ok(Self {
            launchpad,
            store: Store::new(aws.dynamodb(), table),
            inbox: Queue::new(aws.sqs(), inbox),
            outbox: Queue::new(aws.sqs(), outbox),
            reports: Reports { queue: Queue::new(aws.sqs(), notices), tries: tries.unwrap_or(TRIES) },
            metrics,
            clock: Box::new(SystemClock),
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
    let checked = check(context, message).await;
    if let Err(cause) = &checked {
        tell_member(context, member, cause, attempt).await;
    }
    let outcome = match &checked {
        Ok(outcome) => outcome,
        Err(Error::Launchpad(_)) => "launchpad-failed",
        Err(Error::NoMember | Error::Store(_) | Error::Queue(_)) => "failed",
    };
    context.metrics.record(&Measure::Verification { outcome });
    checked.map(drop)
}

/// What the page says until there is an outcome: that we keep trying, for as long as that is true.
async fn tell_member(context: &Context, member: MemberId, cause: &Error, attempt: Try) {
    let noted = match cause {
        Error::NoMember => return,
        _ if attempt.is_last => context.store.record_given_up(member).await,
        Error::Launchpad(_) => context.store.record_delay(member).await,
        Error::Store(_) | Error::Queue(_) => return,
    };
    if let Err(cause) = noted {
        warn!(cause = chain(&cause), "the page of member {member} could not be told how far the check is");
    }
}

/// The word for the outcome comes back.
async fn check(context: &Context, message: VerifyMember) -> Result<&'static str, Error> {
    let Some(member) = context.store.member(message.member).await? else { return Err(Error::NoMember) };
    // What becomes of an alias after this moment counts more than what Launchpad is about to say.
    let eligible_at = context.clock.now();
    // A banned member costs Launchpad no request.
    let standing = if member.is_banned() {
        Standing::Unknown
    } else {
        context.launchpad.standing(&message.claimed_identifier).await?
    };
    let outcome = eligibility::decide(member.is_banned(), &standing, &context.community);
    let person = known_person(&standing);
    let claim = person.map(|person| (person.id, &person.name));
    let recorded = context.store.record_outcome(message.member, &outcome, claim, context.clock.now()).await?;
    let word = if recorded == Recorded::PersonTaken { Outcome::PersonTaken.as_str() } else { outcome.as_str() };
    info!(outcome = word, "member {} checked", message.member);
    // Recorded first and sent second: where sending fails the message comes back, and both are done again.
    if let (Recorded::Recorded, Outcome::Eligible { domains }, Some(person)) = (recorded, outcome, person) {
        for domain in domains {
            let wish = WriteAlias {
                member: message.member,
                name: person.name.clone(),
                domain,
                eligible_at,
                request_id: message.request_id.clone(),
            };
            context.outbox.send(&WriteAliases::Grant(wish)).await?;
        }
    }
    Ok(word)
}

fn known_person(standing: &Standing) -> Option<&Person> {
    match standing {
        Standing::Known { person, .. } => Some(person),
        Standing::Unknown | Standing::Gone => None,
    }
}

/// Why a check did not come to its end.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("no such member")]
    NoMember,
    #[error("Launchpad gave no answer that can be used")]
    Launchpad(#[from] launchpad::Error),
    #[error("the table")]
    Store(#[from] StoreError),
    #[error("the next queue")]
    Queue(#[from] QueueError),
}

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        match self {
            Self::NoMember => false,
            // Whatever Launchpad answers, it may answer better later: nobody's address hangs on one bad answer.
            Self::Launchpad(_) | Self::Queue(_) => true,
            Self::Store(cause) => cause.is_retryable(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Launchpad(cause) => cause.retry_after(),
            Self::NoMember | Self::Store(_) | Self::Queue(_) => None,
        }
    }
}
