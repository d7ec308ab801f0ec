//! Plans that exceed a limit are held, and a release looks the members up again.

use crate::support::{Queue, World, domain, local_parts};
use jiff::{SignedDuration, Timestamp};
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Actor, RunChange};
use membermail_core::clock::Clock;
use membermail_core::eligibility::Account;
use membermail_core::guard::HoldReason;
use membermail_core::lifecycle::Action;
use membermail_core::lifecycle::ChangeKind;
use membermail_core::message::ApplySteps;
use membermail_core::random::OsRandom;
use membermail_store::{Decided, Run, RunState};
use membermail_sync::SyncOutcome;

impl World {
    /// Twenty members, eight of whom have left.
    pub(crate) async fn with_leavers(name: &str) -> Self {
        let world = Self::new(name, 20).await;
        world.leave_team_all(1..=8);
        world
    }

    pub(crate) fn leave_team(&self, id: u32) {
        self.source.change(id, |profile| profile.in_team = false);
    }

    pub(crate) async fn decide(&self, run: &Run, change: RunChange) {
        let cause = self.cause(Actor::Operator);
        let decided = self.store().decide_run(&domain(), run.id, change, None, cause, &OsRandom).await.unwrap();
        assert_eq!(decided, Decided::Done);
    }

    pub(crate) async fn release(&self, run: &Run, queue: &Queue) -> Run {
        let ran = self.engine().release(&domain(), run.id, queue).await.unwrap();
        let SyncOutcome::Done { run, .. } = ran else { panic!("{ran:?}") };
        *run
    }

    /// Releases a held run and applies its steps.
    pub(crate) async fn release_and_deliver(&self, held: &Run) {
        self.decide(held, RunChange::Released).await;
        let queue = Queue::default();
        self.release(held, &queue).await;
        self.deliver(&queue.drain()).await;
    }

    async fn ban_owner(&self, text: &str) {
        self.ban(self.alias(text).await.member).await;
    }
}

pub(crate) fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// The ends of the grace periods in these steps.
fn grace_ends(parts: &[ApplySteps]) -> Vec<Timestamp> {
    let actions = parts.iter().flat_map(|part| &part.steps).map(|step| &step.action);
    actions.filter_map(|action| if let Action::Leave { until, .. } = action { Some(*until) } else { None }).collect()
}

pub(crate) fn is_waiting_for(run: &Run, announced: &Run) -> bool {
    run.state == RunState::Waiting && run.waits_for == Some(announced.id)
}

#[tokio::test]
async fn late_release_gives_full_grace_period() {
    let world = World::with_leavers("late").await;
    let queue = Queue::default();
    let held = world.run(&queue).await;
    assert_eq!((held.state, held.counts.unwrap().removed), (RunState::Held, 8));
    assert!(queue.drain().is_empty());
    assert_eq!(world.looked_up().len(), 8);

    world.clock.advance(days(15));
    // One member is back, one more has left, one is deactivated, and one address was changed by a ban.
    world.source.change(1, |profile| profile.in_team = true);
    world.leave_team(9);
    world.source.change(2, |profile| profile.account = Account::Deactivated);
    world.ban_owner("member03").await;
    let member = world.alias("member03").await.member;
    let member = world.store().member(member).await.unwrap().unwrap();
    world.store().suspend_banned(&member, world.cause(Actor::Operator), &OsRandom).await.unwrap();
    world.decide(&held, RunChange::Released).await;
    world.clock.advance(SignedDuration::from_mins(1));
    let released_at = world.clock.now();
    let released = world.release(&held, &queue).await;
    assert_eq!((released.state, released.id), (RunState::Applied, held.id));
    let parts = queue.drain();
    assert_eq!(local_parts(&parts), [2, 4, 5, 6, 7, 8].map(|id| format!("member{id:02}")));
    assert!(grace_ends(&parts).iter().all(|until| *until == released_at + days(14)), "{:?}", grace_ends(&parts));
    world.deliver(&parts).await;
    assert_eq!(world.alias("member01").await.status, Status::Active);
    assert_eq!(world.alias("member02").await.reason, Reason::Deactivated);
    assert_eq!(world.alias("member09").await.status, Status::Active);

    // The next sync ends no grace period, and a redelivered release message has no effect.
    let next = world.sync_and_deliver().await;
    assert_eq!((next.counts.unwrap().suspend, next.counts.unwrap().leave), (0, 1));
    let again = world.engine().release(&domain(), held.id, &queue).await.unwrap();
    assert_eq!(again, SyncOutcome::NotReleased);
    assert!(queue.drain().is_empty());
}

