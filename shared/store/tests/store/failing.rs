//! Addresses whose destination rejects mail.

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use membermail_core::clock::later;
use membermail_core::random::OsRandom;
use membermail_store::FailureRecord;

use crate::support::{World, address, now, seconds, ubuntu};

async fn record(world: &World, of: &str, at: Timestamp) -> FailureRecord {
    world.store.record_failure(&address(of), &"5.1.1".parse().unwrap(), at, &OsRandom).await.unwrap()
}

#[tokio::test]
async fn concurrent_failures_count_once_each() {
    let world = World::new().await;
    let alice = world.named("alice", "alice").await;
    world.grant(&alice, "alice@ubuntu.com").await;
    // The same failure three times at once.
    let outcomes = join_all([60, 60, 60].map(|at| record(&world, "alice@ubuntu.com", seconds(at)))).await;
    let recorded = outcomes.iter().filter(|outcome| matches!(outcome, FailureRecord::Recorded(_)));
    assert_eq!(recorded.count(), 1, "{outcomes:?}");
    let FailureRecord::Recorded(failing) = record(&world, "alice@ubuntu.com", seconds(90)).await else { panic!() };
    assert_eq!((failing.count, failing.since, failing.last), (2, seconds(60), seconds(90)));
    // The index by member holds aliases only.
    assert_eq!(world.store.aliases_of(alice.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn failing_addresses_are_counted_by_domain() {
    let world = World::new().await;
    let alice = world.named("alice", "alice").await;
    world.grant(&alice, "alice@ubuntu.com").await;
    world.grant(&alice, "alice@kubuntu.org").await;
    assert_eq!(world.store.count_failing(&ubuntu(), now()).await.unwrap(), 0);
    for of in ["alice@ubuntu.com", "alice@kubuntu.org"] {
        record(&world, of, seconds(60)).await;
        record(&world, of, seconds(61)).await;
    }
    assert_eq!(world.store.count_failing(&ubuntu(), now()).await.unwrap(), 1);
    let two_weeks_later = later(seconds(61), SignedDuration::from_hours(14 * 24));
    assert_eq!(world.store.count_failing(&ubuntu(), two_weeks_later).await.unwrap(), 0);
}

#[tokio::test]
async fn later_failure_keeps_notice_due() {
    let world = World::new().await;
    let alice = world.named("alice", "alice").await;
    world.grant(&alice, "alice@ubuntu.com").await;
    record(&world, "alice@ubuntu.com", seconds(60)).await;
    record(&world, "alice@ubuntu.com", seconds(70)).await;
    let is_due = async || match record(&world, "alice@ubuntu.com", seconds(60)).await {
        FailureRecord::Known(failing) => failing.is_notice_due(seconds(100)),
        outcome => panic!("{outcome:?}"),
    };
    world.store.mark_failure_notified(&address("alice@ubuntu.com"), seconds(60), seconds(90)).await.unwrap();
    assert!(is_due().await, "the notice about an earlier failure was recorded");
    world.store.mark_failure_notified(&address("alice@ubuntu.com"), seconds(70), seconds(90)).await.unwrap();
    assert!(!is_due().await);
}

#[tokio::test]
async fn failing_addresses_are_listed_in_pages() {
    let world = World::new().await;
    for number in 0..3 {
        let name = format!("alice{number}");
        let address = format!("{name}@ubuntu.com");
        world.grant(&world.named(&name, &name).await, &address).await;
        record(&world, &address, seconds(60)).await;
    }
    let names = async |after: Option<&str>| {
        let after = after.map(|after| after.parse().unwrap());
        let page = world.store.failing_in(&ubuntu(), after.as_ref(), seconds(100)).await.unwrap();
        assert_eq!(page.next, None);
        page.addresses.into_iter().map(|one| one.address.local_part.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(None).await, ["alice0", "alice1", "alice2"]);
    assert_eq!(names(Some("alice0")).await, ["alice1", "alice2"]);
    assert_eq!(names(Some("zoe")).await, [""; 0]);
    // A suspended address gets no mail.
    world.suspended(&world.alias("alice1@ubuntu.com").await).await;
    assert_eq!(names(None).await, ["alice0", "alice2"]);
}
