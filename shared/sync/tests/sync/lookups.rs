//! Look-ups: how many a run makes, and what a failed one means.

use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Actor, RunChange};
use membermail_core::random::OsRandom;
use membermail_membership::Error;
use membermail_store::{Decided, RunState};
use membermail_sync::{ObserveError, Ran, SyncError};

use crate::support::{Queue, World, domain, of};

impl World {
    fn fails(&self, words: &[&str]) {
        self.source.lock().failing = words.iter().map(|word| (*word).to_owned()).collect();
    }

    fn leave(&self, ids: std::ops::RangeInclusive<u32>) {
        ids.for_each(|id| self.source.change(id, |profile| profile.in_team = false));
    }

    async fn leaving(&self) -> usize {
        self.addresses().await.iter().filter(|(_, status, ..)| *status == Status::Leaving).count()
    }
}

#[tokio::test]
async fn unchanged_team_costs_no_look_up() {
    let world = World::new("unchanged", 30).await;
    let (before, runs) = (world.items().await, world.store().runs(&domain(), 10).await.unwrap().len());
    let queue = Queue::default();
    let run = world.run(&queue).await;
    let counts = run.counts.unwrap();
    assert_eq!((run.state, counts.unchanged, counts.looked_up), (RunState::Unchanged, 30, 1));
    assert!(queue.take().is_empty() && world.asked().is_empty());
    assert!(world.source.lock().groups.is_empty());
    let checked = world.source.lock().asked[0].clone();
    let changed: Vec<_> = world
        .items()
        .await
        .into_iter()
        .filter(|(key, item)| before.get(key) != Some(item))
        .map(|(key, _)| key)
        .collect();
    // The rolling check records when it looked.
    let member = world.alias(&checked).await.member;
    assert_eq!(changed, [[format!("MEMBER#{member}"), "PROFILE".to_owned()]]);
    assert_eq!(world.store().runs(&domain(), 10).await.unwrap().len(), runs + 1);
    assert!(world.store().steps_of(&domain(), run.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn failing_member_blocks_no_other() {
    let world = World::new("one-fails", 9).await;
    world.fails(&["member02"]);
    world.leave(2..=3);
    assert_eq!(world.counted().await.leave, 1);
    assert_eq!(world.state("member03").await.0, Status::Leaving);
    // For as long as it lasts, also as the only change and when the rolling check comes to them.
    for _ in 0..12 {
        assert_eq!(world.synced().await.state, RunState::Unchanged);
        assert_eq!(world.source.lock().asked.iter().filter(|word| *word == "member02").count(), 1);
    }
    world.leave(4..=4);
    assert_eq!(world.counted().await.leave, 1);
    assert_eq!(world.state("member02").await, (Status::Active, Reason::Eligible));
}

#[tokio::test]
async fn two_failing_members_block_no_other() {
    let world = World::new("two-fail", 9).await;
    world.fails(&["member02", "member03"]);
    world.leave(2..=4);
    assert_eq!(world.counted().await.leave, 1);
    for _ in 0..12 {
        assert_eq!(world.synced().await.state, RunState::Unchanged);
    }
}

#[tokio::test]
async fn three_failures_fail_the_run() {
    let world = World::new("three-fail", 9).await;
    world.fails(&["member02", "member03", "member04"]);
    world.leave(2..=4);
    let (before, queue) = (world.addresses().await, Queue::default());
    let error = world.sync(&queue).await.unwrap_err();
    assert!(matches!(error, SyncError::Observe(ObserveError::Source(Error::TimedOut))), "{error:?}");
    assert!(error.is_retryable() && queue.take().is_empty());
    assert_eq!(world.addresses().await, before);
    let [run] = &world.store().runs(&domain(), 1).await.unwrap()[..] else { panic!("no run") };
    assert!(run.state == RunState::Failed && run.failure.is_some(), "{run:?}");
    world.fails(&[]);
    assert_eq!(world.counted().await.leave, 3);
}

#[tokio::test]
async fn leavers_beyond_the_limit_are_held() {
    let mut world = World::new("many-leavers", 12).await;
    world.limits.lookups = 3;
    world.leave(1..=7);
    let queue = Queue::default();
    let held = world.run(&queue).await;
    let counts = held.counts.unwrap();
    assert_eq!((held.state, counts.leave, counts.unverified), (RunState::Held, 3, 4));
    assert!(queue.take().is_empty());
    let waiting = world.run(&queue).await;
    assert_eq!((waiting.state, waiting.waits_for), (RunState::Waiting, Some(held.id)));

    let cause = world.cause(Actor::Operator);
    let decided = world.store().decide_run(&domain(), held.id, RunChange::Released, cause, &OsRandom).await;
    assert_eq!(decided.unwrap(), Decided::Done);
    for leaving in [3, 6] {
        let ran = world.engine().release(&domain(), held.id, &queue).await.unwrap();
        assert_eq!(ran, Ran::Paused { run: held.id });
        let parts = queue.take();
        assert_eq!(of(&parts).len(), 3);
        world.deliver(&parts).await;
        assert_eq!(world.leaving().await, leaving);
    }
    let ran = world.engine().release(&domain(), held.id, &queue).await.unwrap();
    assert!(matches!(ran, Ran::Done { ref run, .. } if run.state == RunState::Applied), "{ran:?}");
    world.deliver(&queue.take()).await;
    assert_eq!(world.leaving().await, 7);
    assert_eq!(world.synced().await.state, RunState::Unchanged);
}

#[tokio::test]
async fn release_without_time_goes_on() {
    let mut world = World::new("slow-release", 12).await;
    world.limits.lookups = 3;
    world.leave(1..=4);
    let queue = Queue::default();
    let held = world.run(&queue).await;
    let cause = world.cause(Actor::Operator);
    world.store().decide_run(&domain(), held.id, RunChange::Released, cause, &OsRandom).await.unwrap();
    world.limits.invocation = std::time::Duration::ZERO;
    let ran = world.engine().release(&domain(), held.id, &queue).await.unwrap();
    assert_eq!((ran, queue.take().len()), (Ran::Paused { run: held.id }, 0));
}

#[tokio::test]
async fn look_ups_without_time_wait() {
    let mut world = World::new("no-time", 9).await;
    world.leave(1..=2);
    world.limits.invocation = std::time::Duration::ZERO;
    // The pages take all of the time, and what is left for the next invocation is none either.
    assert!(matches!(world.sync(&Queue::default()).await.unwrap(), Ran::Paused { .. }));
    let run = world.synced().await;
    assert_eq!((run.state, run.counts.unwrap().looked_up), (RunState::Unchanged, 0));
    world.limits.invocation = std::time::Duration::from_secs(60);
    assert_eq!(world.counted().await.leave, 2);
}

#[tokio::test]
async fn dry_run_writes_nothing() {
    let world = World::new("dry-run", 5).await;
    world.leave(2..=2);
    world.source.change(3, |profile| profile.name = "renamed".into());
    let before = world.items().await;
    let plan = world.engine().plan(&domain(), &|_, _| {}).await.unwrap();
    assert_eq!((plan.counts.leave, plan.counts.rename), (1, 1));
    assert!(world.items().await == before, "an item was written");
    assert_eq!(world.counted().await.leave, 1);
}
