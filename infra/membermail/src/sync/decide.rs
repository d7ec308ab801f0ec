//! What becomes of a held run, by an operator's word.

use membermail_core::audit::RunChange;
use membermail_core::community::Community;
use membermail_core::message::SyncTeam;
use membermail_store::{Decided, Run, RunState, Store};
use ulid::Ulid;

use super::view::Decision;
use super::{Wait, find, follow};
use crate::Context;
use crate::failure::Failure;
use crate::place::Inbox;

pub(super) async fn release(
    context: &Context,
    store: &Store,
    community: &Community,
    run: Ulid,
    wait: Wait,
) -> Result<(), Failure> {
    let run = find(store, community, run).await?;
    let queue = context.place.queue(Inbox::Sync).await?;
    match decide(context, store, &run, RunChange::Released).await? {
        // Released by somebody whose message was lost: sent again, it does no harm.
        Decided::Done | Decided::NotHeld(RunState::Released) => {}
        Decided::NotHeld(state) => return Err(not_held(&run, state)),
        Decided::NoRun => return Err(Failure::NotFound(format!("run {}", run.id))),
    }
    queue.send(&SyncTeam::release_of(&run.domain, run.id, context.operator.request_id())).await?;
    if let Some(patience) = wait.patience() {
        follow::released(store, &run, patience).await?;
    }
    context.output.show(&Decision { run: run.id, domain: run.domain, did: RunChange::Released })
}

pub(super) async fn reject(context: &Context, store: &Store, community: &Community, run: Ulid) -> Result<(), Failure> {
    let run = find(store, community, run).await?;
    match decide(context, store, &run, RunChange::Rejected).await? {
        Decided::Done => {}
        Decided::NotHeld(state) => return Err(not_held(&run, state)),
        Decided::NoRun => return Err(Failure::NotFound(format!("run {}", run.id))),
    }
    context.output.show(&Decision { run: run.id, domain: run.domain, did: RunChange::Rejected })
}

async fn decide(context: &Context, store: &Store, run: &Run, did: RunChange) -> Result<Decided, Failure> {
    let (cause, random) = (context.operator.cause()?, context.operator.random());
    Ok(store.decide_run(&run.domain, run.id, did, cause, random).await?)
}

fn not_held(run: &Run, state: RunState) -> Failure {
    let by = run.decided_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    Failure::Held(format!("run {} is {}{by}: there is nothing to decide", run.id, state.as_str()))
}
