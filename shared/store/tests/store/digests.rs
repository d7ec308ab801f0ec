//! Gathered changes of a domain and the digest of its admins.

use futures_util::future::join_all;
use jiff::Timestamp;
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Change, Entry};
use membermail_core::digest::Tally;
use membermail_core::member::{self, MemberId};
use membermail_core::notice::NoticeId;
use membermail_core::random::OsRandom;
use membermail_store::{Batch, Claim, Ended, Gathered, StoreError};
use ulid::Ulid;

use crate::support::{World, address, now, operator, seconds, sync, ubuntu};

/// Maximum changes that a digest names.
const NAMED: usize = 99;

fn entry(name: &str, at: Timestamp) -> Entry {
    let is_removed = name.starts_with("off");
    let change = Change::Alias {
        member: MemberId::new(now(), &OsRandom),
        address: address(&format!("{name}@ubuntu.com")),
        before: is_removed.then_some(Status::Leaving),
        after: if is_removed { Status::Suspended } else { Status::Active },
        reason: Reason::NotInTeam,
        until: None,
        renamed_from: None,
    };
    Entry::new(change, sync(at), &OsRandom)
}

fn entries(count: usize, at: Timestamp) -> Vec<Entry> {
    (0..count).map(|place| entry(&format!("n{place}"), at)).collect()
}

fn new_id() -> Ulid {
    member::ulid(seconds(60), &OsRandom)
}

impl World {
    async fn gather(&self, entries: &[Entry]) {
        for entry in entries {
            self.store.gather(&ubuntu(), entry).await.unwrap();
        }
    }

    /// Prepares the next digest, with retries until it is complete.
    async fn prepare_batch(&self, steps: usize) -> Option<Batch> {
        for _ in 0..100 {
            match self.store.prepare_digest(&ubuntu(), new_id(), steps).await {
                Ok(Gathered::Nothing) => return None,
                Ok(Gathered::All(batch)) => return Some(batch),
                Ok(Gathered::Unfinished) | Err(StoreError::Conflict) => {}
                Err(cause) => panic!("{cause}"),
            }
        }
        panic!("the digest did not become complete")
    }

    async fn complete(&self, batch: &Batch) {
        self.store.complete_digest(&ubuntu(), batch).await.unwrap();
    }

    async fn has_news(&self) -> bool {
        self.store.has_news(&ubuntu()).await.unwrap()
    }
}

#[tokio::test]
async fn digest_is_stable_until_completed() {
    let world = World::new().await;
    assert_eq!(world.prepare_batch(1).await, None);
    let one = entry("one", now());
    let two = entry("two", now());
    world.gather(&[one.clone(), one.clone()]).await;
    let first = world.prepare_batch(1).await.unwrap();
    world.gather(std::slice::from_ref(&two)).await;
    let again = world.prepare_batch(1).await.unwrap();
    assert_eq!((&again, &again.news), (&first, &vec![one]));
    world.complete(&first).await;
    let next = world.prepare_batch(1).await.unwrap();
    assert_eq!(next.news, [two]);
    assert_ne!(next.id, first.id);
    // A late repeat of the first deletes nothing of the next.
    world.complete(&first).await;
    assert_eq!(world.prepare_batch(1).await, Some(next.clone()));
    world.complete(&next).await;
    assert!(!world.has_news().await);
}

#[tokio::test]
async fn concurrent_digests_are_equal() {
    let world = World::new().await;
    world.gather(&["one", "two", "three"].map(|name| entry(name, now()))).await;
    let (one, two) = tokio::join!(world.prepare_batch(1), world.prepare_batch(1));
    assert_eq!(one, two);
    assert_eq!(one.unwrap().news.len(), 3);
}

