//! Look-ups of members: their number per run, and their failures.

use std::time::Duration;

use membermail_core::alias::{Reason, Status};
use membermail_core::audit::RunChange;
use membermail_membership::Error;
use membermail_runtime::batch::Retryable as _;
use membermail_store::RunState;
use membermail_sync::{DryRunResult, ObserveError, SyncError, SyncOutcome};

use crate::support::{Queue, World, domain, local_parts};

impl World {
    fn fail_lookups(&self, words: &[&str]) {
        self.source.lock().failing = words.iter().map(|word| (*word).to_owned()).collect();
    }

    pub(crate) fn leave_team_all(&self, ids: std::ops::RangeInclusive<u32>) {
        ids.for_each(|id| self.leave_team(id));
    }

    async fn count_leaving(&self) -> usize {
        self.addresses().await.iter().filter(|(_, status, ..)| *status == Status::Leaving).count()
    }
}

#[tokio::test]
async fn unchanged_team_costs_no_look_up() {
    let world = World::new("unchanged", 30).await;
    let before = world.items().await;
    let runs = world.store().runs(&domain(), 10).await.unwrap().len();
    let queue = Queue::default();
    let run = world.run(&queue).await;
    let counts = run.counts.unwrap();
    assert_eq!((run.state, counts.unchanged, counts.looked_up), (RunState::Unchanged, 30, 1));
    assert!(queue.drain().is_empty() && world.looked_up().is_empty());
    assert!(world.source.lock().groups.is_empty());
    let checked = world.source.lock().looked_up[0].clone();
    let mut changed = world.items().await;
    changed.retain(|key, item| before.get(key) != Some(item));
    // The rolling check records the time of its look-up.
    let member = world.alias(&checked).await.member;
    assert!(changed.keys().eq([&[format!("MEMBER#{member}"), "PROFILE".to_owned()]]), "{changed:?}");
    assert_eq!(world.store().runs(&domain(), 10).await.unwrap().len(), runs + 1);
    assert!(world.store().steps_of(&domain(), run.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn failing_member_blocks_no_other() {
    let world = World::new("one-fails", 9).await;
    world.fail_lookups(&["member02"]);
    world.leave_team_all(2..=3);
    assert_eq!(world.sync_counts().await.leave, 1);
    assert_eq!(world.state("member03").await.0, Status::Leaving);
    // In every run, also as the only change and when the rolling check selects the member.
    for _ in 0..12 {
        assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
        assert_eq!(world.source.lock().looked_up.iter().filter(|word| *word == "member02").count(), 1);
    }
    world.leave_team_all(4..=4);
    assert_eq!(world.sync_counts().await.leave, 1);
    assert_eq!(world.state("member02").await, (Status::Active, Reason::Eligible));
}

#[tokio::test]
async fn two_failing_members_block_no_other() {
    let world = World::new("two-fail", 9).await;
    world.fail_lookups(&["member02", "member03"]);
    world.leave_team_all(2..=4);
    assert_eq!(world.sync_counts().await.leave, 1);
    for _ in 0..12 {
        assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    }
}

#[tokio::test]
async fn three_failures_fail_the_run() {
    let world = World::new("three-fail", 9).await;
    world.fail_lookups(&["member02", "member03", "member04"]);
    world.leave_team_all(2..=4);
    let (error, _) = world.sync_fails().await;
    assert!(matches!(error, SyncError::Observe(ObserveError::Source(Error::TimedOut))), "{error:?}");
    assert!(error.is_retryable());
    let run = world.latest_run().await;
    assert!(run.state == RunState::Failed && run.failure.is_some(), "{run:?}");
    world.fail_lookups(&[]);
    assert_eq!(world.sync_counts().await.leave, 3);
}

#[tokio::test]
async fn leavers_beyond_limit_are_held() {
    let mut world = World::new("many-leavers", 12).await;
    world.limits.lookups = 3;
    world.leave_team_all(1..=7);
    let queue = Queue::default();
    let held = world.run(&queue).await;
    let counts = held.counts.unwrap();
    assert_eq!((held.state, counts.leave, counts.unverified), (RunState::Held, 3, 4));
    assert!(queue.drain().is_empty());
    let waiting = world.run(&queue).await;
    assert_eq!((waiting.state, waiting.waits_for), (RunState::Waiting, Some(held.id)));

    world.decide(&held, RunChange::Released).await;
    for leaving in [3, 6] {
        let ran = world.engine().release(&domain(), held.id, &queue).await.unwrap();
        assert_eq!(ran, SyncOutcome::Paused { run: held.id });
        let parts = queue.drain();
        assert_eq!(local_parts(&parts).len(), 3);
        world.deliver(&parts).await;
        assert_eq!(world.count_leaving().await, leaving);
    }
    let ran = world.engine().release(&domain(), held.id, &queue).await.unwrap();
    assert!(matches!(ran, SyncOutcome::Done { ref run, .. } if run.state == RunState::Applied), "{ran:?}");
    world.deliver(&queue.drain()).await;
    assert_eq!(world.count_leaving().await, 7);
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
}

#[tokio::test]
async fn release_pauses_without_time() {
    let mut world = World::new("slow-release", 12).await;
    world.limits.lookups = 3;
    world.leave_team_all(1..=4);
    let queue = Queue::default();
    let held = world.run(&queue).await;
    world.decide(&held, RunChange::Released).await;
    world.limits.invocation = std::time::Duration::ZERO;
    let ran = world.engine().release(&domain(), held.id, &queue).await.unwrap();
    assert_eq!((ran, queue.drain().len()), (SyncOutcome::Paused { run: held.id }, 0));
}

#[tokio::test]
async fn look_ups_wait_without_time() {
    let mut world = World::new("no-time", 9).await;
    world.leave_team_all(1..=2);
    world.limits.invocation = std::time::Duration::ZERO;
    // Reading the pages uses all of the time; the next invocation has none left either.
    assert!(matches!(world.sync(&Queue::default()).await.unwrap(), SyncOutcome::Paused { .. }));
    let run = world.sync_and_deliver().await;
    assert_eq!((run.state, run.counts.unwrap().looked_up), (RunState::Unchanged, 0));
    world.limits.invocation = std::time::Duration::from_secs(60);
    assert_eq!(world.sync_counts().await.leave, 2);
}

#[tokio::test]
async fn large_team_ends_dry_run() {
    let world = World::new("dry-run-time", 5).await;
    let before = world.items().await;
    let ended = world.engine().dry_run(&domain(), Some(Duration::ZERO), &|_, _| {}).await;
    assert!(matches!(ended, Err(SyncError::OutOfTime(_))), "{ended:?}");
    assert!(world.items().await == before, "an item was written");
}

#[tokio::test]
async fn dry_run_writes_nothing() {
    let world = World::new("dry-run", 5).await;
    world.leave_team_all(2..=2);
    world.source.change(3, |profile| profile.name = "renamed".into());
    let before = world.items().await;
    let DryRunResult { plan, is_complete, .. } = world.engine().dry_run(&domain(), None, &|_, _| {}).await.unwrap();
    assert!(is_complete);
    assert_eq!((plan.counts.leave, plan.counts.rename), (1, 1));
    assert!(world.items().await == before, "an item was written");
    assert_eq!(world.sync_counts().await.leave, 1);
}
