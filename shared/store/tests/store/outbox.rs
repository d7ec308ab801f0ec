//! The outbox, in a real DynamoDB: its shards, and the one partition of the release before.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use membermail_core::audit::Entry;
use membermail_core::random::OsRandom;
use membermail_store::Grant;

use crate::support::{World, address, community, now, operator};

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

impl World {
    /// Changes that nobody has been told of, oldest first: each at its own second.
    async fn changes(&self, count: i64) -> Vec<Entry> {
        let domain = &community()[1];
        for second in 0..count / 2 {
            self.store.verify_domain(domain, operator(later(2 * second + 1)), &OsRandom).await.unwrap();
            self.store.unverify_domain(domain, operator(later(2 * second + 2)), &OsRandom).await.unwrap();
        }
        let entries = self.store.audit(Some(domain), "2026-11").await.unwrap();
        assert_eq!(entries.len(), usize::try_from(count).unwrap());
        entries
    }

    async fn partitions(&self) -> BTreeSet<String> {
        let scan = self.client.scan().table_name(&self.table).send().await.unwrap();
        let pks = scan.items().iter().map(|item| item["pk"].as_s().unwrap().clone());
        pks.filter(|pk| pk.starts_with("OUTBOX")).collect()
    }

    /// Moves an entry to where the release before would have put it.
    async fn unshard(&self, entry: &Entry) {
        let scan = self.client.scan().table_name(&self.table).send().await.unwrap();
        let is_it = |pk: &str, sk: &str| pk.starts_with("OUTBOX") && sk == entry.id.to_string();
        let mut item = scan
            .items
            .unwrap()
            .into_iter()
            .find(|item| is_it(item["pk"].as_s().unwrap(), item["sk"].as_s().unwrap()))
            .unwrap();
        let delete = self.client.delete_item().table_name(&self.table);
        delete.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await.unwrap();
        item.insert("pk".into(), AttributeValue::S("OUTBOX".into()));
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await.unwrap();
    }

    async fn untold(&self, limit: usize) -> Vec<Entry> {
        let all = self.store.undelivered_before(Timestamp::MAX, 1000).await.unwrap();
        let first = self.store.undelivered_before(Timestamp::MAX, limit).await.unwrap();
        assert_eq!(first, all.iter().take(limit).cloned().collect::<Vec<_>>(), "not the oldest");
        first
    }
}

#[tokio::test]
async fn outbox_is_spread_over_partitions() {
    let world = World::new("outbox-shards").await;
    let changes = world.changes(60).await;
    let partitions = world.partitions().await;
    assert!(partitions.len() > 8 && !partitions.contains("OUTBOX"), "{partitions:?}");
    // Behind the first change, which made the domain of every test.
    assert_eq!(world.untold(61).await[1..], changes);
    assert_eq!(world.untold(10).await.len(), 10);
}

#[tokio::test]
async fn entry_of_release_before_is_delivered() {
    let world = World::new("outbox-unsharded").await;
    let changes = world.changes(4).await;
    world.unshard(&changes[1]).await;
    assert!(world.partitions().await.contains("OUTBOX"));
    assert_eq!(world.untold(5).await[1..], changes, "oldest first overall");
    let old = world.store.undelivered(changes[1].id).await.unwrap().unwrap();
    world.store.mark_in_flight(old.id, later(1000)).await.unwrap();
    let waiting = world.store.undelivered_before(later(999), 10).await.unwrap();
    assert!(!waiting.contains(&old) && waiting.len() == 4, "{waiting:?}");
    let domain = Some(&community()[1]);
    let deliver = || world.store.mark_delivered(&old, None, domain, now(), &OsRandom);
    assert_eq!((deliver().await.unwrap(), deliver().await.unwrap()), (true, false));
    assert_eq!(world.store.undelivered(old.id).await.unwrap(), None);
    assert!(!world.partitions().await.contains("OUTBOX"));
}

#[tokio::test]
async fn entry_in_flight_is_not_swept() {
    let world = World::new("outbox-in-flight").await;
    let changes = world.changes(4).await;
    world.store.mark_in_flight(changes[0].id, later(100)).await.unwrap();
    let waiting = |at| world.store.undelivered_before(at, 10);
    assert!(!waiting(later(99)).await.unwrap().contains(&changes[0]));
    assert!(waiting(later(101)).await.unwrap().contains(&changes[0]));
    // What is delivered already needs no mark.
    world.store.mark_delivered(&changes[0], None, None, now(), &OsRandom).await.unwrap();
    world.store.mark_in_flight(changes[0].id, later(200)).await.unwrap();
    assert_eq!(world.store.undelivered(changes[0].id).await.unwrap(), None);
}

#[tokio::test]
async fn change_waits_in_outbox_until_delivered() {
    let world = World::new("outbox").await;
    let member = world.named("alice", "alice").await;
    let Grant::Created { entry, .. } = world.grant(&member, "alice@ubuntu.com").await else { panic!("not created") };
    let waiting = world.store.undelivered_before(later(300), 10).await.unwrap();
    // That the domain was verified, and that the alias was made.
    assert_eq!(waiting.len(), 2);
    let audit = world.store.audit(Some(&address("alice@ubuntu.com").domain), "2026-11").await.unwrap();
    assert_eq!(waiting, audit);
    assert!(world.store.undelivered_before(now(), 10).await.unwrap().is_empty());
    let waiting = world.store.undelivered(entry).await.unwrap().unwrap();
    assert_eq!(waiting.id, entry);
    let deliver = || world.store.mark_delivered(&waiting, None, None, now(), &OsRandom);
    assert_eq!((deliver().await.unwrap(), deliver().await.unwrap()), (true, false));
    assert_eq!(world.store.undelivered(entry).await.unwrap(), None);
    assert_eq!(world.store.undelivered_before(later(300), 10).await.unwrap().len(), 1);
}
