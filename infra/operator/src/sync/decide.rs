//! Releases and rejects held runs.

use membermail_core::audit::{Comment, RunChange};
use membermail_core::community::Community;
use membermail_core::message::SyncTeam;
use membermail_store::{Decided, Run, RunState, Store};
use ulid::Ulid;

use super::view::DecisionView;
use super::{Wait, find, wait};
use crate::context::Context;
use crate::deployment::WorkQueue;
use crate::failure::Failure;

pub(super) async fn release(
    context: &Context,
    store: &Store,
    community: &Community,
    run: Ulid,
    comment: Option<Comment>,
    options: Wait,
) -> Result<(), Failure> {
    let queue = context.deployment.queue(WorkQueue::Sync).await?;
    // A run that was released before is accepted: the message is idempotent, and is sent again in case it was lost.
    let run = decide(context, store, community, run, RunChange::Released, comment).await?;
    queue.send(&SyncTeam::release_of(&run.domain, run.id, context.operator.request_id())).await?;
    if let Some(timeout) = options.timeout() {
        wait::wait_for_release(store, &run, timeout).await?;
    }
    context.output.show(&DecisionView { run: run.id, domain: run.domain, did: RunChange::Released })
}

pub(super) async fn reject(
    context: &Context,
    store: &Store,
    community: &Community,
    run: Ulid,
    comment: Option<Comment>,
) -> Result<(), Failure> {
    let run = decide(context, store, community, run, RunChange::Rejected, comment).await?;
    context.output.show(&DecisionView { run: run.id, domain: run.domain, did: RunChange::Rejected })
}

async fn decide(
    context: &Context,
    store: &Store,
    community: &Community,
    run: Ulid,
    did: RunChange,
    comment: Option<Comment>,
) -> Result<Run, Failure> {
    let run = find(store, community, run).await?;
    let cause = context.operator.cause()?;
    match store.decide_run(&run.domain, run.id, did, comment.as_ref(), cause, context.operator.random()).await? {
        Decided::Done => Ok(run),
        Decided::NotHeld(RunState::Released) if did == RunChange::Released => Ok(run),
        Decided::NotHeld(state) => {
            let by = run.decided_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            Err(Failure::Held(format!("run {} is not held: it is {state}{by}", run.id)))
        }
        Decided::NoRun => Err(Failure::NotFound(format!("run {}", run.id))),
    }
}
