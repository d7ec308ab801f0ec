//! Dry runs: one that waits or runs per domain, each started and finished once.

use jiff::SignedDuration;
use membermail_core::alias::ExpectedVersion;
use membermail_core::dry_run::{DryRunFailure, KEPT, MAX_TIME, MAX_WAIT};
use membermail_core::lifecycle::{Action, Step};
use membermail_core::member::{self, MemberId};
use membermail_core::plan::Counts;
use membermail_core::random::OsRandom;
use membermail_store::{DryRun, DryRunPhase, DryRunPlan};

use crate::support::{World, address, kubuntu, minutes, now, ubuntu};

fn request(minute: i64) -> DryRun {
    let at = minutes(minute);
    DryRun::new(member::ulid(at, &OsRandom), MemberId::new(at, &OsRandom), at)
}

fn steps(count: usize) -> Vec<Step> {
    let step = |index| Step {
        address: address(&format!("member{index:04}@ubuntu.com")),
        member: MemberId::new(now(), &OsRandom),
        expected: ExpectedVersion::At(1),
        known_as: None,
        action: Action::Retire,
    };
    (0..count).map(step).collect()
}

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

impl World {
    async fn dry_run_phase(&self, minute: i64) -> Option<DryRunPhase> {
        let at = minutes(minute);
        self.store.dry_run(&ubuntu(), at).await.unwrap().map(|dry_run| dry_run.phase(at))
    }

    async fn request_dry_run(&self, dry_run: &DryRun) -> bool {
        self.store.request_dry_run(&ubuntu(), dry_run, dry_run.requested_at).await.unwrap()
    }

    async fn begin_dry_run(&self, dry_run: &DryRun, minute: i64) -> bool {
        self.store.begin_dry_run(&ubuntu(), dry_run.id, minutes(minute)).await.unwrap()
    }

    async fn finish_dry_run(&self, dry_run: &DryRun, steps: &[Step], minute: i64) -> bool {
        let plan = DryRunPlan { counts: Counts::default(), steps, held_for: &[], is_complete: true };
        self.store.finish_dry_run(&ubuntu(), dry_run.id, Ok(plan), minutes(minute)).await.unwrap()
    }
}

#[tokio::test]
async fn one_dry_run_waits_per_domain() {
    let world = World::new().await;
    assert_eq!(world.dry_run_phase(0).await, None);
    let (first, second) = (request(0), request(1));
    assert!(world.request_dry_run(&first).await);
    assert!(!world.request_dry_run(&second).await, "the first one waits");
    assert!(world.begin_dry_run(&first, 1).await);
    assert!(!world.request_dry_run(&second).await, "the first one runs");
    assert!(world.finish_dry_run(&first, &[], 2).await);
    let third = request(3);
    assert!(world.request_dry_run(&third).await);
    assert_eq!(world.store.dry_run(&ubuntu(), minutes(3)).await.unwrap(), Some(third));
}

#[tokio::test]
async fn dry_run_starts_once() {
    let world = World::new().await;
    let dry_run = request(0);
    assert!(!world.begin_dry_run(&dry_run, 0).await, "not requested");
    assert!(world.request_dry_run(&dry_run).await);
    assert!(world.begin_dry_run(&dry_run, 1).await);
    assert!(!world.begin_dry_run(&dry_run, 1).await, "a duplicate");
    assert!(world.finish_dry_run(&dry_run, &[], 2).await);
    assert!(!world.begin_dry_run(&dry_run, 3).await, "a late duplicate");
    assert_eq!(world.dry_run_phase(3).await, Some(DryRunPhase::Done));
}

#[tokio::test]
async fn dry_run_is_lost_after_waiting() {
    let world = World::new().await;
    let dry_run = request(0);
    assert!(world.request_dry_run(&dry_run).await);
    let waited = MAX_WAIT.as_secs() / 60;
    assert_eq!(world.dry_run_phase(waited - 1).await, Some(DryRunPhase::Waiting));
    assert_eq!(world.dry_run_phase(waited).await, Some(DryRunPhase::Lost));
    assert!(!world.begin_dry_run(&dry_run, waited).await);
    assert!(world.request_dry_run(&request(waited)).await);
}

