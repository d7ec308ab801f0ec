//! What the guard remembers: what earlier runs changed, and what an operator decided.

use jiff::SignedDuration;
use membermail_core::alias::Status;
use membermail_core::audit::RunChange;
use membermail_core::clock::Clock;
use membermail_core::guard::{HoldReason, Kind};
use membermail_core::member;
use membermail_core::random::OsRandom;
use membermail_store::{Begun, Run, RunState};
use membermail_sync::Ran;

use crate::held::{days, is_waiting_for};
use crate::support::{Queue, World, domain, of};

impl World {
    fn all_leave(&self, ids: std::ops::RangeInclusive<u32>) {
        ids.for_each(|id| self.leaves(id));
    }

    async fn all_sign_in(&self, ids: std::ops::RangeInclusive<u32>) {
        for id in ids {
            self.signs_in(id, &format!("joiner{id}")).await;
        }
        self.clock.advance(SignedDuration::from_mins(1));
    }

    /// Failed runs, as an outage leaves them.
    async fn fails_for_days(&self, runs: u32) {
        for _ in 0..runs {
            self.clock.advance(SignedDuration::from_hours(1));
            let now = self.clock.now();
            let until = now + SignedDuration::from_mins(1);
            let begun = self.store().begin_run(member::ulid(now, &OsRandom), &domain(), now, until, "request-1").await;
            let Begun::Started(run) = begun.unwrap() else { panic!("busy") };
            let failed = Run { state: RunState::Failed, finished: Some(now), ..*run };
            self.store().finish_run(&failed, None).await.unwrap();
        }
    }

    async fn ran(&self, queue: &Queue) -> (Run, bool) {
        let Ran::Done { run, notice, .. } = self.sync(queue).await.unwrap() else { panic!("it does not end") };
        (*run, notice.is_some())
    }

