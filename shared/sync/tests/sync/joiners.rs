//! Members who join the team: found by the names that the previous roster did not have, and looked up.

use jiff::SignedDuration;
use membermail_core::alias::Status;
use membermail_store::RunState;

use crate::source::Profile;
use crate::support::{LEASE, Queue, World, of};

impl World {
    /// A member without an address who joins after the first sync.
    async fn joiner(&self, id: u32, text: &str) {
        self.signs_in(id, text).await;
        self.clock.advance(SignedDuration::from_secs(1));
    }

    fn asked_for(&self, word: &str) -> bool {
        self.source.lock().asked.iter().any(|asked| asked == word)
    }
}

#[tokio::test]
async fn joiner_is_looked_up_and_gets_an_address() {
    let world = World::new("joiner", 4).await;
    world.joiner(9, "joiner").await;
    assert_eq!(world.counted().await.create, 1);
    assert_eq!((world.asked(), world.state("joiner").await.0), (vec!["joiner".to_owned()], Status::Active));
    assert_eq!(world.synced().await.state, RunState::Unchanged);
    assert!(world.asked().is_empty());
}

#[tokio::test]
async fn stranger_who_joins_costs_no_look_up() {
    let world = World::new("stranger", 4).await;
    let stranger = Profile { words: vec!["unknown".into()], ..Profile::new("stranger", 99) };
    world.source.lock().people.insert(99, stranger);
    let run = world.synced().await;
    assert_eq!((run.state, run.counts.unwrap().participants), (RunState::Unchanged, 5));
    assert!(world.asked().is_empty());
}

#[tokio::test]
async fn known_name_is_no_joiner_again() {
    let world = World::without_sync("known-name", 4).await;
    // In the team, with a name that gives no address.
    world.joiner(9, "root").await;
    world.synced().await;
    assert!(world.asked_for("root"));
    world.synced().await;
    assert!(!world.asked_for("root"), "the previous roster has the name");
}

#[tokio::test]
async fn joiner_of_before_first_sync_is_found() {
    let world = World::without_sync("first-sync", 4).await;
    world.joiner(9, "joiner").await;
    assert_eq!(world.counted().await.create, 1);
    assert_eq!(world.asked(), ["joiner"], "members with an alias are known by it");
}

#[tokio::test]
async fn failed_joiner_is_a_joiner_again() {
    let world = World::new("failed-joiner", 4).await;
    world.joiner(8, "early").await;
    world.joiner(9, "joiner").await;
    world.source.lock().failing.insert("joiner".into());
    assert_eq!(world.counted().await.create, 1);
    assert!(world.has_address("early").await && !world.has_address("joiner").await);
    for _ in 0..2 {
        assert_eq!(world.synced().await.state, RunState::Unchanged);
        assert_eq!(world.asked(), ["joiner"]);
    }
    world.source.lock().failing.clear();
    assert_eq!(world.counted().await.create, 1);
    assert!(world.has_address("joiner").await);
}

#[tokio::test]
async fn joiners_beyond_the_limit_wait() {
    let mut world = World::new("many-joiners", 4).await;
    for id in 11..=15 {
        world.joiner(id, &format!("joiner{id}")).await;
    }
    world.limits.lookups = 2;
    for created in [2, 2, 1] {
        let run = world.synced().await;
        assert_eq!((run.state, run.counts.unwrap().create), (RunState::Applied, created));
    }
    assert_eq!(world.synced().await.state, RunState::Unchanged);
}

#[tokio::test]
async fn joiner_who_left_again_gets_nothing() {
    let world = World::new("left-again", 4).await;
    world.joiner(9, "joiner").await;
    world.source.change(9, |profile| profile.name = "renamed".into());
    let stranger = Profile { words: vec!["unknown".into()], ..Profile::new("joiner", 99) };
    world.source.lock().people.insert(99, stranger);
    world.source.change(9, |profile| profile.in_team = false);
    assert_eq!(world.synced().await.state, RunState::Unchanged);
    assert!(world.asked_for("joiner"), "the name led to the member who had it");
    assert!(!world.has_address("joiner").await && !world.has_address("renamed").await);
}

#[tokio::test]
async fn joiners_survive_death_before_names_are_stored() {
    let mut world = World::new("dies-early", 4).await;
    world.community.rules.hold_above_grants = 30;
    for id in 10..40 {
        world.joiner(id, &format!("joiner{id}")).await;
    }
    // It hands on the first part, and ends before the names are stored.
    let queue = Queue { stops_after: Some(1), ..Queue::default() };
    let died = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        tokio::select! {
            ran = world.sync(&queue) => panic!("{ran:?}"),
            () = async {
                while queue.parts.lock().unwrap().is_empty() {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
            } => {}
        }
    });
    died.await.unwrap();
    assert_eq!(queue.take().len(), 1);
    world.clock.advance(LEASE);
    let next = Queue::default();
    assert_eq!(world.run(&next).await.counts.unwrap().create, 30);
    let parts = next.take();
    assert_eq!(of(&parts).len(), 30);
    world.deliver(&parts).await;
    assert_eq!(world.synced().await.state, RunState::Unchanged);
}
