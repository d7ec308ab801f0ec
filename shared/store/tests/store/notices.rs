//! What makes notices reach people once, in a real DynamoDB: claims, digests, counts.

use crate::support::{World, address, community, now};
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Actor, Cause, Change, Entry};
use membermail_core::member::{self, MemberId};
use membermail_core::message::Failure;
use membermail_core::notice::{Heard, NoticeId};
use membermail_core::random::OsRandom;
use membermail_store::{Claim, Ended, StoreError};

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn entry(name: &str) -> Entry {
    let change = Change::Alias {
        member: MemberId::new(now(), &OsRandom),
        address: address(&format!("{name}@ubuntu.com")),
        before: None,
        after: Status::Active,
        reason: Reason::Eligible,
        until: None,
        renamed_from: None,
    };
    let cause = Cause { actor: Actor::Sync, by: None, request_id: "request-1", now: now() };
    Entry::new(change, cause, &OsRandom)
}

#[tokio::test]
async fn notice_is_claimed_once() {
    let world = World::new("claims-of-notices").await;
    let id = NoticeId::of_failure("1");
    let claim = || world.store.claim_notice(&id, now());
    let (a, b, c, d) = tokio::join!(claim(), claim(), claim(), claim());
    let mine = [a, b, c, d].into_iter().filter(|claim| *claim.as_ref().unwrap() == Claim::Mine).count();
    assert_eq!(mine, 1);
    // A sender that died is waited for no longer than a function can run.
    assert_eq!(world.store.claim_notice(&id, later(89)).await.unwrap(), Claim::Busy);
    assert_eq!(world.store.claim_notice(&id, later(91)).await.unwrap(), Claim::Mine);
    world.store.release_notice(&id).await.unwrap();
    assert_eq!(world.store.claim_notice(&id, later(92)).await.unwrap(), Claim::Mine);
    world.store.settle_notice(&Ended { id: id.clone(), is_sent: true }, later(93)).await.unwrap();
    assert_eq!(world.store.claim_notice(&id, later(10_000)).await.unwrap(), Claim::Sent);
    let refused = NoticeId::of_failure("2");
    world.store.settle_notice(&Ended { id: refused.clone(), is_sent: false }, now()).await.unwrap();
    assert_eq!(world.store.claim_notice(&refused, later(10_000)).await.unwrap(), Claim::Refused);
}

#[tokio::test]
async fn digest_stays_as_begun_until_told() {
    let world = World::new("digests").await;
    let domain: &DomainName = &community()[0];
    let new = || member::ulid(now(), &OsRandom);
    assert!(world.store.digest(domain, new()).await.unwrap().is_none());
    let (one, two) = (entry("one"), entry("two"));
    for _ in 0..2 {
        world.store.gather(domain, &one).await.unwrap();
    }
    let first = world.store.digest(domain, new()).await.unwrap().unwrap();
    world.store.gather(domain, &two).await.unwrap();
    let again = world.store.digest(domain, new()).await.unwrap().unwrap();
    assert_eq!((&again, &again.news), (&first, &vec![one]));
    world.store.digest_told(domain, &first).await.unwrap();
    let next = world.store.digest(domain, new()).await.unwrap().unwrap();
    assert_eq!(next.news, [two]);
    assert_ne!(next.id, first.id);
    // A late repeat of the first takes nothing of the next.
    world.store.digest_told(domain, &first).await.unwrap();
    assert_eq!(world.store.digest(domain, new()).await.unwrap(), Some(next.clone()));
    world.store.digest_told(domain, &next).await.unwrap();
    assert!(!world.store.has_news(domain).await.unwrap());
}