#[tokio::test]
async fn large_digest_counts_each_change_once() {
    let world = World::new().await;
    let entries = (0..250).map(|place| {
        let kind = if place % 5 == 0 { "off" } else { "new" };
        entry(&format!("{kind}{place}"), seconds(place / 10))
    });
    let entries: Vec<_> = entries.collect();
    world.gather(&entries).await;
    // Two concurrent invocations, one page per call.
    let (one, two) = tokio::join!(world.prepare_batch(1), world.prepare_batch(1));
    assert_eq!(one, two);
    let batch = one.unwrap();
    assert_eq!(batch.news.len(), NAMED);
    assert_eq!(batch.others.total(), 250 - 99);
    assert_eq!(Tally::of_entries(&batch.news).plus(batch.others), Tally::of_entries(&entries));
    // A change during the delivery is in the next digest.
    let late = entry("late", now());
    world.gather(std::slice::from_ref(&late)).await;
    assert_eq!(world.prepare_batch(1).await, Some(batch.clone()));
    world.complete(&batch).await;
    let next = world.prepare_batch(1).await.unwrap();
    assert_eq!((next.news.as_slice(), next.others), ([late].as_slice(), Tally::default()));
    world.complete(&next).await;
    assert!(!world.has_news().await);
}

#[tokio::test]
async fn digest_excludes_changes_after_start() {
    let world = World::new().await;
    world.gather(&entries(120, now())).await;
    assert_eq!(world.store.prepare_digest(&ubuntu(), new_id(), 0).await.unwrap(), Gathered::Unfinished);
    // Changes after the start of a batch are not counted into it.
    world.gather(&entries(30, seconds(120))).await;
    let batch = world.prepare_batch(1).await.unwrap();
    assert_eq!(batch.others.total(), 120 - 99);
    world.complete(&batch).await;
    assert_eq!(world.prepare_batch(1).await.unwrap().news.len(), 30);
}

#[tokio::test]
async fn old_changes_are_dropped_in_steps() {
    let world = World::new().await;
    world.gather(&entries(150, seconds(-100))).await;
    world.gather(&entries(2, now())).await;
    let drop = async |steps| world.store.drop_news_before(&ubuntu(), seconds(-50), steps).await.unwrap();
    assert_eq!((drop(1).await, drop(2).await, drop(1).await), ((99, false), (51, true), (0, true)));
    assert_eq!(world.prepare_batch(1).await.unwrap().news.len(), 2);
}

#[tokio::test]
async fn digest_is_claimed_once_until_due() {
    let world = World::new().await;
    let domain = &ubuntu();
    let claim = async |at| world.store.claim_digest(domain, seconds(at), seconds(at + 60)).await.unwrap();
    let claims = join_all((0..4).map(|_| claim(0))).await;
    assert_eq!(claims.into_iter().filter(|claimed| *claimed).count(), 1);
    assert!(!world.has_news().await, "the claim is not a change");
    assert!(!claim(59).await);
    assert!(claim(60).await);
    world.store.release_digest(domain).await.unwrap();
    assert!(claim(61).await);
    // The claim of a failed digest is extended for its retries.
    world.store.extend_digest_claim(domain, seconds(600)).await.unwrap();
    assert!(!claim(599).await);
}

#[tokio::test]
async fn delivered_change_is_gathered_once() {
    let world = World::new().await;
    world.store.unverify_domain(&ubuntu(), operator(now()), &OsRandom).await.unwrap();
    let entry = world.store.undelivered_before(Timestamp::MAX, 10).await.unwrap().pop().unwrap();
    let ended = Ended { id: NoticeId::to_member(entry.id), is_sent: true };
    let deliver =
        async || world.store.mark_delivered(&entry, Some(&ended), Some(&ubuntu()), now(), &OsRandom).await.unwrap();
    assert!(deliver().await);
    assert_eq!(world.store.undelivered(entry.id).await.unwrap(), None);
    assert_eq!(world.store.claim_notice(&ended.id, seconds(10_000)).await.unwrap(), Claim::Sent);
    let batch = world.prepare_batch(1).await.unwrap();
    assert_eq!(batch.news, std::slice::from_ref(&entry));
    world.complete(&batch).await;
    // A concurrent repeat writes nothing.
    assert!(!deliver().await);
    assert!(!world.has_news().await);
}
