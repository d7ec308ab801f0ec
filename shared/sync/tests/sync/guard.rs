//! The guard counts the changes of earlier runs and remembers the decisions of operators.

use jiff::SignedDuration;
use membermail_core::alias::Status;
use membermail_core::audit::RunChange;
use membermail_core::clock::Clock;
use membermail_core::guard::HoldReason;
use membermail_core::lifecycle::ChangeKind;
use membermail_core::member;
use membermail_core::random::OsRandom;
use membermail_store::{Run, RunStart, RunState};
use membermail_sync::SyncOutcome;

use crate::held::{days, is_waiting_for};
use crate::support::{Queue, World, domain, local_parts};

impl World {
    async fn sign_in_all(&self, ids: std::ops::RangeInclusive<u32>) {
        for id in ids {
            self.add_member(id, &format!("joiner{id}")).await;
        }
        self.clock.advance(SignedDuration::from_mins(1));
    }

    /// Adds failed runs, as after an outage.
    async fn add_failed_runs(&self, runs: u32) {
        for _ in 0..runs {
            self.clock.advance(SignedDuration::from_hours(1));
            let now = self.clock.now();
            let until = now + SignedDuration::from_mins(1);
            let begun = self.store().begin_run(member::ulid(now, &OsRandom), &domain(), now, until, "request-1").await;
            let RunStart::Started(run) = begun.unwrap() else { panic!("busy") };
            let failed = Run { state: RunState::Failed, finished: Some(now), ..*run };
            self.store().finish_run(&failed, None).await.unwrap();
        }
    }

    async fn run_with_notice(&self, queue: &Queue) -> (Run, bool) {
        let SyncOutcome::Done { run, notice, .. } = self.sync(queue).await.unwrap() else {
            panic!("the run did not finish")
        };
        (*run, notice.is_some())
    }