#[tokio::test]
async fn concurrent_digests_are_the_same() {
    let world = World::new("digests-at-once").await;
    let domain: &DomainName = &community()[0];
    for name in ["one", "two", "three"] {
        world.store.gather(domain, &entry(name)).await.unwrap();
    }
    let begin = async || loop {
        match world.store.digest(domain, member::ulid(now(), &OsRandom)).await {
            Err(StoreError::Conflict) => {}
            done => return done.unwrap(),
        }
    };
    let (one, two) = tokio::join!(begin(), begin());
    assert_eq!(one, two);
    assert_eq!(one.unwrap().news.len(), 3);
}

#[tokio::test]
async fn digest_is_claimed_once_until_due() {
    let world = World::new("due").await;
    let domain: &DomainName = &community()[0];
    let claim = |at| world.store.claim_digest(domain, later(at), later(at + 60));
    let (a, b, c, d) = tokio::join!(claim(0), claim(0), claim(0), claim(0));
    let claimed = [a, b, c, d].into_iter().filter(|claimed| *claimed.as_ref().unwrap()).count();
    assert_eq!(claimed, 1);
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
    let domain: &DomainName = &community()[0];
    let cause = Cause { actor: Actor::Operator, by: Some("olivia"), request_id: "request-1", now: now() };
    world.store.unverify_domain(domain, cause, &OsRandom).await.unwrap();
    let entry = world.store.undelivered_before(Timestamp::MAX, 10).await.unwrap().pop().unwrap();
    let ended = Ended { id: NoticeId::to_member(entry.id), is_sent: true };
    let deliver = || world.store.mark_delivered(&entry, Some(&ended), Some(domain), now(), &OsRandom);
    assert!(deliver().await.unwrap());
    assert_eq!(world.store.undelivered(entry.id).await.unwrap(), None);
    assert_eq!(world.store.claim_notice(&ended.id, later(10_000)).await.unwrap(), Claim::Sent);
    let batch = world.store.digest(domain, member::ulid(now(), &OsRandom)).await.unwrap().unwrap();
    assert_eq!(batch.news, std::slice::from_ref(&entry));
    world.store.digest_told(domain, &batch).await.unwrap();
    // A repeat that began before writes nothing.
    assert!(!deliver().await.unwrap());
    assert!(!world.store.has_news(domain).await.unwrap());
}

#[tokio::test]
async fn concurrent_reports_are_mailed_or_counted() {
    let world = World::new("failures").await;
    let failure = |id: usize, member| Failure {
        id: id.to_string(),
        member,
        step: "verify-member".into(),
        error: "the table".into(),
        cause: "the table: throttled".into(),
        request_id: "request-1".into(),
    };
    let alice = Some(MemberId::new(now(), &OsRandom));
    let interval = SignedDuration::from_hours(24);
    let hear = async |id, member, at| world.store.hear(&failure(id, member), true, at, &OsRandom).await.unwrap();
    assert_eq!(hear(0, alice, now()).await, Heard::Mail { counted: 0 });
    assert_eq!(hear(1, alice, now()).await, Heard::Busy);
    world.store.heard(&failure(0, alice), Some((0, interval)), now(), &OsRandom).await.unwrap();
    let heard = async |id| loop {
        match world.store.hear(&failure(id, alice), true, later(1), &OsRandom).await {
            Err(StoreError::Conflict) => {}
            done => return done.unwrap(),
        }
    };
    let all = tokio::join!(heard(1), heard(2), heard(3), heard(1));
    let all = [all.0, all.1, all.2, all.3];
    assert_eq!(all.iter().filter(|heard| **heard == Heard::Counted).count(), 3, "{all:?}");
    // Without a member it is another error.
    assert_eq!(hear(9, None, later(1)).await, Heard::Mail { counted: 0 });
    let tomorrow = now() + interval;
    assert_eq!(hear(4, alice, tomorrow).await, Heard::Mail { counted: 3 });
    // The mail did not go; the next report goes with the same count.
    world.store.heard(&failure(4, alice), None, tomorrow, &OsRandom).await.unwrap();
    assert_eq!(hear(5, alice, tomorrow).await, Heard::Mail { counted: 3 });
}
