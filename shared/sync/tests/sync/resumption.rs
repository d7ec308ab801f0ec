//! Runs that are interrupted while reading and resume from their checkpoint.

use std::time::Duration;

use membermail_core::alias::Status;
use membermail_core::audit::RunChange;
use membermail_store::RunState;
use membermail_sync::SyncOutcome;

use crate::source::Fault;
use crate::support::{LEASE, Queue, World, domain};

/// Number of pages in a complete reading.
const PAGES: u64 = 4;

impl World {
    /// Ten members on four pages with a checkpoint after each page. One member has left and one is renamed.
    async fn with_changes(name: &str) -> Self {
        let mut world = Self::new(name, 10).await;
        world.limits.checkpoint = Duration::ZERO;
        world.source.lock().page_size = 3;
        world.leave_team(2);
        world.source.change(9, |profile| profile.name = "renamed".into());
        // Nine people and a hidden row make four pages; a second reading confirms the hidden row.
        world.source.lock().hidden = 1;
        world
    }

    /// Asserts the state after a complete run.
    async fn assert_completed(&self) {
        assert_eq!(self.state("member02").await.0, Status::Leaving);
        assert_eq!(self.state("renamed").await.0, Status::Active);
        assert_eq!(self.addresses().await.len(), 11);
        assert_eq!(self.sync_and_deliver().await.state, RunState::Unchanged);
    }
}

#[rstest::rstest]
#[tokio::test]
async fn retry_resumes_at_failed_page(#[values(1, 2, 3)] page: u64) {
    let world = World::with_changes(&format!("fails-{page}")).await;
    world.source.lock().fault = Some((page, Fault::Fails));
    world.sync(&Queue::default()).await.unwrap_err();
    let paused = world.latest_run().await;
    assert_eq!((paused.state, world.source.lock().pages), (RunState::Paused, page));
    let run = world.sync_and_deliver().await;
    assert_eq!((run.id, run.started, run.state), (paused.id, paused.started, RunState::Applied));
    assert_eq!(world.source.lock().pages, 2 * PAGES - page);
    world.assert_completed().await;
}

#[rstest::rstest]
#[tokio::test]
async fn dead_run_resumes_after_lease(#[values(0, 1, 2, 3)] page: u64) {
    let world = World::with_changes(&format!("drops-{page}")).await;
    world.source.lock().fault = Some((page, Fault::Hangs));
    let queue = Queue::default();
    let died = tokio::time::timeout(Duration::from_millis(1_500), world.sync(&queue)).await;
    assert!(died.is_err(), "{died:?}");
    let dead = world.latest_run().await;
    assert_eq!((dead.state, world.source.lock().pages), (RunState::Running, page));
    assert!(matches!(world.sync(&queue).await.unwrap(), SyncOutcome::Busy { run, .. } if run == dead.id));
    world.clock.advance(LEASE);
    let run = world.sync_and_deliver().await;
    assert_eq!((run.id == dead.id, run.state), (page > 0, RunState::Applied));
    assert_eq!(world.source.lock().pages, 2 * PAGES - page);
    world.assert_completed().await;
}

#[tokio::test]
async fn short_invocations_read_one_page() {
    let mut world = World::with_changes("invocations").await;
    world.limits.checkpoint = Duration::from_secs(60);
    world.limits.invocation = Duration::ZERO;
    let queue = Queue::default();
    let mut runs = Vec::new();
    for _ in 0..2 * PAGES {
        let ran = world.sync(&queue).await.unwrap();
        let SyncOutcome::Paused { run } = ran else { panic!("{ran:?}") };
        assert_eq!((world.latest_run().await.state, world.source.lock().pages), (RunState::Paused, 1));
        runs.push(run);
    }
    runs.dedup();
    assert_eq!(runs.len(), 1, "all invocations belong to one run");
    // The complete reading is saved; the next invocation uses its time for look-ups.
    world.limits.invocation = Duration::from_secs(60);
    let run = world.sync_and_deliver().await;
    assert_eq!((run.id, run.state, world.source.lock().pages), (runs[0], RunState::Applied, 0));
    world.assert_completed().await;
}

#[tokio::test]
async fn complete_reading_is_not_paused_again() {
    let mut world = World::with_changes("no-loop").await;
    world.limits.invocation = Duration::ZERO;
    for _ in 0..2 * PAGES {
        assert!(matches!(world.sync(&Queue::default()).await.unwrap(), SyncOutcome::Paused { .. }));
    }
    assert!(matches!(world.sync(&Queue::default()).await.unwrap(), SyncOutcome::Done { .. }));
}

#[tokio::test]
async fn page_without_people_is_saved() {
    let mut world = World::new("no-people", 3).await;
    world.source.lock().page_size = 3;
    world.source.lock().hidden = 6;
    world.limits.invocation = Duration::ZERO;
    // Two readings of three pages; two pages of each have no entry.
    for reads in 1..=6 {
        assert!(
            matches!(world.sync(&Queue::default()).await.unwrap(), SyncOutcome::Paused { .. }),
            "invocation {reads}"
        );
    }
    let run = world.run(&Queue::default()).await;
    assert_eq!((run.hidden, world.source.lock().pages), (Some(6), 0));
}

#[tokio::test]
async fn member_joining_between_invocations_stays() {
    let world = World::with_changes("joins-between").await;
    world.source.lock().fault = Some((3, Fault::Fails));
    world.sync(&Queue::default()).await.unwrap_err();
    // The newcomer is on a page that was read before, and has just got an address from a sign-in.
    world.add_resident(0, "newcomer").await;
    world.source.lock().shifted.insert("newcomer".into());
    world.sync_and_deliver().await;
    assert_eq!(world.state("newcomer").await.0, Status::Active);
}

#[tokio::test]
async fn old_checkpoint_is_discarded() {
    let world = World::with_changes("too-old").await;
    world.source.lock().fault = Some((2, Fault::Fails));
    world.sync(&Queue::default()).await.unwrap_err();
    let paused = world.latest_run().await;
    world.clock.advance(jiff::SignedDuration::from_hours(2));
    let run = world.sync_and_deliver().await;
    assert_eq!((run.id == paused.id, run.state, world.source.lock().pages), (false, RunState::Applied, 2 * PAGES));
    assert_eq!(world.store().run(&domain(), paused.id).await.unwrap().unwrap().state, RunState::Died);
    world.assert_completed().await;
}

#[tokio::test]
async fn release_resumes_in_another_invocation() {
    let mut world = World::with_leavers("release-pauses").await;
    world.source.lock().page_size = 3;
    let held = world.sync_and_deliver().await;
    assert_eq!(held.state, RunState::Held);
    world.clock.advance(jiff::SignedDuration::from_mins(1));
    world.decide(&held, RunChange::Released).await;
    // Twelve people on four pages, one page per invocation.
    world.limits.invocation = Duration::ZERO;
    let queue = Queue::default();
    for _ in 0..PAGES {
        let before = world.source.lock().pages;
        let ran = world.engine().release(&domain(), held.id, &queue).await.unwrap();
        assert!(matches!(ran, SyncOutcome::Paused { run } if run == held.id), "{ran:?}");
        assert_eq!(world.source.lock().pages, before + 1);
    }
    let before = world.source.lock().pages;
    world.limits.invocation = Duration::from_secs(60);
    assert_eq!(world.release(&held, &queue).await.state, RunState::Applied);
    assert_eq!(world.source.lock().pages, before, "each page is read once");
}
