//! Late and early steps, and failed erasures.

use jiff::SignedDuration;
use membermail_core::alias::{Reason, Status};
use membermail_core::lifecycle::{Action, Step};
use membermail_core::message::ApplySteps;
use membermail_store::RunState;

use crate::support::{Queue, World, local_parts};

const YEAR: SignedDuration = SignedDuration::from_hours(24 * 366);

impl World {
    /// The steps of a run with a clock that is ahead.
    async fn run_ahead(&self, by: SignedDuration) -> Vec<ApplySteps> {
        let queue = Queue::default();
        self.clock.advance(by);
        self.run(&queue).await;
        self.clock.advance(-by);
        queue.drain()
    }

    async fn suspend(&self, id: u32) {
        self.leave_team(id);
        self.sync_and_deliver().await;
        self.clock.advance(self.community.rules.leaving());
        self.sync_and_deliver().await;
    }
}

#[tokio::test]
async fn clock_ahead_ends_no_alias() {
    let world = World::new("ahead", 6).await;
    world.suspend(3).await;
    world.leave_team(4);
    world.sync_and_deliver().await;
    let retired = world.alias("member03").await;
    let leaving = world.alias("member04").await;
    let parts = world.run_ahead(YEAR).await;
    assert_eq!(local_parts(&parts), ["member03", "member04"]);
    world.deliver(&parts).await;
    assert_eq!((world.alias("member03").await, world.alias("member04").await), (retired, leaving));
    // A run with a correct clock continues as before.
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    world.clock.advance(world.community.rules.leaving());
    assert_eq!(world.sync_counts().await.suspend, 1);
    assert_eq!(world.state("member04").await, (Status::Suspended, Reason::NotInTeam));
}

#[tokio::test]
async fn clock_ahead_extends_no_grace_period() {
    let world = World::new("ahead-leave", 6).await;
    world.leave_team(3);
    let parts = world.run_ahead(YEAR).await;
    world.deliver(&parts).await;
    let alias = world.alias("member03").await;
    assert_eq!(alias.status, Status::Leaving);
    let grace = alias.until.unwrap().duration_since(alias.since);
    assert!(grace - world.community.rules.leaving() <= membermail_core::expiry::CLOCK_SKEW, "{grace}");
}

#[tokio::test]
async fn delayed_leave_keeps_grace_period() {
    let world = World::new("delayed-leave", 6).await;
    world.leave_team(3);
    let queue = Queue::default();
    world.run(&queue).await;
    world.clock.advance(SignedDuration::from_hours(24 * 10));
    world.deliver(&queue.drain()).await;
    let alias = world.alias("member03").await;
    assert_eq!(alias.until.unwrap().duration_since(alias.since), world.community.rules.leaving());
}

#[tokio::test]
async fn next_sync_repeats_expired_grant() {
    let world = World::new("expired-grant", 4).await;
    world.add_member(9, "newcomer").await;
    let queue = Queue::default();
    world.run(&queue).await;
    world.clock.advance(SignedDuration::from_hours(48));
    let parts = queue.drain();
    assert_eq!(local_parts(&parts), ["newcomer"]);
    world.deliver(&parts).await;
    assert!(!world.has_address("newcomer").await);
    assert_eq!(world.sync_counts().await.create, 1);
    assert!(world.has_address("newcomer").await);
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    assert!(world.looked_up().is_empty(), "the expired grant is no longer listed");
}

#[tokio::test]
async fn expired_rename_is_planned_again() {
    let world = World::new("expired-rename", 4).await;
    world.source.change(3, |profile| profile.name = "renamed".into());
    let queue = Queue::default();
    world.run(&queue).await;
    world.clock.advance(SignedDuration::from_hours(48));
    world.deliver(&queue.drain()).await;
    assert!(!world.has_address("renamed").await);
    assert_eq!(world.sync_counts().await.rename, 1);
    assert!(world.has_address("renamed").await);
}

/// The message of a retirement failed permanently after the alias was retired and before the personal data was erased.
#[tokio::test]
async fn failed_erasure_is_planned_again() {
    let world = World::new("failed-erasure", 4).await;
    world.suspend(3).await;
    world.clock.advance(world.community.rules.retire_after());
    assert_eq!(world.sync_counts().await.retire, 1);
    for _ in 0..2 {
        let queue = Queue::default();
        let counts = world.run(&queue).await.counts.unwrap();
        let parts = queue.drain();
        assert_eq!(
            (counts.retire, local_parts(&parts)),
            (0, vec!["member03".to_owned()]),
            "the alias is retired again"
        );
        let Some(Step { action: Action::Retire, .. }) = parts[0].steps.first() else { panic!("{parts:?}") };
    }
    let alias = world.alias("member03").await;
    assert!(alias.status == Status::Retired && alias.erase_pending);
    world.end_erasure(alias).await;
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
}
