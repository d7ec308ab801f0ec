//! Dry runs that an admin requested. They use a slot, because they query the membership source, but take no lease of the
//! domain and write only their own result. A dry run that failed is not repeated: the admin requests another one.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use membermail_core::address::DomainName;
use membermail_core::dry_run::{DryRunFailure, MAX_TIME};
use membermail_runtime::batch::chain;
use membermail_store::{DryRunPhase, DryRunPlan};
use membermail_sync::SyncError;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};
use ulid::Ulid;

use crate::Context;

/// Interval between two records of the progress.
const REPORTED: Duration = Duration::from_secs(3);
/// Time of the last request after the deadline, before the dry run is ended from outside.
const LAST_REQUEST: Duration = Duration::from_secs(60);

/// Whether the dry run is still waiting for its message: this one is neither late nor a duplicate.
pub(crate) async fn is_due(context: &Context, domain: &DomainName, id: Ulid) -> Result<bool, SyncError> {
    let now = context.worker.clock.now();
    let stored = context.store.dry_run(domain, now).await?;
    Ok(stored.is_some_and(|dry_run| dry_run.id == id && dry_run.phase(now) == DryRunPhase::Waiting))
}

/// Makes the plan and stores it.
pub(crate) async fn run(context: &Context, domain: &DomainName, id: Ulid) -> Result<(), SyncError> {
    let store = &context.store;
    let clock = &context.worker.clock;
    if !store.begin_dry_run(domain, id, clock.now()).await? {
        info!(%domain, dry_run = %id, "message dropped: the dry run was started before or replaced");
        return Ok(());
    }
    let progress = Progress::default();
    let on_progress = |read, total| progress.set(read, total);
    let time = MAX_TIME.unsigned_abs().min(context.limits.invocation);
    let engine = context.engine(context.limits);
    let work = timeout(time + LAST_REQUEST, engine.dry_run(domain, Some(time), &on_progress));
    let planned = tokio::select! {
        planned = work => planned.unwrap_or_else(|_| Err(SyncError::OutOfTime(domain.clone()))),
        never = progress.report(context, domain, id) => match never {},
    };
    let result = match &planned {
        Ok(result) => Ok(DryRunPlan {
            counts: result.plan.counts,
            steps: &result.plan.steps,
            held_for: &result.held_for,
            is_complete: result.is_complete,
        }),
        Err(cause) => {
            warn!(%domain, dry_run = %id, cause = chain(cause), "dry run failed");
            Err(cause.dry_run_failure())
        }
    };
    let failure = result.as_ref().err().map(DryRunFailure::as_ref).map(str::to_owned);
    let is_stored = store.finish_dry_run(domain, id, result, clock.now()).await?;
    info!(%domain, dry_run = %id, failure, is_stored, "dry run finished");
    Ok(())
}

/// People read so far, and the rows of the team; zero if unknown.
#[derive(Debug, Default)]
struct Progress {
    read: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    fn set(&self, read: u64, total: Option<u64>) {
        self.read.store(read, Ordering::Relaxed);
        self.total.store(total.unwrap_or_default(), Ordering::Relaxed);
    }

    /// Records the progress in the table until the dry run has ended.
    async fn report(&self, context: &Context, domain: &DomainName, id: Ulid) -> Infallible {
        loop {
            sleep(REPORTED).await;
            let [read, total] = [&self.read, &self.total].map(|number| number.load(Ordering::Relaxed));
            let total = (total > 0).then_some(total);
            if let Err(cause) = context.store.note_dry_run_progress(domain, id, read, total).await {
                warn!(%domain, dry_run = %id, cause = chain(&cause), "progress of a dry run could not be recorded");
            }
        }
    }
}
