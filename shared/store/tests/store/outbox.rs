//! The transactional outbox.

use std::collections::BTreeSet;

use jiff::Timestamp;
use membermail_core::audit::Entry;
use membermail_core::random::OsRandom;
use membermail_store::GrantOutcome;

use crate::support::{World, kubuntu, now, operator, seconds, ubuntu};

impl World {
    /// Makes `count` changes, one second apart, and returns their undelivered entries, oldest first.
    async fn make_changes(&self, count: i64) -> Vec<Entry> {
        let domain = &kubuntu();
        for pair in 0..count / 2 {
            self.store.verify_domain(domain, operator(seconds(2 * pair + 1)), &OsRandom).await.unwrap();
            self.store.unverify_domain(domain, operator(seconds(2 * pair + 2)), &OsRandom).await.unwrap();
        }
        let entries = self.store.audit(Some(domain), "2026-11").await.unwrap();
        assert_eq!(entries.len(), usize::try_from(count).unwrap());
        entries
    }

    async fn partitions(&self) -> BTreeSet<String> {
        let items = self.store.raw_items().await.unwrap();
        let pks = items.iter().map(|item| item["pk"].as_s().unwrap().clone());
        pks.filter(|pk| pk.starts_with("OUTBOX")).collect()
    }

    async fn undelivered(&self, limit: usize) -> Vec<Entry> {
        let all = self.store.undelivered_before(Timestamp::MAX, 1000).await.unwrap();
        let first = self.store.undelivered_before(Timestamp::MAX, limit).await.unwrap();
        assert_eq!(first, all.iter().take(limit).cloned().collect::<Vec<_>>(), "not the oldest entries");
        first
    }
}

#[tokio::test]
async fn outbox_is_sharded() {
    let world = World::new().await;
    let changes = world.make_changes(60).await;
    let partitions = world.partitions().await;
    assert!(partitions.len() > 8, "{partitions:?}");
    // After the verification of the domain that every test has.
    assert_eq!(world.undelivered(61).await[1..], changes);
    assert_eq!(world.undelivered(10).await.len(), 10);
}

#[tokio::test]
async fn entry_in_flight_is_not_swept() {
    let world = World::new().await;
    let changes = world.make_changes(4).await;
    world.store.mark_in_flight(changes[0].id, seconds(100)).await.unwrap();
    assert!(!world.store.undelivered_before(seconds(99), 10).await.unwrap().contains(&changes[0]));
    assert!(world.store.undelivered_before(seconds(101), 10).await.unwrap().contains(&changes[0]));
    // A mark does not recreate a delivered entry.
    world.store.mark_delivered(&changes[0], None, None, now(), &OsRandom).await.unwrap();
    world.store.mark_in_flight(changes[0].id, seconds(200)).await.unwrap();
    assert_eq!(world.store.undelivered(changes[0].id).await.unwrap(), None);
}

#[tokio::test]
async fn change_stays_in_outbox_until_delivered() {
    let world = World::new().await;
    let member = world.named("alice", "alice").await;
    let GrantOutcome::Created { entry, .. } = world.grant(&member, "alice@ubuntu.com").await else {
        panic!("not created")
    };
    let waiting = world.store.undelivered_before(seconds(300), 10).await.unwrap();
    // The domain's verification and the grant.
    assert_eq!(waiting.len(), 2);
    let audit = world.store.audit(Some(&ubuntu()), "2026-11").await.unwrap();
    assert_eq!(waiting, audit);
    assert!(world.store.undelivered_before(now(), 10).await.unwrap().is_empty());
    let waiting = world.store.undelivered(entry).await.unwrap().unwrap();
    assert_eq!(waiting.id, entry);
    for is_first in [true, false] {
        let is_delivered = world.store.mark_delivered(&waiting, None, None, now(), &OsRandom).await.unwrap();
        assert_eq!(is_delivered, is_first);
    }
    assert_eq!(world.store.undelivered(entry).await.unwrap(), None);
    assert_eq!(world.store.undelivered_before(seconds(300), 10).await.unwrap().len(), 1);
}
