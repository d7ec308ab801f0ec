//! Joiners: names that the previous roster did not have are looked up.

use jiff::SignedDuration;
use membermail_core::alias::Status;
use membermail_store::RunState;

use crate::support::{LEASE, Queue, World, local_parts};

impl World {
    /// A member without an address who joins after the first sync.
    async fn add_joiner(&self, id: u32, text: &str) {
        self.add_member(id, text).await;
        self.clock.advance(SignedDuration::from_secs(1));
    }

    fn was_looked_up(&self, word: &str) -> bool {
        self.source.lock().looked_up.iter().any(|looked_up| looked_up == word)
    }
}

#[tokio::test]
async fn joiner_gets_address_after_look_up() {
    let world = World::new("joiner", 4).await;
    world.add_joiner(9, "joiner").await;
    assert_eq!(world.sync_counts().await.create, 1);
    assert_eq!((world.looked_up(), world.state("joiner").await.0), (vec!["joiner".to_owned()], Status::Active));
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    assert!(world.looked_up().is_empty());
}

#[tokio::test]
async fn joining_stranger_costs_no_look_up() {
    let world = World::new("stranger", 4).await;
    world.add_stranger(99, "stranger", "unknown");
    let run = world.sync_and_deliver().await;
    assert_eq!((run.state, run.counts.unwrap().participants), (RunState::Unchanged, 5));
    assert!(world.looked_up().is_empty());
}

#[tokio::test]
async fn known_name_is_no_joiner() {
    let world = World::without_sync("known-name", 4).await;
    // In the team, with a reserved name that gets no address.
    world.add_joiner(9, "root").await;
    world.sync_and_deliver().await;
    assert!(world.was_looked_up("root"));
    world.sync_and_deliver().await;
    assert!(!world.was_looked_up("root"), "the previous roster has the name");
}

#[tokio::test]
async fn joiner_before_first_sync_is_found() {
    let world = World::without_sync("first-sync", 4).await;
    world.add_joiner(9, "joiner").await;
    assert_eq!(world.sync_counts().await.create, 1);
    assert_eq!(world.looked_up(), ["joiner"], "members with an alias are not joiners");
}

#[tokio::test]
async fn failed_joiner_is_retried() {
    let world = World::new("failed-joiner", 4).await;
    world.add_joiner(8, "early").await;
    world.add_joiner(9, "joiner").await;
    world.source.lock().failing.insert("joiner".into());
    assert_eq!(world.sync_counts().await.create, 1);
    assert!(world.has_address("early").await && !world.has_address("joiner").await);
    for _ in 0..2 {
        assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
        assert_eq!(world.looked_up(), ["joiner"]);
    }
    world.source.lock().failing.clear();
    assert_eq!(world.sync_counts().await.create, 1);
    assert!(world.has_address("joiner").await);
}

#[tokio::test]
async fn joiners_beyond_limit_wait() {
    let mut world = World::new("many-joiners", 4).await;
    for id in 11..=15 {
        world.add_joiner(id, &format!("joiner{id}")).await;
    }
    world.limits.lookups = 2;
    for created in [2, 2, 1] {
        let run = world.sync_and_deliver().await;
        assert_eq!((run.state, run.counts.unwrap().create), (RunState::Applied, created));
    }
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
}

#[tokio::test]
async fn departed_joiner_gets_nothing() {
    let world = World::new("left-again", 4).await;
    world.add_joiner(9, "joiner").await;
    world.source.change(9, |profile| profile.name = "renamed".into());
    world.add_stranger(99, "joiner", "unknown");
    world.leave_team(9);
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    assert!(world.was_looked_up("joiner"), "the name leads to its last known member");
    assert!(!world.has_address("joiner").await && !world.has_address("renamed").await);
}

#[tokio::test]
async fn joiners_survive_crash_before_names_stored() {
    let mut world = World::new("dies-early", 4).await;
    world.community.rules.hold_above_grants = 30;
    for id in 10..40 {
        world.add_joiner(id, &format!("joiner{id}")).await;
    }
    // The run sends the first part and dies before the names are stored.
    assert_eq!(world.sync_until_first_part().await.len(), 1);
    world.clock.advance(LEASE);
    let next = Queue::default();
    assert_eq!(world.run(&next).await.counts.unwrap().create, 30);
    let parts = next.drain();
    assert_eq!(local_parts(&parts).len(), 30);
    world.deliver(&parts).await;
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
}
