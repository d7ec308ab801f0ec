//! Runs that stop while they read, and go on from their checkpoint.

use std::time::Duration;

use membermail_core::alias::Status;
use membermail_store::{Run, RunState};
use membermail_sync::Ran;

use crate::source::Fault;
use crate::support::{LEASE, Queue, World, domain};

/// Pages of a reading.
const PAGES: u64 = 4;

impl World {
    /// Ten members on four pages, every one of which is saved; one member has left and one has a new name.
    async fn busy(name: &str) -> Self {
        let mut world = Self::new(name, 10).await;
        world.limits.checkpoint = Duration::ZERO;
        world.source.lock().page_size = 3;
        world.source.change(2, |profile| profile.in_team = false);
        world.source.change(9, |profile| profile.name = "renamed".into());
        // Nine people are left: a hidden row makes the fourth page, and the second reading settles it.
        world.source.lock().hidden = 1;
        world
    }

    async fn latest(&self) -> Run {
        self.store().runs(&domain(), 1).await.unwrap().remove(0)
    }

    /// The state after a complete run.
    async fn is_done(&self) {
        assert_eq!(self.state("member02").await.0, Status::Leaving);
        assert_eq!(self.state("renamed").await.0, Status::Active);
        assert_eq!(self.addresses().await.len(), 11);
        assert_eq!(self.synced().await.state, RunState::Unchanged);
    }
}

#[rstest::rstest]
#[tokio::test]
async fn failed_page_is_where_the_retry_begins(#[values(1, 2, 3)] page: u64) {
    let world = World::busy(&format!("fails-{page}")).await;
    world.source.lock().fault = Some((page, Fault::Fails));
    world.sync(&Queue::default()).await.unwrap_err();
    let paused = world.latest().await;
    assert_eq!((paused.state, world.source.lock().pages), (RunState::Paused, page));
    let run = world.synced().await;
    assert_eq!((run.id, run.started, run.state), (paused.id, paused.started, RunState::Applied));
    assert_eq!(world.source.lock().pages, 2 * PAGES - page);
    world.is_done().await;
}

#[rstest::rstest]
#[tokio::test]
async fn dropped_run_is_resumed_after_its_lease(#[values(0, 1, 2, 3)] page: u64) {
    let world = World::busy(&format!("drops-{page}")).await;
    world.source.lock().fault = Some((page, Fault::Hangs));
    let queue = Queue::default();
    let died = tokio::time::timeout(Duration::from_millis(1_500), world.sync(&queue)).await;
    assert!(died.is_err(), "{died:?}");
    let dead = world.latest().await;
    assert_eq!((dead.state, world.source.lock().pages), (RunState::Running, page));
    assert!(matches!(world.sync(&queue).await.unwrap(), Ran::Busy { run, .. } if run == dead.id));
    world.clock.advance(LEASE);
    let run = world.synced().await;
    assert_eq!((run.id == dead.id, run.state), (page > 0, RunState::Applied));
    assert_eq!(world.source.lock().pages, 2 * PAGES - page);
    world.is_done().await;
}

#[tokio::test]
async fn invocations_without_time_read_page_by_page() {
    let mut world = World::busy("invocations").await;
    world.limits.checkpoint = Duration::from_secs(60);
    world.limits.invocation = Duration::ZERO;
    let queue = Queue::default();
    let mut runs = Vec::new();
    for _ in 0..2 * PAGES {
        let ran = world.sync(&queue).await.unwrap();
        let Ran::Paused { run } = ran else { panic!("{ran:?}") };
        assert_eq!((world.latest().await.state, world.source.lock().pages), (RunState::Paused, 1));
        runs.push(run);
    }
    runs.dedup();
    assert_eq!(runs.len(), 1, "one run in many invocations");
    // The reading is complete and saved: the next invocation has all of its time for look-ups.
    world.limits.invocation = Duration::from_secs(60);
    let run = world.synced().await;
    assert_eq!((run.id, run.state, world.source.lock().pages), (runs[0], RunState::Applied, 0));
    world.is_done().await;
}

#[tokio::test]
async fn complete_reading_is_not_paused_again() {
    let mut world = World::busy("no-loop").await;
    world.limits.invocation = Duration::ZERO;
    for _ in 0..2 * PAGES {
        assert!(matches!(world.sync(&Queue::default()).await.unwrap(), Ran::Paused { .. }));
    }
    assert!(matches!(world.sync(&Queue::default()).await.unwrap(), Ran::Done { .. }));
}

#[tokio::test]
async fn page_without_people_is_saved_too() {
    let mut world = World::new("no-people", 3).await;
    world.source.lock().page_size = 3;
    world.source.lock().hidden = 6;
    world.limits.invocation = Duration::ZERO;
    // Two readings of three pages, of which two show no entry.
    for reads in 1..=6 {
        assert!(matches!(world.sync(&Queue::default()).await.unwrap(), Ran::Paused { .. }), "invocation {reads}");
    }
    let run = world.run(&Queue::default()).await;
    assert_eq!((run.hidden, world.source.lock().pages), (Some(6), 0));
}

#[tokio::test]
async fn member_who_joins_between_invocations_stays() {
    let world = World::busy("joins-between").await;
    world.source.lock().fault = Some((3, Fault::Fails));
    world.sync(&Queue::default()).await.unwrap_err();
    // On a page that was read before, with an address from a sign-in of this moment.
    world.joins(0, "newcomer").await;
    world.source.lock().shifted.insert("newcomer".into());
    world.synced().await;
    assert_eq!(world.state("newcomer").await.0, Status::Active);
}

#[tokio::test]
async fn old_checkpoint_is_read_anew() {
    let world = World::busy("too-old").await;
    world.source.lock().fault = Some((2, Fault::Fails));
    world.sync(&Queue::default()).await.unwrap_err();
    let paused = world.latest().await;
    world.clock.advance(jiff::SignedDuration::from_hours(2));
    let run = world.synced().await;
    assert_eq!((run.id == paused.id, run.state, world.source.lock().pages), (false, RunState::Applied, 2 * PAGES));
    assert_eq!(world.store().run(&domain(), paused.id).await.unwrap().unwrap().state, RunState::Died);
    world.is_done().await;
}
