//! One run of one domain's sync, or the rest of one that was held and is released now.

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::SignedDuration;
use membermail_core::clock::SystemClock;
use membermail_core::community::Community;
use membermail_core::message::{Notify, SyncTeam};
use membermail_core::plan::Counts;
use membermail_core::random::OsRandom;
use membermail_membership::{Source, launchpad};
use membermail_runtime::aws::Aws;
use membermail_runtime::batch::{Inbox, Reports, Retryable, chain};
use membermail_runtime::metrics::{Measure, Metrics};
use membermail_runtime::queue::Queue;
use membermail_runtime::variables::{Variables, of_process};
use membermail_store::{Resent, Store};
use membermail_sync::{Engine, Limits, Ran, SyncError};
use tracing::{info, warn};
use url::Url;

/// How often the sync queue shows a message, unless the template says otherwise.
const TRIES: u32 = 6;

/// What the function holds through its life.
pub struct Context {
    community: Community,
    source: Box<dyn Source>,
    store: Store,
    inbox: Queue,
    outbox: Queue,
    reports: Reports,
    metrics: Metrics,
    lease: SignedDuration,
    limits: Limits,
}

impl Context {
    /// Reads the settings and builds the clients.
    pub async fn from_env() -> Result<Self, lambda_runtime::Error> {
        let mut variables = Variables::new(&of_process);
        let community = variables.required("COMMUNITY");
        let table = variables.required("TABLE_NAME");
        let inbox = variables.required("SYNC_QUEUE_URL");
        let outbox = variables.required("WRITE_QUEUE_URL");
        let notices = variables.required("NOTIFY_QUEUE_URL");
        let api: Option<Url> = variables.optional("LAUNCHPAD_URL");
        let timeout: Option<u64> = variables.optional("LAUNCHPAD_TIMEOUT_SECONDS");
        let retry: Option<u64> = variables.optional("LAUNCHPAD_RETRY_MILLISECONDS");
        let invocation: Option<u64> = variables.optional("SYNC_INVOCATION_SECONDS");
        let pace: Option<u64> = variables.optional("SYNC_PACE_MILLISECONDS");
        let period: Option<i64> = variables.optional("SYNC_PERIOD_SECONDS");
        let lease: Option<i64> = variables.optional("SYNC_LEASE_SECONDS");
        let tries = variables.optional("SYNC_QUEUE_TRIES");
        variables.finish()?;
        let community = membermail_communities::community(&community)?;
        let aws = Aws::from_env().await?;
        let metrics = Metrics::to_log();
        let observed = metrics.clone();
        let timeout = Duration::from_secs(timeout.unwrap_or(45));
        let usual = Limits::default();
        let limits = Limits {
            invocation: invocation.map_or(usual.invocation, Duration::from_secs),
            pace: pace.map_or(usual.pace, Duration::from_millis),
            period: period.map_or(usual.period, SignedDuration::from_secs),
            ..usual
        };
        let source = launchpad::Client::new(launchpad::Settings::of(&community, api, timeout).paced_by(retry))?
            .observed_by(move |took, failed| observed.record(&Measure::Launchpad { took, failed }));
        Ok(Self {
            source: Box::new(source),
            store: Store::new(aws.dynamodb(), table),
            inbox: Queue::new(aws.sqs(), inbox),
            outbox: Queue::new(aws.sqs(), outbox),
            reports: Reports { queue: Queue::new(aws.sqs(), notices), tries: tries.unwrap_or(TRIES) },
            metrics,
            lease: SignedDuration::from_secs(lease.unwrap_or(960)),
            limits,
            community,
        })
    }
}

/// Handles a batch, which is one message; a run that failed is tried again later.
pub async fn handle(context: &Context, event: SqsEvent) -> SqsBatchResponse {
    let Context { inbox: queue, reports, metrics, .. } = context;
    let reports = Some(reports);
    let inbox = Inbox { step: "sync-team", queue, reports, metrics, clock: &SystemClock, random: &OsRandom };
    inbox.each(event, |message| sync(context, message)).await
}

async fn sync(context: &Context, message: SyncTeam) -> Result<(), Error> {
    let SyncTeam { domain, release, full, request_id } = message;
    let full_read = if full { SignedDuration::ZERO } else { context.community.rules.full_read_after() };
    let engine = Engine {
        community: &context.community,
        source: &*context.source,
        store: &context.store,
        lease: context.lease,
        limits: Limits { full_read, ..context.limits },
        clock: &SystemClock,
        random: &OsRandom,
    };
    let ran = match release {
        Some(run) => engine.release(&domain, run, &context.outbox).await?,
        None => {
            let ran = engine.run(&domain, &request_id, &context.outbox).await?;
            measure(&context.metrics, &ran);
            ran
        }
    };
    match ran {
        Ran::Done { notice, resent, .. } => {
            if let Some(Resent { run, .. }) = resent {
                let again = SyncTeam { domain: domain.clone(), release: Some(run), request_id: request_id.clone() };
                context.inbox.send(&again).await.map_err(SyncError::from)?;
            }
            for entry in notice.into_iter().chain(resent.and_then(|resent| resent.notice)) {
                let message = Notify { entry, request_id: request_id.clone() };
                if let Err(cause) = context.reports.queue.send(&message).await {
                    warn!(cause = chain(&cause), "a notice waits in the outbox");
                }
            }
        }
        Ran::Paused { run } => {
            info!(%domain, %run, "the run goes on in another invocation");
            context.inbox.send(&SyncTeam { domain, release, full, request_id }).await.map_err(SyncError::from)?;
        }
        // The schedule comes again; a second run now would only read the same once more.
        Ran::Busy { run, .. } => info!(%domain, %run, "another run of the domain is at it"),
        Ran::NotReleased => info!(%domain, "the run to release is not released, or done already"),
    }
    Ok(())
}

/// A plan is measured when it is made, not once more when it is released.
fn measure(metrics: &Metrics, ran: &Ran) {
    let Ran::Done { run, .. } = ran else { return };
    let Counts { active, create, rename, restore, taken, .. } = run.counts.unwrap_or_default();
    metrics.record(&Measure::Sync { domain: &run.domain, active, given: create + rename + restore, taken });
}

/// A sync that failed, as the batch sees it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Error(#[from] SyncError);

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        self.0.is_retryable()
    }

    fn retry_after(&self) -> Option<Duration> {
        match &self.0 {
            SyncError::Source(cause) => cause.retry_after(),
            _ => None,
        }
    }
}
