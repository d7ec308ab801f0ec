//! Runs the sync of one domain, applies a held run that an operator or an admin released, or makes a dry run.

mod dry_run;
mod slots;
#[cfg(test)]
mod tests;

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::SignedDuration;
use membermail_core::community::Community;
use membermail_core::message::SyncTeam;
use membermail_core::plan::Counts;
use membermail_membership::Source;
use membermail_runtime::batch::{Worker, chain};
use membermail_runtime::environment::{Environment, WorkerVariables};
use membermail_runtime::metrics::{Measure, Metrics};
use membermail_runtime::queue::Queue;
use membermail_runtime::variables::Variables;
use membermail_store::{Resent, Run, Store};
use membermail_sync::{Engine, Limits, SourceVariables, SyncError, SyncOutcome};
use tracing::{info, warn};

use crate::slots::SlotPolicy;

/// Default `maxReceiveCount` of the sync queue.
const MAX_RECEIVES: u32 = 16;

/// Settings and clients, built once per instance.
pub struct Context {
    worker: Worker,
    community: Community,
    source: Box<dyn Source>,
    store: Store,
    write_queue: Queue,
    lease: SignedDuration,
    limits: Limits,
    slots: SlotPolicy,
}

impl Context {
    /// Reads the settings and builds the clients.
    pub async fn from_env() -> Result<Self, lambda_runtime::Error> {
        let mut variables = Variables::of_process();
        let worker = WorkerVariables::read(&mut variables, "SYNC_QUEUE", Some(MAX_RECEIVES));
        let write_queue = variables.required("WRITE_QUEUE_URL");
        let source = SourceVariables::read(&mut variables);
        let defaults = Limits::default();
        let limits = Limits {
            invocation: variables.optional("SYNC_INVOCATION_SECONDS").map_or(defaults.invocation, Duration::from_secs),
            pace: variables.optional("SYNC_PACE_MILLISECONDS").map_or(defaults.pace, Duration::from_millis),
            period: variables.optional("SYNC_PERIOD_SECONDS").map_or(defaults.period, SignedDuration::from_secs),
            ..defaults
        };
        let lease = variables.optional("SYNC_LEASE_SECONDS").unwrap_or(960);
        let slots = variables.optional("SYNC_SLOTS").unwrap_or(1);
        let environment = Environment::load(variables).await?;
        let worker = environment.worker("sync-team", worker);
        Ok(Self {
            source: source.client(&environment, &worker.metrics)?,
            worker,
            write_queue: environment.queue(write_queue),
            lease: SignedDuration::from_secs(lease),
            limits,
            slots: SlotPolicy { slots, ..SlotPolicy::default() },
            community: environment.community,
            store: environment.store,
        })
    }

    fn engine(&self, limits: Limits) -> Engine<'_> {
        Engine {
            community: &self.community,
            source: &*self.source,
            store: &self.store,
            lease: self.lease,
            limits,
            clock: &*self.worker.clock,
            random: &*self.worker.random,
        }
    }
}

/// Handles a batch, which has one message (partial batch response).
pub async fn handle(context: &Context, event: SqsEvent) -> SqsBatchResponse {
    context.worker.process(event, |message| sync(context, message)).await
}

/// Waits for a slot and handles the message. Without a slot the message is sent again and counts as handled, since it did not
/// fail and must not come closer to the dead-letter queue.
async fn sync(context: &Context, message: SyncTeam) -> Result<(), SyncError> {
    let Context { store, slots, worker: Worker { queue, clock, random, .. }, .. } = context;
    let domain = &message.domain;
    if let Some(id) = message.dry_run {
        if !dry_run::is_due(context, domain, id).await? {
            info!(%domain, dry_run = %id, "message dropped: the dry run waits no longer");
            return Ok(());
        }
    } else if message.release.is_none() {
        if let Some(requested_at) = message.requested_at
            && store.sync_request(domain).await?.is_synced_after(requested_at)
        {
            store.receive_sync(domain, message.requested_at).await?;
            info!(%domain, "message dropped: a run that started after it has finished");
            return Ok(());
        }
        // Waiting for a slot would be useless; the next scheduled message starts another run.
        if let Some(run) = store.run_in_progress(domain, clock.now()).await? {
            store.receive_sync(domain, message.requested_at).await?;
            info!(%domain, %run, "message dropped: another run of the domain is in progress");
            return Ok(());
        }
    }
    let Some(slot) = slots.acquire(store, context.lease, &**clock, &**random).await? else {
        let seconds = slots.retry_delay(&**random);
        info!(%domain, seconds, "no slot is free, sending the message again");
        queue.send_delayed(&message, seconds).await?;
        return Ok(());
    };
    let result = match message.dry_run {
        Some(id) => dry_run::run(context, domain, id).await,
        None => run(context, &message).await,
    };
    if let Err(cause) = store.release_slot(slot).await {
        warn!(cause = chain(&cause), "slot could not be released and stays in use until its lease ends");
    }
    result
}

async fn run(context: &Context, message: &SyncTeam) -> Result<(), SyncError> {
    let SyncTeam { domain, release, full, requested_at, request_id, .. } = message;
    let worker = &context.worker;
    if release.is_none() {
        // Before the run, so that the schedule can request another run as soon as this one has read the team.
        context.store.receive_sync(domain, *requested_at).await?;
    }
    let full_read = if *full { SignedDuration::ZERO } else { context.community.rules.full_read_after() };
    let engine = context.engine(Limits { full_read, ..context.limits });
    let outcome = match release {
        Some(run) => engine.release(domain, *run, &context.write_queue).await?,
        None => {
            let outcome = engine.run(domain, request_id, &context.write_queue).await?;
            if let SyncOutcome::Done { run, .. } = &outcome {
                record_metrics(&worker.metrics, run);
                record_finished(&context.store, run).await;
            }
            outcome
        }
    };
    match outcome {
        SyncOutcome::Done { notice, resent, .. } => {
            if let Some(Resent { run, .. }) = resent {
                let release = SyncTeam::release_of(domain, run, request_id);
                worker.queue.send(&release).await?;
            }
            for entry in notice.into_iter().chain(resent.and_then(|resent| resent.notice)) {
                worker.enqueue_notice(entry, request_id).await;
            }
        }
        SyncOutcome::Paused { run } => {
            info!(%domain, %run, "run continues in another invocation");
            worker.queue.send(message).await?;
        }
        // The next scheduled message starts another run.
        SyncOutcome::Busy { run, .. } => {
            info!(%domain, %run, "message dropped: another run of the domain is in progress")
        }
        SyncOutcome::NotReleased => info!(%domain, "message dropped: the run is not released or already applied"),
    }
    Ok(())
}

/// Records the time of a finished run, so that readers of the last sync need not read the runs.
async fn record_finished(store: &Store, run: &Run) {
    if run.state.is_finished()
        && let Err(cause) = store.note_synced(&run.domain, run.started).await
    {
        warn!(domain = %run.domain, cause = chain(&cause), "time of a finished run could not be recorded");
    }
}

/// Records the plan's counts when it is made, and not again when it is released.
fn record_metrics(metrics: &Metrics, run: &Run) {
    let Counts { active, create, rename, restore, removed, .. } = run.counts.unwrap_or_default();
    metrics.record(&Measure::Sync {
        domain: &run.domain,
        active,
        grants: create + rename + restore,
        removals: removed,
    });
}