    async fn resent(&self) -> Option<(ulid::Ulid, bool)> {
        let Ran::Done { resent, .. } = self.sync(&Queue::default()).await.unwrap() else { panic!("it does not end") };
        resent.map(|resent| (resent.run, resent.notice.is_some()))
    }
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

#[tokio::test]
async fn removals_of_a_day_add_up() {
    let world = World::new("adds-up", 50).await;
    world.all_leave(1..=4);
    assert_eq!(world.synced().await.state, RunState::Applied);
    world.clock.advance(hours(1));
    world.all_leave(5..=8);
    let held = world.synced().await;
    let bound = HoldReason::Bound { kind: Kind::Removals, count: 8, earlier: 4, of: 50, among: Status::Active };
    assert_eq!((held.state, &held.held_for[..]), (RunState::Held, &[bound][..]));
    // The command that shows a plan says the same.
    let plan = world.engine().plan(&domain(), &|_, _| {}).await.unwrap();
    assert_eq!(world.engine().verdict(&domain(), &plan).await.unwrap().reasons(), [bound]);

    // Once they were released, the next leaver is a usual one.
    world.decide(&held, RunChange::Released).await;
    let queue = Queue::default();
    world.release(&held, &queue).await;
    world.deliver(&queue.take()).await;
    world.leaves(9);
    assert_eq!(world.synced().await.state, RunState::Applied);
}

#[tokio::test]
async fn late_steps_are_counted_once() {
    let world = World::new("behind", 50).await;
    world.all_leave(1..=4);
    let queue = Queue::default();
    for _ in 0..3 {
        assert_eq!(world.run(&queue).await.state, RunState::Applied, "write-aliases is behind");
    }
    assert_eq!(queue.take().len(), 3);
}

#[tokio::test]
async fn rejected_plan_waits_after_a_day() {
    let world = World::new("rejected-day", 50).await;
    world.all_leave(1..=4);
    world.synced().await;
    world.all_leave(5..=8);
    let held = world.synced().await;
    assert_eq!(held.state, RunState::Held);
    world.clock.advance(days(2));
    // Four of 46 would pass by now.
    assert!(is_waiting_for(&world.synced().await, &held), "undecided");
    world.decide(&held, RunChange::Rejected).await;
    assert!(is_waiting_for(&world.synced().await, &held), "rejected");
    assert_eq!(world.alias("member05").await.status, Status::Active);
}

#[tokio::test]
async fn many_grants_are_held_after_first_sync() {
    let world = World::without_sync("grants", 1).await;
    world.all_sign_in(2..=31).await;
    let first = world.synced().await;
    assert_eq!((first.state, first.counts.unwrap().create), (RunState::Applied, 30));
    world.all_sign_in(32..=52).await;
    let held = world.synced().await;
    let bound = HoldReason::Bound { kind: Kind::Grants, count: 21, earlier: 0, of: 31, among: Status::Active };
    assert_eq!((held.state, &held.held_for[..]), (RunState::Held, &[bound][..]));
    assert!(!world.has_address("joiner32").await);
    assert!(is_waiting_for(&world.synced().await, &held));

    world.decide(&held, RunChange::Released).await;
    let queue = Queue::default();
    world.release(&held, &queue).await;
    world.deliver(&queue.take()).await;
    assert!(world.has_address("joiner32").await && world.has_address("joiner52").await);
    assert_eq!(world.synced().await.state, RunState::Unchanged);
}

#[tokio::test]
async fn first_sync_beyond_one_run_passes() {
    let mut world = World::without_sync("first-parts", 1).await;
    world.limits.lookups = 25;
    world.all_sign_in(2..=51).await;
    for _ in 0..2 {
        let run = world.synced().await;
        assert_eq!((run.state, run.counts.unwrap().create), (RunState::Applied, 25));
    }
    world.all_sign_in(52..=72).await;
    assert_eq!(world.synced().await.state, RunState::Held);
}

#[tokio::test]
async fn ends_of_many_grace_periods_are_held() {
    let world = World::with_leavers("ends").await;
    let held = world.synced().await;
    world.decide(&held, RunChange::Released).await;
    let queue = Queue::default();
    world.release(&held, &queue).await;
    world.deliver(&queue.take()).await;
    world.clock.advance(days(15));
    let ends = world.synced().await;
    assert_eq!((ends.state, ends.counts.unwrap().suspend), (RunState::Held, 8));
    assert_eq!(world.alias("member01").await.status, Status::Leaving);
}

/// The message, then the steps: whichever is under way, the plan is not announced again.
#[tokio::test]
async fn lost_steps_are_handed_on_again() {
    let world = World::with_leavers("lost-steps").await;
    let queue = Queue::default();
    let held = world.run(&queue).await;
    world.decide(&held, RunChange::Released).await;
    assert!(is_waiting_for(&world.run(&queue).await, &held), "its message is on the queue");
    world.release(&held, &queue).await;
    assert!(is_waiting_for(&world.run(&queue).await, &held), "its steps are on the queue");
    queue.take();
    for _ in 0..2 {
        world.clock.advance(hours(3));
        let (again, is_announced) = world.ran(&queue).await;
        assert_eq!((again.state, is_announced, of(&queue.take()).len()), (RunState::Applied, false, 8));
        assert_eq!(again.decided_by.as_deref(), Some("olivia"));
        let waiting = world.run(&queue).await;
        assert!(is_waiting_for(&waiting, &again) && queue.take().is_empty(), "{waiting:?}");
    }
    world.clock.advance(hours(3));
    let last = world.synced().await;
    assert_eq!((last.state, world.alias("member01").await.status), (RunState::Applied, Status::Leaving));
    assert_eq!(world.synced().await.state, RunState::Unchanged);
}

#[rstest::rstest]
#[case::undecided("outage-open", None)]
#[case::rejected("outage-no", Some(RunChange::Rejected))]
#[tokio::test]
async fn outage_announces_no_plan_again(#[case] name: &str, #[case] decision: Option<RunChange>) {
    let world = World::with_leavers(name).await;
    let held = world.synced().await;
    if let Some(decision) = decision {
        world.decide(&held, decision).await;
    }
    // More failed runs than are looked back at.
    world.fails_for_days(101).await;
    for _ in 0..2 {
        let waiting = world.synced().await;
        assert!(is_waiting_for(&waiting, &held), "{waiting:?}");
    }
}

#[tokio::test]
async fn lost_release_is_reported_once() {
    let world = World::with_leavers("lost-release").await;
    let held = world.synced().await;
    world.decide(&held, RunChange::Released).await;
    // The message never comes. While the queue may still have it, there is nothing to report.
    assert_eq!(world.resent().await, None);
    world.clock.advance(hours(10));
    assert_eq!(world.resent().await, Some((held.id, true)));
    assert_eq!(world.resent().await, None);
    world.clock.advance(hours(10));
    assert_eq!(world.resent().await, Some((held.id, false)), "sent again without another notice");
    let queue = Queue::default();
    assert_eq!(world.release(&held, &queue).await.state, RunState::Applied);
    world.deliver(&queue.take()).await;
    world.clock.advance(hours(10));
    assert_eq!(world.resent().await, None);
}
