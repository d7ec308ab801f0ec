//! What one sync leaves to the next: names, cursor and checkpoints.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use membermail_core::address::DomainName;
use membermail_core::member::{self, Fingerprint};
use membermail_core::random::OsRandom;
use membermail_core::rolling::Cursor;
use membermail_core::roster::{Names, Roster, RosterEntry};
use membermail_store::{Checkpoint, SyncState};
use ulid::Ulid;

use crate::support::{World, community, minutes, name, now};

fn domain() -> DomainName {
    community()[0].clone()
}

fn id() -> Ulid {
    member::ulid(now(), &OsRandom)
}

/// Names and dates that hardly compress.
fn people(count: u64) -> Vec<RosterEntry> {
    let word = |place: u64| place.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let entry = |place: u64| RosterEntry {
        name: name(&format!("m{:016x}", word(place + 1))),
        fingerprint: Fingerprint((word(word(place + 1)) >> 8).cast_signed()),
        is_valid: !place.is_multiple_of(7),
        signed_code_of_conduct: true,
    };
    (0..count).map(entry).collect()
}

fn names(count: u64) -> Names {
    Roster::new(people(count)).names()
}

impl World {
    async fn leave(&self, before: &SyncState, names: Option<(Ulid, &Names)>, rolling: &Cursor) -> SyncState {
        self.store.leave_sync_state(&domain(), before, names, 2, rolling, None).await.unwrap()
    }

    async fn last_names(&self) -> Option<Names> {
        let state = self.store.sync_state(&domain()).await.unwrap();
        self.store.last_names(&domain(), &state).await.unwrap()
    }

    /// Sort keys of the domain's sync that begin so.
    async fn keys(&self, begins: &str) -> Vec<String> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let query = query
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .projection_expression("sk")
            .expression_attribute_values(":pk", text(&format!("SYNC#{}", domain())))
            .expression_attribute_values(":sk", text(begins));
        let items = query.send().await.unwrap().items.unwrap();
        items.iter().map(|item| item["sk"].as_s().unwrap().clone()).collect()
    }

    async fn damage(&self, sk: &str, data: &[u8]) {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let update = self.client.update_item().table_name(&self.table);
        update
            .key("pk", text(&format!("SYNC#{}", domain())))
            .key("sk", text(sk))
            .update_expression("SET #data = :data")
            .expression_attribute_names("#data", "data")
            .expression_attribute_values(":data", AttributeValue::B(Blob::new(data)))
            .send()
            .await
            .unwrap();
    }

    async fn save(&self, run: Ulid, first: usize, position: &str, people: &[RosterEntry]) -> usize {
        let checkpoint = Checkpoint { saved_at: minutes(1), position: position.to_owned(), people: people.to_vec() };
        self.store.save_checkpoint(&domain(), run, first, &checkpoint).await.unwrap()
    }
}

#[tokio::test]
async fn state_is_empty_before_first_sync() {
    let world = World::new("no-state").await;
    assert_eq!(world.store.sync_state(&domain()).await.unwrap(), SyncState::default());
    assert_eq!(world.last_names().await, None);
}

#[tokio::test]
async fn names_survive_at_100_000_people() {
    let world = World::new("names").await;
    let names = names(100_000);
    let state = world.leave(&SyncState::default(), Some((id(), &names)), &Cursor::default()).await;
    assert!(world.keys("ROSTER#").await.len() > 1, "more than one item holds");
    assert_eq!(world.store.sync_state(&domain()).await.unwrap(), state);
    assert!(world.last_names().await == Some(names));
}

#[tokio::test]
async fn empty_names_are_not_lost_names() {
    let world = World::new("empty-names").await;
    world.leave(&SyncState::default(), Some((id(), &Names::default())), &Cursor::default()).await;
    assert_eq!(world.last_names().await, Some(Names::default()));
}