#[tokio::test]
async fn dead_dry_run_is_replaced() {
    let world = World::new().await;
    let (dead, next) = (request(0), request(20));
    assert!(world.request_dry_run(&dead).await);
    assert!(world.begin_dry_run(&dead, 1).await);
    assert!(MAX_TIME + MINUTE * 3 < MINUTE * 20);
    assert_eq!(world.dry_run_phase(20).await, Some(DryRunPhase::Lost));
    assert!(world.request_dry_run(&next).await);
    assert!(world.begin_dry_run(&next, 20).await);
    // The first one was only slow.
    world.store.note_dry_run_progress(&ubuntu(), dead.id, 7, None).await.unwrap();
    assert!(!world.finish_dry_run(&dead, &steps(3), 21).await);
    let stored = world.store.dry_run(&ubuntu(), minutes(21)).await.unwrap().unwrap();
    assert_eq!((stored.id, stored.read, stored.phase(minutes(21))), (next.id, 0, DryRunPhase::Running));
}

#[tokio::test]
async fn progress_is_recorded_while_running() {
    let world = World::new().await;
    let dry_run = request(0);
    assert!(world.request_dry_run(&dry_run).await);
    let note = async |read, total| {
        world.store.note_dry_run_progress(&ubuntu(), dry_run.id, read, total).await.unwrap();
        let stored = world.store.dry_run(&ubuntu(), minutes(1)).await.unwrap().unwrap();
        (stored.read, stored.total)
    };
    assert_eq!(note(1, None).await, (0, None), "it waits");
    assert!(world.begin_dry_run(&dry_run, 1).await);
    assert_eq!(note(2, Some(9)).await, (2, Some(9)));
    let failed = Err(DryRunFailure::Source);
    assert!(world.store.finish_dry_run(&ubuntu(), dry_run.id, failed, minutes(2)).await.unwrap());
    assert_eq!(note(3, Some(9)).await, (2, Some(9)), "it has ended");
    assert_eq!(world.dry_run_phase(2).await, Some(DryRunPhase::Failed(DryRunFailure::Source)));
}

#[tokio::test]
async fn steps_are_read_by_page() {
    let world = World::new().await;
    let dry_run = request(0);
    assert!(world.request_dry_run(&dry_run).await);
    assert!(world.begin_dry_run(&dry_run, 1).await);
    let all = steps(501);
    assert!(world.finish_dry_run(&dry_run, &all, 2).await);
    let mut read = Vec::new();
    for page in 0..3 {
        let page = world.store.step_page(&ubuntu(), dry_run.id, page).await.unwrap().unwrap();
        assert_eq!(page.last, 2);
        read.extend(page.steps);
    }
    assert!(read == all);
    assert_eq!(world.store.step_page(&ubuntu(), dry_run.id, 3).await.unwrap(), None);
    assert_eq!(world.store.step_page(&kubuntu(), dry_run.id, 0).await.unwrap(), None, "of another domain");
}

#[tokio::test]
async fn old_dry_run_is_gone() {
    let world = World::new().await;
    let dry_run = request(0);
    assert!(world.request_dry_run(&dry_run).await);
    assert!(world.begin_dry_run(&dry_run, 1).await);
    assert!(world.finish_dry_run(&dry_run, &[], 2).await);
    assert!(world.store.dry_run(&ubuntu(), now() + KEPT - MINUTE).await.unwrap().is_some());
    assert!(world.store.dry_run(&ubuntu(), now() + KEPT).await.unwrap().is_none());
}

#[tokio::test]
async fn withdrawn_request_is_lost() {
    let world = World::new().await;
    let (first, second) = (request(0), request(1));
    assert!(world.request_dry_run(&first).await);
    world.store.withdraw_dry_run(&ubuntu(), second.id, minutes(1)).await.unwrap();
    assert_eq!(world.dry_run_phase(1).await, Some(DryRunPhase::Waiting), "another request");
    world.store.withdraw_dry_run(&ubuntu(), first.id, minutes(1)).await.unwrap();
    assert_eq!(world.dry_run_phase(1).await, Some(DryRunPhase::Lost));
    assert!(!world.begin_dry_run(&first, 1).await, "its message came all the same");
    assert!(world.request_dry_run(&second).await);
}