#[tokio::test]
async fn same_plan_is_announced_once() {
    let world = World::with_leavers("once").await;
    let held = world.run(&Queue::default()).await;
    // More runs than the guard searches.
    for _ in 0..105 {
        let waiting = world.run(&Queue::default()).await;
        assert!(is_waiting_for(&waiting, &held), "{waiting:?}");
    }
    world.decide(&held, RunChange::Rejected).await;
    for _ in 0..2 {
        let waiting = world.run(&Queue::default()).await;
        assert!(is_waiting_for(&waiting, &held), "{waiting:?}");
    }
    world.leave_team(9);
    let other = world.run(&Queue::default()).await;
    assert_eq!((other.state, other.waits_for), (RunState::Held, None));
}

#[tokio::test]
async fn held_plan_applies_bans_only() {
    let world = World::with_leavers("bans-only").await;
    world.add_member(21, "joiner").await;
    world.clock.advance(SignedDuration::from_mins(1));
    world.ban_owner("member10").await;
    let held = world.sync_and_deliver().await;
    assert_eq!((held.state, held.counts.unwrap().removed, held.counts.unwrap().create), (RunState::Held, 8, 1));
    assert!(!world.has_address("joiner").await);
    let banned = world.alias("member10").await;
    assert_eq!((banned.status, banned.reason), (Status::Suspended, Reason::Banned));
    assert_eq!(world.alias("member01").await.status, Status::Active);
    let bound = HoldReason::Bound { kind: ChangeKind::Removals, count: 8, earlier: 0, of: 20, among: Status::Active };
    assert_eq!(held.held_for, [bound]);

    // A ban of a waiting member is applied, and the remaining steps are a new plan.
    world.decide(&held, RunChange::Rejected).await;
    world.ban_owner("member01").await;
    let other = world.sync_and_deliver().await;
    assert_eq!((other.state, other.counts.unwrap().removed), (RunState::Held, 7));
    assert_eq!(world.alias("member01").await.reason, Reason::Banned);
}

#[tokio::test]
async fn release_applies_steps_of_both_plans() {
    let world = World::with_leavers("release-both").await;
    for (id, joiner) in [(21, "joiner1"), (22, "joiner2")] {
        world.add_member(id, joiner).await;
    }
    world.clock.advance(SignedDuration::from_mins(1));
    let held = world.sync_and_deliver().await;
    assert_eq!(held.counts.unwrap().create, 2);
    // Another joiner makes no new plan, and the release does not include them.
    world.add_member(23, "joiner3").await;
    world.clock.advance(SignedDuration::from_mins(1));
    assert!(is_waiting_for(&world.sync_and_deliver().await, &held));
    world.leave_team(22);
    world.decide(&held, RunChange::Released).await;
    let queue = Queue::default();
    assert_eq!(world.release(&held, &queue).await.state, RunState::Applied);
    let parts = queue.drain();
    let members = (1..=8).map(|id| format!("member{id:02}"));
    assert_eq!(local_parts(&parts), ["joiner1".to_owned()].into_iter().chain(members).collect::<Vec<_>>());
    world.deliver(&parts).await;
    assert_eq!(world.alias("joiner1").await.status, Status::Active);
    let next = world.sync_and_deliver().await;
    assert_eq!((next.state, next.counts.unwrap().create), (RunState::Applied, 1));
    assert!(world.has_address("joiner3").await && !world.has_address("joiner2").await);
}

#[tokio::test]
async fn withheld_joiner_is_planned_again() {
    let world = World::with_leavers("found-again").await;
    world.add_member(21, "joiner").await;
    world.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(world.sync_and_deliver().await.state, RunState::Held);
    (1..=8).for_each(|id| world.source.change(id, |profile| profile.in_team = true));
    let run = world.sync_and_deliver().await;
    assert_eq!((run.state, run.counts.unwrap().create), (RunState::Applied, 1));
    assert!(world.has_address("joiner").await);
}
