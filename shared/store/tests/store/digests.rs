//! What is gathered for a domain's admins and what one digest takes, in a real DynamoDB.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Actor, Cause, Change, Entry};
use membermail_core::digest::Tally;
use membermail_core::member::{self, MemberId};
use membermail_core::notice::NoticeId;
use membermail_core::random::OsRandom;
use membermail_store::{Batch, Claim, Ended, Gathered, StoreError};
use ulid::Ulid;

use crate::support::{World, address, community, now, operator};

/// Named changes of a digest at most.
const NAMED: usize = 99;

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn domain() -> DomainName {
    community()[0].clone()
}

fn entry(name: &str, at: Timestamp) -> Entry {
    let (before, after) =
        if name.starts_with("off") { (Some(Status::Leaving), Status::Suspended) } else { (None, Status::Active) };
    let change = Change::Alias {
        member: MemberId::new(now(), &OsRandom),
        address: address(&format!("{name}@ubuntu.com")),
        before,
        after,
        reason: Reason::NotInTeam,
        until: None,
        renamed_from: None,
    };
    let cause = Cause { actor: Actor::Sync, by: None, request_id: "request-1", now: at };
    Entry::new(change, cause, &OsRandom)
}

fn new() -> Ulid {
    member::ulid(later(60), &OsRandom)
}

impl World {
    async fn gather(&self, entries: &[Entry]) {
        for entry in entries {
            self.store.gather(&domain(), entry).await.unwrap();
        }
    }

    /// The next digest, by as many calls as it takes.
    async fn batch(&self, steps: usize) -> Option<Batch> {
        for _ in 0..100 {
            match self.store.digest(&domain(), new(), steps).await {
                Ok(Gathered::Nothing) => return None,
                Ok(Gathered::All(batch)) => return Some(batch),
                Ok(Gathered::Unfinished) | Err(StoreError::Conflict) => {}
                Err(cause) => panic!("{cause}"),
            }
        }
        panic!("no end")
    }

    async fn told(&self, batch: &Batch) {
        self.store.digest_told(&domain(), batch).await.unwrap();
    }

    async fn has_news(&self) -> bool {
        self.store.has_news(&domain()).await.unwrap()
    }
}

#[tokio::test]
async fn digest_stays_as_begun_until_told() {
    let world = World::new("digests").await;
    assert_eq!(world.batch(1).await, None);
    let (one, two) = (entry("one", now()), entry("two", now()));
    world.gather(&[one.clone(), one.clone()]).await;
    let first = world.batch(1).await.unwrap();
    world.gather(std::slice::from_ref(&two)).await;
    let again = world.batch(1).await.unwrap();
    assert_eq!((&again, &again.news), (&first, &vec![one]));
    world.told(&first).await;
    let next = world.batch(1).await.unwrap();
    assert_eq!(next.news, [two]);
    assert_ne!(next.id, first.id);
    // A late repeat of the first takes nothing of the next.
    world.told(&first).await;
    assert_eq!(world.batch(1).await, Some(next.clone()));
    world.told(&next).await;
    assert!(!world.has_news().await);
}

#[tokio::test]
async fn concurrent_digests_are_the_same() {
    let world = World::new("digests-at-once").await;
    world.gather(&["one", "two", "three"].map(|name| entry(name, now()))).await;
    let (one, two) = tokio::join!(world.batch(1), world.batch(1));
    assert_eq!(one, two);
    assert_eq!(one.unwrap().news.len(), 3);
}

#[tokio::test]
async fn large_digest_counts_each_change_once() {
    let world = World::new("digests-large").await;
    let entries: Vec<_> = (0..250)
        .map(|place| entry(&format!("{}{place}", if place % 5 == 0 { "off" } else { "new" }), later(place / 10)))
        .collect();
    world.gather(&entries).await;
    // Two functions at it at once, a page a call.
    let (one, two) = tokio::join!(world.batch(1), world.batch(1));
    assert_eq!(one, two);
    let batch = one.unwrap();
    assert_eq!(batch.news.len(), NAMED);
    assert_eq!(batch.others.total(), 250 - 99);
    assert_eq!(Tally::of_entries(&batch.news).plus(batch.others), Tally::of_entries(&entries));
    // What comes meanwhile is in the next one.
    let late = entry("late", now());
    world.gather(std::slice::from_ref(&late)).await;
    assert_eq!(world.batch(1).await, Some(batch.clone()));
    world.told(&batch).await;
    let next = world.batch(1).await.unwrap();
    assert_eq!((next.news.as_slice(), next.others), ([late].as_slice(), Tally::default()));
    world.told(&next).await;
    assert!(!world.has_news().await);
}

