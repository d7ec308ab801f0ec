//! The limit of addresses per member and domain.

use futures_util::future::join_all;
use membermail_core::alias::Refusal;
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_store::GrantOutcome;

use crate::support::{World, kubuntu, now, operator, ubuntu};

impl World {
    async fn set_limit(&self, member: MemberId, limit: Option<u16>) {
        self.store.set_address_limit(member, &ubuntu(), limit, operator(now()), &OsRandom).await.unwrap();
    }
}

fn is_created(grant: &GrantOutcome) -> bool {
    matches!(grant, GrantOutcome::Created { .. })
}

#[tokio::test]
async fn renames_stop_at_address_limit() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let mut created = 0;
    for number in 1..=49 {
        match world.grant(&alice, &format!("alice{number}@ubuntu.com")).await {
            GrantOutcome::Created { .. } => created += 1,
            grant => assert_eq!(grant, GrantOutcome::Refused(Refusal::TooMany)),
        }
    }
    assert_eq!((created, world.store.aliases_of(alice.id).await.unwrap().len()), (3, 3));
    let bob = world.member("bob", "bob@mail.example").await;
    assert!(is_created(&world.grant(&bob, "alice49@ubuntu.com").await), "refused names are not reserved");
    assert_eq!(world.grant(&alice, "alice2@ubuntu.com").await, GrantOutcome::Unchanged);
}

#[tokio::test]
async fn operator_raises_member_limit() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    world.set_limit(alice.id, Some(1)).await;
    assert!(is_created(&world.grant(&alice, "alice1@ubuntu.com").await));
    assert_eq!(world.grant(&alice, "alice2@ubuntu.com").await, GrantOutcome::Refused(Refusal::TooMany));
    world.set_limit(alice.id, Some(5)).await;
    for number in 2..=5 {
        assert!(is_created(&world.grant(&alice, &format!("alice{number}@ubuntu.com")).await));
    }
    assert_eq!(world.grant(&alice, "alice6@ubuntu.com").await, GrantOutcome::Refused(Refusal::TooMany));
    world.set_limit(alice.id, None).await;
    assert_eq!(world.grant(&alice, "alice6@ubuntu.com").await, GrantOutcome::Refused(Refusal::TooMany));
}

#[tokio::test]
async fn limit_applies_per_domain() {
    let world = World::new().await;
    world.store.verify_domain(&kubuntu(), operator(now()), &OsRandom).await.unwrap();
    let alice = world.member("alice", "alice@mail.example").await;
    for number in 1..=3 {
        assert!(is_created(&world.grant(&alice, &format!("alice{number}@ubuntu.com")).await));
    }
    assert!(is_created(&world.grant(&alice, "alice1@kubuntu.org").await));
}

#[tokio::test]
async fn refused_grant_counts_nothing() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    for number in 1..=5 {
        let refused = world.grant(&alice, &format!("alice{number}@kubuntu.org")).await;
        assert_eq!(refused, GrantOutcome::Refused(Refusal::DomainNotVerified));
    }
    world.store.verify_domain(&kubuntu(), operator(now()), &OsRandom).await.unwrap();
    assert!(is_created(&world.grant(&alice, "alice1@kubuntu.org").await));
}

#[tokio::test]
async fn concurrent_grants_do_not_exceed_limit() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let grants = (1..=6).map(async |number| {
        let address = format!("alice{number}@ubuntu.com");
        // Retries conflicts, as the queue does.
        for _ in 0..20 {
            match world.try_grant(&world.store, &alice, None, &address, [now(); 2]).await {
                Err(error) if error.is_retryable() => {}
                granted => return granted.unwrap(),
            }
        }
        panic!("the conflict did not end")
    });
    let all = join_all(grants).await;
    assert_eq!(all.iter().filter(|grant| is_created(grant)).count(), 3, "{all:?}");
    assert_eq!(world.store.aliases_of(alice.id).await.unwrap().len(), 3);
}
