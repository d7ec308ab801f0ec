//! One run of one domain's sync, or the rest of one that was held and is released now.

#[cfg(test)]
mod tests;
mod turn;

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::SignedDuration;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::community::Community;
use membermail_core::message::{Notify, SyncTeam};
use membermail_core::plan::Counts;
use membermail_core::random::{OsRandom, Random};
use membermail_membership::{Source, launchpad};
use membermail_runtime::aws::Aws;
use membermail_runtime::batch::{Inbox, Reports, Retryable, chain};
use membermail_runtime::metrics::{Measure, Metrics};
use membermail_runtime::queue::Queue;
use membermail_runtime::variables::{Variables, of_process};
use membermail_store::{Resent, Store, StoreError};
use membermail_sync::{Engine, Limits, Ran, SyncError};
use tracing::{info, warn};
use url::Url;

use crate::turn::Turns;

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
    turns: Turns,
    clock: Box<dyn Clock>,
    random: Box<dyn Random>,
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
        let slots: Option<u32> = variables.optional("SYNC_SLOTS");
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
            turns: Turns { slots: slots.unwrap_or(1), ..Turns::default() },
            clock: Box::new(SystemClock),
            random: Box::new(OsRandom),
            community,
        })
    }
}

/// Handles a batch, which is one message; a run that failed is tried again later.
pub async fn handle(context: &Context, event: SqsEvent) -> SqsBatchResponse {
    let Context { inbox: queue, reports, metrics, clock, random, .. } = context;
    let (reports, clock, random) = (Some(reports), &**clock, &**random);
    let inbox = Inbox { step: "sync-team", queue, reports, metrics, clock, random };
    inbox.each(event, |message| sync(context, message)).await
}

/// Waits for a slot and carries the message out. A message that gets no slot is sent again and counts as handled: it has
/// not failed, so it must not come nearer to the dead-letter queue.
async fn sync(context: &Context, message: SyncTeam) -> Result<(), Error> {
    let Context { store, turns, clock, random, .. } = context;
    let domain = &message.domain;
    if message.release.is_none() {
        if let Some(requested_at) = message.requested_at
            && store.sync_request(domain).await?.is_synced_after(requested_at)
        {
            store.receive_sync(domain, message.requested_at).await?;
            info!(%domain, "a run that began after this message was sent has finished");
            return Ok(());
        }
        // It would find the domain busy once it has a slot; the schedule comes again.
        if let Some(run) = store.run_in_progress(domain, clock.now()).await? {
            store.receive_sync(domain, message.requested_at).await?;
            info!(%domain, %run, "another run of the domain is at it");
            return Ok(());
        }
    }
    let Some(slot) = turns.take(store, context.lease, &**clock, &**random).await? else {
        let seconds = turns.delay(&**random);
        info!(%domain, seconds, "no slot is free, so the message is sent again");
        context.inbox.send_later(&message, seconds).await.map_err(SyncError::from)?;
        return Ok(());
    };
    let ran = carry_out(context, message).await;
    if let Err(cause) = store.give_back_slot(slot).await {
        warn!(cause = chain(&cause), "a slot stays taken until its lease ends");
    }
    ran
}

async fn carry_out(context: &Context, message: SyncTeam) -> Result<(), Error> {
    let SyncTeam { domain, release, full, requested_at, request_id } = message;
    if release.is_none() {
        // Before the run, so that the schedule can ask for another one as soon as this one has read the team.
        context.store.receive_sync(&domain, requested_at).await?;
    }
    let full_read = if full { SignedDuration::ZERO } else { context.community.rules.full_read_after() };
    let engine = Engine {
        community: &context.community,
        source: &*context.source,
        store: &context.store,
        lease: context.lease,
        limits: Limits { full_read, ..context.limits },
        clock: &*context.clock,
        random: &*context.random,
    };
    let ran = match release {
        Some(run) => engine.release(&domain, run, &context.outbox).await?,
        None => {
            let ran = engine.run(&domain, &request_id, &context.outbox).await?;
            measure(&context.metrics, &ran);
            note(&context.store, &ran).await;
            ran
        }
    };
    match ran {
        Ran::Done { notice, resent, .. } => {
            if let Some(Resent { run, .. }) = resent {
                let again = SyncTeam::release_of(&domain, run, &request_id);
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
            let message = SyncTeam { domain, release, full, requested_at, request_id };
            context.inbox.send(&message).await.map_err(SyncError::from)?;
        }
        // The schedule comes again; a second run now would only read the same once more.
        Ran::Busy { run, .. } => info!(%domain, %run, "another run of the domain is at it"),
        Ran::NotReleased => info!(%domain, "the run to release is not released, or done already"),
    }
    Ok(())
}

/// Records a finished run for those who only ask when the last one was. Without it they read the runs.
async fn note(store: &Store, ran: &Ran) {
    let Ran::Done { run, .. } = ran else { return };
    if run.state.is_finished()
        && let Err(cause) = store.note_synced(&run.domain, run.started).await
    {
        warn!(domain = %run.domain, cause = chain(&cause), "a finished run could not be noted");
    }
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

impl From<StoreError> for Error {
    fn from(cause: StoreError) -> Self {
        Self(cause.into())
    }
}

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
