//! Steps that come late or early, and erasures that failed.

use jiff::SignedDuration;
use membermail_core::alias::{Reason, Status};
use membermail_core::lifecycle::{Action, Step};
use membermail_core::message::TakeSteps;
use membermail_store::RunState;

use crate::support::{Queue, World, of};

const YEAR: SignedDuration = SignedDuration::from_hours(24 * 366);

impl World {
    /// The steps of a run by a function whose clock is ahead.
    async fn run_ahead(&self, by: SignedDuration) -> Vec<TakeSteps> {
        let queue = Queue::default();
        self.clock.advance(by);
        self.run(&queue).await;
        self.clock.advance(-by);
        queue.take()
    }

    async fn suspend(&self, id: u32) {
        self.source.change(id, |profile| profile.in_team = false);
        self.synced().await;
        self.clock.advance(self.community.rules.leaving());
        self.synced().await;
    }
}

#[tokio::test]
async fn clock_ahead_suspends_and_retires_nobody() {
    let world = World::new("ahead", 6).await;
    world.suspend(3).await;
    world.source.change(4, |profile| profile.in_team = false);
    world.synced().await;
    let (retired, leaving) = (world.alias("member03").await, world.alias("member04").await);
    let parts = world.run_ahead(YEAR).await;
    assert_eq!(of(&parts), ["member03", "member04"]);
    world.deliver(&parts).await;
    assert_eq!((world.alias("member03").await, world.alias("member04").await), (retired, leaving));
    // A run with a right clock goes on as before.
    assert_eq!(world.synced().await.state, RunState::Unchanged);
    world.clock.advance(world.community.rules.leaving());
    assert_eq!(world.counted().await.suspend, 1);
    assert_eq!(world.state("member04").await, (Status::Suspended, Reason::NotInTeam));
}

#[tokio::test]
async fn clock_ahead_prolongs_no_grace_period() {
    let world = World::new("ahead-leave", 6).await;
    world.source.change(3, |profile| profile.in_team = false);
    let parts = world.run_ahead(YEAR).await;
    world.deliver(&parts).await;
    let alias = world.alias("member03").await;
    assert_eq!(alias.status, Status::Leaving);
    let grace = alias.until.unwrap().duration_since(alias.since);
    assert!(grace - world.community.rules.leaving() <= membermail_core::expiry::CLOCK_SKEW, "{grace}");
}

#[tokio::test]
async fn delayed_leave_keeps_its_grace_period() {
    let world = World::new("delayed-leave", 6).await;
    world.source.change(3, |profile| profile.in_team = false);
    let queue = Queue::default();
    world.run(&queue).await;
    world.clock.advance(SignedDuration::from_hours(24 * 10));
    world.deliver(&queue.take()).await;
    let alias = world.alias("member03").await;
    assert_eq!(alias.until.unwrap().duration_since(alias.since), world.community.rules.leaving());
}

#[tokio::test]
async fn expired_grant_is_made_by_next_sync() {
    let world = World::new("expired-grant", 4).await;
    world.signs_in(9, "newcomer").await;
    let queue = Queue::default();
    world.run(&queue).await;
    world.clock.advance(SignedDuration::from_hours(48));
    let parts = queue.take();
    assert_eq!(of(&parts), ["newcomer"]);
    world.deliver(&parts).await;
    assert!(!world.has_address("newcomer").await);
    assert_eq!(world.counted().await.create, 1);
    assert!(world.has_address("newcomer").await);
    assert_eq!(world.synced().await.state, RunState::Unchanged);
    assert!(world.asked().is_empty(), "they are not looked up again");
}

#[tokio::test]
async fn expired_rename_is_planned_again() {
    let world = World::new("expired-rename", 4).await;
    world.source.change(3, |profile| profile.name = "renamed".into());
    let queue = Queue::default();
    world.run(&queue).await;
    world.clock.advance(SignedDuration::from_hours(48));
    world.deliver(&queue.take()).await;
    assert!(!world.has_address("renamed").await);
    assert_eq!(world.counted().await.rename, 1);
    assert!(world.has_address("renamed").await);
}

/// A retirement whose message failed for good between the two: the alias is retired and the personal data is there.
#[tokio::test]
async fn failed_erasure_is_planned_again() {
    let world = World::new("failed-erasure", 4).await;
    world.suspend(3).await;
    world.clock.advance(world.community.rules.retire_after());
    assert_eq!(world.counted().await.retire, 1);
    for _ in 0..2 {
        let queue = Queue::default();
        let counts = world.run(&queue).await.counts.unwrap();
        let parts = queue.take();
        assert_eq!((counts.retire, of(&parts)), (0, vec!["member03".to_owned()]), "it is retired already");
        let Some(Step { action: Action::Retire, .. }) = parts[0].steps.first() else { panic!("{parts:?}") };
    }
    let alias = world.alias("member03").await;
    assert!(alias.status == Status::Retired && alias.erase_pending);
    let (address, member, version) = (alias.address, alias.member, alias.version);
    let step = Step { address, member, version, known_as: None, action: Action::Retire };
    world.store().end_erasure(&step).await.unwrap();
    assert_eq!(world.synced().await.state, RunState::Unchanged);
}
