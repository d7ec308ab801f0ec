//! The state that a sync saves for the next one: names, cursor and checkpoints.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use membermail_core::member::{self, Fingerprint};
use membermail_core::random::OsRandom;
use membermail_core::rolling::Cursor;
use membermail_core::roster::{Names, Roster, RosterEntry};
use membermail_store::{Checkpoint, SyncState};
use ulid::Ulid;

use crate::support::{World, minutes, name, now, ubuntu};

fn id() -> Ulid {
    member::ulid(now(), &OsRandom)
}

/// People whose names and dates hardly compress.
fn people(count: u64) -> Vec<RosterEntry> {
    let people = (1..=count).map(|place| {
        let word = place.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        RosterEntry {
            name: name(&format!("m{word:016x}")),
            fingerprint: Fingerprint((word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 8).cast_signed()),
            is_valid: !place.is_multiple_of(7),
            signed_code_of_conduct: true,
        }
    });
    people.collect()
}

fn names(count: u64) -> Names {
    Roster::new(people(count)).names()
}

impl World {
    async fn save_state(&self, before: &SyncState, names: Option<(Ulid, &Names)>, rolling: &Cursor) -> SyncState {
        self.store.save_sync_state(&ubuntu(), before, names, 2, rolling, None).await.unwrap()
    }

    async fn last_names(&self) -> Option<Names> {
        let state = self.store.sync_state(&ubuntu()).await.unwrap();
        self.store.last_names(&ubuntu(), &state).await.unwrap()
    }

    /// The domain's sort keys with that prefix.
    async fn keys(&self, prefix: &str) -> Vec<String> {
        let partition = format!("SYNC#{}", ubuntu());
        let items = self.store.raw_items().await.unwrap();
        let items = items.iter().filter(|item| item["pk"].as_s().unwrap() == &partition);
        let keys: BTreeSet<_> = items.map(|item| item["sk"].as_s().unwrap().clone()).collect();
        keys.into_iter().filter(|sk| sk.starts_with(prefix)).collect()
    }

    async fn damage(&self, sk: &str, data: &[u8]) {
        let data = AttributeValue::B(Blob::new(data));
        let pk = format!("SYNC#{}", ubuntu());
        self.change_item(&pk, sk, |item| drop(item.insert("data".into(), data))).await;
    }

    async fn save(&self, run: Ulid, first: usize, position: &str, people: &[RosterEntry]) -> usize {
        let checkpoint = Checkpoint { saved_at: minutes(1), position: position.to_owned(), people: people.to_vec() };
        self.store.save_checkpoint(&ubuntu(), run, first, &checkpoint).await.unwrap()
    }
}

#[tokio::test]
async fn state_is_empty_before_first_sync() {
    let world = World::new().await;
    assert_eq!(world.store.sync_state(&ubuntu()).await.unwrap(), SyncState::default());
    assert_eq!(world.last_names().await, None);
}

#[tokio::test]
async fn names_of_100_000_people_survive() {
    let world = World::new().await;
    let names = names(100_000);
    let state = world.save_state(&SyncState::default(), Some((id(), &names)), &Cursor::default()).await;
    assert!(world.keys("ROSTER#").await.len() > 1, "more than fit in one item");
    assert_eq!(world.store.sync_state(&ubuntu()).await.unwrap(), state);
    assert!(world.last_names().await == Some(names));
}

#[tokio::test]
async fn empty_names_are_known_names() {
    let world = World::new().await;
    world.save_state(&SyncState::default(), Some((id(), &Names::default())), &Cursor::default()).await;
    assert_eq!(world.last_names().await, Some(Names::default()));
}

#[tokio::test]
async fn unchanged_names_are_not_rewritten() {
    let world = World::new().await;
    let run = id();
    let state = world.save_state(&SyncState::default(), Some((run, &names(10))), &Cursor::default()).await;
    // A rewrite would mend the damage.
    let key = world.keys("ROSTER#").await.remove(0);
    world.damage(&key, b"damaged").await;
    let cursor = Cursor { past_weak: true, after: Some("alice".parse().unwrap()) };
    let after = world.save_state(&state, None, &cursor).await;
    assert_eq!((after.roster, &after.rolling, after.hidden), (Some(run), &cursor, 2));
    assert_eq!(world.store.sync_state(&ubuntu()).await.unwrap(), after);
    assert_eq!((world.keys("ROSTER#").await, world.last_names().await), (vec![key], None));
}

#[tokio::test]
async fn former_names_are_deleted() {
    let world = World::new().await;
    let state = world.save_state(&SyncState::default(), Some((id(), &names(60_000))), &Cursor::default()).await;
    let former = world.keys("ROSTER#").await;
    assert!(former.len() > 1);
    let run = id();
    world.save_state(&state, Some((run, &names(5))), &Cursor::default()).await;
    assert_eq!(world.keys("ROSTER#").await, [format!("ROSTER#{run}#000000")]);
    assert_eq!(world.last_names().await, Some(names(5)));
}

#[tokio::test]
async fn names_of_same_run_are_replaced() {
    let world = World::new().await;
    let run = id();
    let state = world.save_state(&SyncState::default(), Some((run, &names(5))), &Cursor::default()).await;
    world.save_state(&state, Some((run, &names(6))), &Cursor::default()).await;
    assert_eq!(world.last_names().await, Some(names(6)));
}

#[tokio::test]
async fn missing_part_makes_names_unknown() {
    let world = World::new().await;
    let state = world.save_state(&SyncState::default(), Some((id(), &names(60_000))), &Cursor::default()).await;
    let last = world.keys("ROSTER#").await.pop().unwrap();
    world.delete_item(&format!("SYNC#{}", ubuntu()), &last).await;
    assert_eq!(world.store.last_names(&ubuntu(), &state).await.unwrap(), None);
}

#[tokio::test]
async fn checkpoints_are_joined_in_order() {
    let world = World::new().await;
    let run = id();
    let people = people(20_000);
    let parts = world.save(run, 0, "one", &people[..9_000]).await;
    assert_eq!(parts, 2, "more people than fit in one item");
    let parts = world.save(run, parts, "two", &people[9_000..9_001]).await;
    let parts = world.save(run, parts, "three", &[]).await;
    let parts = world.save(run, parts, "four", &people[9_001..]).await;
    let whole = world.store.checkpoint(&ubuntu(), run, parts).await.unwrap().unwrap();
    assert_eq!((whole.position.as_str(), whole.saved_at), ("four", minutes(1)));
    assert!(whole.people == people);
    let first = world.store.checkpoint(&ubuntu(), run, 4).await.unwrap().unwrap();
    assert_eq!((first.position.as_str(), first.people.len()), ("three", 9_001));
}

#[tokio::test]
async fn damaged_checkpoint_is_ignored() {
    let world = World::new().await;
    let run = id();
    let parts = world.save(run, 0, "one", &people(3)).await;
    let parts = world.save(run, parts, "two", &people(3)).await;
    world.damage(&world.keys("CHECKPOINT#").await[0], b"damaged").await;
    assert_eq!(world.store.checkpoint(&ubuntu(), run, parts).await.unwrap(), None);
    assert_eq!(world.store.checkpoint(&ubuntu(), run, parts + 1).await.unwrap(), None);
    assert_eq!(world.store.checkpoint(&ubuntu(), id(), 1).await.unwrap(), None);
}
