//! Names that the admins of a domain reserve.

use membermail_core::address::LocalPartError;
use membermail_core::alias::Refusal;
use membermail_core::audit::{Change, NameChange};
use membermail_core::random::OsRandom;
use membermail_core::reserved::ReservedName;
use membermail_store::{GrantOutcome, Reserved};

use crate::support::{World, days, minutes, now, operator, ubuntu};

fn council() -> ReservedName {
    ReservedName::parse("council").unwrap()
}

impl World {
    async fn reserve(&self, name: &ReservedName) -> Reserved {
        self.store.reserve_name(&ubuntu(), name, operator(now()), &OsRandom).await.unwrap()
    }

    async fn release(&self, name: &ReservedName) -> bool {
        self.store.release_name(&ubuntu(), name, operator(minutes(1)), &OsRandom).await.unwrap()
    }
}

#[tokio::test]
async fn name_is_reserved_and_released_once() {
    let world = World::new().await;
    assert_eq!(world.reserve(&council()).await, Reserved::Done);
    let again = world.reserve(&council()).await;
    let Reserved::Before(before) = again else { panic!("{again:?}") };
    assert_eq!((before.name, before.since, before.by.as_deref()), (council(), now(), Some("olivia")));
    assert_eq!(world.store.reserved_names(&ubuntu()).await.unwrap().len(), 1);
    assert!(world.release(&council()).await && !world.release(&council()).await);
    let log = world.store.audit(Some(&ubuntu()), "2026-11").await.unwrap();
    let changes: Vec<_> = log
        .iter()
        .filter_map(|entry| match &entry.change {
            Change::Name { name, did, .. } => Some((name.as_str(), *did)),
            _ => None,
        })
        .collect();
    assert_eq!(changes, [("council", NameChange::Reserved), ("council", NameChange::Released)]);
}

#[tokio::test]
async fn reserved_name_is_not_granted() {
    let world = World::new().await;
    let member = world.named("council", "council").await;
    world.reserve(&council()).await;
    let refused = GrantOutcome::Refused(Refusal::Name(LocalPartError::Reserved));
    assert_eq!(world.grant(&member, "council@ubuntu.com").await, refused);
    world.store.verify_domain(&"kubuntu.org".parse().unwrap(), operator(now()), &OsRandom).await.unwrap();
    let elsewhere = world.grant(&member, "council@kubuntu.org").await;
    assert!(matches!(elsewhere, GrantOutcome::Created { .. }), "another domain: {elsewhere:?}");
    world.release(&council()).await;
    assert!(matches!(world.grant(&member, "council@ubuntu.com").await, GrantOutcome::Created { .. }));
}

#[tokio::test]
async fn existing_address_outlives_reservation() {
    let world = World::new().await;
    let member = world.named("council", "council").await;
    world.grant(&member, "council@ubuntu.com").await;
    world.reserve(&council()).await;
    assert_eq!(world.grant(&member, "council@ubuntu.com").await, GrantOutcome::Unchanged);
    world.suspended(&world.alias("council@ubuntu.com").await).await;
    let restored = world.grant_at(&member, "council@ubuntu.com", days(15), days(15)).await;
    assert!(matches!(restored, GrantOutcome::Changed { .. }), "{restored:?}");
}

#[tokio::test]
async fn domain_has_limited_reservations() {
    let world = World::in_memory().await;
    for number in 0..ReservedName::MAX_PER_DOMAIN {
        let name = ReservedName::parse(&format!("name{number}")).unwrap();
        assert_eq!(world.reserve(&name).await, Reserved::Done);
    }
    assert_eq!(world.reserve(&council()).await, Reserved::TooMany);
    let first = ReservedName::parse("name0").unwrap();
    assert!(matches!(world.reserve(&first).await, Reserved::Before(_)));
}