#[tokio::test]
async fn digest_is_bounded_while_changes_come() {
    let world = World::new("digests-flood").await;
    let at = |count, at| (0..count).map(|place| entry(&format!("n{place}"), at)).collect::<Vec<_>>();
    world.gather(&at(120, now())).await;
    assert_eq!(world.store.digest(&domain(), new(), 0).await.unwrap(), Gathered::Unfinished);
    // Changes from after the digest was begun are not counted into it.
    world.gather(&at(30, later(120))).await;
    let batch = world.batch(1).await.unwrap();
    assert_eq!(batch.others.total(), 120 - 99);
    world.told(&batch).await;
    assert_eq!(world.batch(1).await.unwrap().news.len(), 30);
}

#[tokio::test]
async fn old_changes_leave_in_steps() {
    let world = World::new("digests-old").await;
    let at = |count, at| (0..count).map(|place| entry(&format!("n{place}"), at)).collect::<Vec<_>>();
    world.gather(&at(150, later(-100))).await;
    world.gather(&at(2, now())).await;
    let drop = async |steps| world.store.drop_news_before(&domain(), later(-50), steps).await.unwrap();
    assert_eq!((drop(1).await, drop(2).await, drop(1).await), ((99, false), (51, true), (0, true)));
    assert_eq!(world.batch(1).await.unwrap().news.len(), 2);
}

#[tokio::test]
async fn digest_of_release_before_is_finished() {
    let world = World::new("digests-before").await;
    let entries: Vec<_> = (0..230).map(|place| entry(&format!("n{place}"), now())).collect();
    world.gather(&entries).await;
    // It named up to a thousand.
    let ids = entries.iter().map(|entry| AttributeValue::S(entry.id.to_string())).collect();
    let put = world.client.put_item().table_name(&world.table);
    let put = put.item("pk", AttributeValue::S(format!("DIGEST#{}", domain())));
    let put = put.item("sk", AttributeValue::S("BATCH".into())).item("entries", AttributeValue::L(ids));
    put.item("id", AttributeValue::S(new().to_string())).send().await.unwrap();
    let batch = world.batch(1).await.unwrap();
    assert_eq!((batch.news.len(), batch.others), (230, Tally::default()));
    world.told(&batch).await;
    assert!(!world.has_news().await);
}

#[tokio::test]
async fn digest_is_claimed_once_until_due() {
    let world = World::new("due").await;
    let domain = &domain();
    let claim = |at| world.store.claim_digest(domain, later(at), later(at + 60));
    let (a, b, c, d) = tokio::join!(claim(0), claim(0), claim(0), claim(0));
    let claimed = [a, b, c, d].into_iter().filter(|claimed| *claimed.as_ref().unwrap()).count();
    assert_eq!(claimed, 1);
    assert!(!world.has_news().await, "a message is no change");
    assert!(!claim(59).await.unwrap());
    assert!(claim(60).await.unwrap());
    world.store.release_digest(domain).await.unwrap();
    assert!(claim(61).await.unwrap());
    // A digest that failed is tried for longer.
    world.store.digest_due(domain, later(600)).await.unwrap();
    assert!(!claim(599).await.unwrap());
}

#[tokio::test]
async fn delivered_change_is_gathered_once() {
    let world = World::new("delivered").await;
    world.store.unverify_domain(&domain(), operator(now()), &OsRandom).await.unwrap();
    let entry = world.store.undelivered_before(Timestamp::MAX, 10).await.unwrap().pop().unwrap();
    let (ended, domain) = (Ended { id: NoticeId::to_member(entry.id), is_sent: true }, domain());
    let deliver = || world.store.mark_delivered(&entry, Some(&ended), Some(&domain), now(), &OsRandom);
    assert!(deliver().await.unwrap());
    assert_eq!(world.store.undelivered(entry.id).await.unwrap(), None);
    assert_eq!(world.store.claim_notice(&ended.id, later(10_000)).await.unwrap(), Claim::Sent);
    let batch = world.batch(1).await.unwrap();
    assert_eq!(batch.news, std::slice::from_ref(&entry));
    world.told(&batch).await;
    // A repeat that began before writes nothing.
    assert!(!deliver().await.unwrap());
    assert!(!world.has_news().await);
}