    async fn sync_resent(&self) -> Option<(ulid::Ulid, bool)> {
        let SyncOutcome::Done { resent, .. } = self.sync(&Queue::default()).await.unwrap() else {
            panic!("the run did not finish")
        };
        resent.map(|resent| (resent.run, resent.notice.is_some()))
    }
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

#[tokio::test]
async fn removals_add_up_within_day() {
    let world = World::new("adds-up", 50).await;
    world.leave_team_all(1..=4);
    assert_eq!(world.sync_and_deliver().await.state, RunState::Applied);
    world.clock.advance(hours(1));
    world.leave_team_all(5..=8);
    let held = world.sync_and_deliver().await;
    let bound = HoldReason::Bound { kind: ChangeKind::Removals, count: 8, earlier: 4, of: 50, among: Status::Active };
    assert_eq!((held.state, &held.held_for[..]), (RunState::Held, &[bound][..]));
    // The dry run has the same result.
    assert_eq!(world.engine().dry_run(&domain(), None, &|_, _| {}).await.unwrap().held_for, [bound]);

    // After the release, another leaver is within the limit.
    world.release_and_deliver(&held).await;
    world.leave_team(9);
    assert_eq!(world.sync_and_deliver().await.state, RunState::Applied);
}

#[tokio::test]
async fn delayed_steps_are_counted_once() {
    let world = World::new("behind", 50).await;
    world.leave_team_all(1..=4);
    let queue = Queue::default();
    for _ in 0..3 {
        assert_eq!(world.run(&queue).await.state, RunState::Applied, "write-aliases is behind");
    }
    assert_eq!(queue.drain().len(), 3);
}

#[tokio::test]
async fn rejected_plan_waits_after_a_day() {
    let world = World::new("rejected-day", 50).await;
    world.leave_team_all(1..=4);
    world.sync_and_deliver().await;
    world.leave_team_all(5..=8);
    let held = world.sync_and_deliver().await;
    assert_eq!(held.state, RunState::Held);
    world.clock.advance(days(2));
    // Alone, four removals of 46 addresses would be within the limit by now.
    assert!(is_waiting_for(&world.sync_and_deliver().await, &held), "undecided");
    world.decide(&held, RunChange::Rejected).await;
    assert!(is_waiting_for(&world.sync_and_deliver().await, &held), "rejected");
    assert_eq!(world.alias("member05").await.status, Status::Active);
}

#[tokio::test]
async fn grants_above_limit_are_held() {
    let world = World::without_sync("grants", 1).await;
    world.sign_in_all(2..=31).await;
    let first = world.sync_and_deliver().await;
    assert_eq!((first.state, first.counts.unwrap().create), (RunState::Applied, 30));
    world.sign_in_all(32..=52).await;
    let held = world.sync_and_deliver().await;
    let bound = HoldReason::Bound { kind: ChangeKind::Grants, count: 21, earlier: 0, of: 31, among: Status::Active };
    assert_eq!((held.state, &held.held_for[..]), (RunState::Held, &[bound][..]));
    assert!(!world.has_address("joiner32").await);
    assert!(is_waiting_for(&world.sync_and_deliver().await, &held));

    world.release_and_deliver(&held).await;
    assert!(world.has_address("joiner32").await && world.has_address("joiner52").await);
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
}

#[tokio::test]
async fn first_sync_passes_in_parts() {
    let mut world = World::without_sync("first-parts", 1).await;
    world.limits.lookups = 25;
    world.sign_in_all(2..=51).await;
    for _ in 0..2 {
        let run = world.sync_and_deliver().await;
        assert_eq!((run.state, run.counts.unwrap().create), (RunState::Applied, 25));
    }
    world.sign_in_all(52..=72).await;
    assert_eq!(world.sync_and_deliver().await.state, RunState::Held);
}

#[tokio::test]
async fn suspensions_above_limit_are_held() {
    let world = World::with_leavers("ends").await;
    let held = world.sync_and_deliver().await;
    world.release_and_deliver(&held).await;
    world.clock.advance(days(15));
    let ends = world.sync_and_deliver().await;
    assert_eq!((ends.state, ends.counts.unwrap().suspend), (RunState::Held, 8));
    assert_eq!(world.alias("member01").await.status, Status::Leaving);
}

/// While the release message or its steps are in flight, the plan is not announced again.
#[tokio::test]
async fn lost_steps_are_sent_again() {
    let world = World::with_leavers("lost-steps").await;
    let queue = Queue::default();
    let held = world.run(&queue).await;
    world.decide(&held, RunChange::Released).await;
    assert!(is_waiting_for(&world.run(&queue).await, &held), "the message of the release is in the queue");
    world.release(&held, &queue).await;
    assert!(is_waiting_for(&world.run(&queue).await, &held), "the steps of the release are in the queue");
    queue.drain();
    for _ in 0..2 {
        world.clock.advance(hours(3));
        let (again, is_announced) = world.run_with_notice(&queue).await;
        assert_eq!((again.state, is_announced, local_parts(&queue.drain()).len()), (RunState::Applied, false, 8));
        assert_eq!(again.decided_by.as_deref(), Some("olivia"));
        let waiting = world.run(&queue).await;
        assert!(is_waiting_for(&waiting, &again) && queue.drain().is_empty(), "{waiting:?}");
    }
    world.clock.advance(hours(3));
    let last = world.sync_and_deliver().await;
    assert_eq!((last.state, world.alias("member01").await.status), (RunState::Applied, Status::Leaving));
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
}

#[rstest::rstest]
#[case::undecided("outage-open", None)]
#[case::rejected("outage-no", Some(RunChange::Rejected))]
#[tokio::test]
async fn outage_repeats_no_announcement(#[case] name: &str, #[case] decision: Option<RunChange>) {
    let world = World::with_leavers(name).await;
    let held = world.sync_and_deliver().await;
    if let Some(decision) = decision {
        world.decide(&held, decision).await;
    }
    // More failed runs than the guard searches.
    world.add_failed_runs(101).await;
    for _ in 0..2 {
        let waiting = world.sync_and_deliver().await;
        assert!(is_waiting_for(&waiting, &held), "{waiting:?}");
    }
}

#[tokio::test]
async fn lost_release_is_reported_once() {
    let world = World::with_leavers("lost-release").await;
    let held = world.sync_and_deliver().await;
    world.decide(&held, RunChange::Released).await;
    // The message is lost. While it may still be in the queue, nothing is reported.
    assert_eq!(world.sync_resent().await, None);
    world.clock.advance(hours(10));
    assert_eq!(world.sync_resent().await, Some((held.id, true)));
    assert_eq!(world.sync_resent().await, None);
    world.clock.advance(hours(10));
    assert_eq!(world.sync_resent().await, Some((held.id, false)), "sent again without another notice");
    let queue = Queue::default();
    assert_eq!(world.release(&held, &queue).await.state, RunState::Applied);
    world.deliver(&queue.drain()).await;
    world.clock.advance(hours(10));
    assert_eq!(world.sync_resent().await, None);
}