#[tokio::test]
async fn unchanged_names_are_not_rewritten() {
    let world = World::new("unchanged-names").await;
    let run = id();
    let state = world.leave(&SyncState::default(), Some((run, &names(10))), &Cursor::default()).await;
    // A rewrite would mend the damage.
    let key = world.keys("ROSTER#").await.remove(0);
    world.damage(&key, b"damaged").await;
    let cursor = Cursor { past_weak: true, after: Some("alice".parse().unwrap()) };
    let after = world.leave(&state, None, &cursor).await;
    assert_eq!((after.roster, &after.rolling, after.hidden), (Some(run), &cursor, 2));
    assert_eq!(world.store.sync_state(&domain()).await.unwrap(), after);
    assert_eq!((world.keys("ROSTER#").await, world.last_names().await), (vec![key], None));
}

#[tokio::test]
async fn former_names_are_deleted() {
    let world = World::new("former-names").await;
    let state = world.leave(&SyncState::default(), Some((id(), &names(60_000))), &Cursor::default()).await;
    let former = world.keys("ROSTER#").await;
    assert!(former.len() > 1);
    let run = id();
    world.leave(&state, Some((run, &names(5))), &Cursor::default()).await;
    assert_eq!(world.keys("ROSTER#").await, [format!("ROSTER#{run}#000000")]);
    assert_eq!(world.last_names().await, Some(names(5)));
}

#[tokio::test]
async fn names_of_the_same_run_are_replaced() {
    let world = World::new("same-run").await;
    let run = id();
    let state = world.leave(&SyncState::default(), Some((run, &names(5))), &Cursor::default()).await;
    world.leave(&state, Some((run, &names(6))), &Cursor::default()).await;
    assert_eq!(world.last_names().await, Some(names(6)));
}

#[tokio::test]
async fn missing_part_makes_names_unknown() {
    let world = World::new("missing-part").await;
    let state = world.leave(&SyncState::default(), Some((id(), &names(60_000))), &Cursor::default()).await;
    let last = world.keys("ROSTER#").await.pop().unwrap();
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let delete = world.client.delete_item().table_name(&world.table).key("pk", text(&format!("SYNC#{}", domain())));
    delete.key("sk", text(&last)).send().await.unwrap();
    assert_eq!(world.store.last_names(&domain(), &state).await.unwrap(), None);
}

#[tokio::test]
async fn checkpoints_add_up_in_order() {
    let world = World::new("checkpoints").await;
    let (run, people) = (id(), people(20_000));
    let parts = world.save(run, 0, "one", &people[..9_000]).await;
    assert_eq!(parts, 2, "more people than one item holds");
    let parts = world.save(run, parts, "two", &people[9_000..9_001]).await;
    let parts = world.save(run, parts, "three", &[]).await;
    let parts = world.save(run, parts, "four", &people[9_001..]).await;
    let whole = world.store.checkpoint(&domain(), run, parts).await.unwrap().unwrap();
    assert_eq!((whole.position.as_str(), whole.saved_at), ("four", minutes(1)));
    assert!(whole.people == people);
    let first = world.store.checkpoint(&domain(), run, 4).await.unwrap().unwrap();
    assert_eq!((first.position.as_str(), first.people.len()), ("three", 9_001));
}

#[tokio::test]
async fn damaged_checkpoint_is_no_checkpoint() {
    let world = World::new("damaged").await;
    let run = id();
    let parts = world.save(run, 0, "one", &people(3)).await;
    let parts = world.save(run, parts, "two", &people(3)).await;
    world.damage(&world.keys("CHECKPOINT#").await[0], b"damaged").await;
    assert_eq!(world.store.checkpoint(&domain(), run, parts).await.unwrap(), None);
    assert_eq!(world.store.checkpoint(&domain(), run, parts + 1).await.unwrap(), None);
    assert_eq!(world.store.checkpoint(&domain(), id(), 1).await.unwrap(), None);
}
