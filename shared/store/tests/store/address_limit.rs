//! The address limit: a member has a few addresses in a domain, however often they are renamed.

use membermail_core::alias::Refusal;
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_store::Grant;

use crate::support::{World, community, now, operator};

impl World {
    async fn limit(&self, member: MemberId, limit: Option<u16>) {
        self.store.limit_addresses(member, &community()[0], limit, operator(now()), &OsRandom).await.unwrap();
    }
}

fn is_created(grant: &Grant) -> bool {
    matches!(grant, Grant::Created { .. })
}

#[tokio::test]
async fn renames_give_three_addresses() {
    let world = World::new("renames").await;
    let alice = world.member("alice", "alice@mail.example").await;
    let mut created = 0;
    for number in 1..=49 {
        match world.grant(&alice, &format!("alice{number}@ubuntu.com")).await {
            Grant::Created { .. } => created += 1,
            grant => assert_eq!(grant, Grant::Refused(Refusal::TooMany)),
        }
    }
    assert_eq!((created, world.store.aliases_of(alice.id).await.unwrap().len()), (3, 3));
    let bob = world.member("bob", "bob@mail.example").await;
    assert!(is_created(&world.grant(&bob, "alice49@ubuntu.com").await), "the other names stay free");
    assert_eq!(world.grant(&alice, "alice2@ubuntu.com").await, Grant::Unchanged);
}

#[tokio::test]
async fn operator_raises_limit_of_a_member() {
    let world = World::new("raised").await;
    let alice = world.member("alice", "alice@mail.example").await;
    world.limit(alice.id, Some(1)).await;
    assert!(is_created(&world.grant(&alice, "alice1@ubuntu.com").await));
    assert_eq!(world.grant(&alice, "alice2@ubuntu.com").await, Grant::Refused(Refusal::TooMany));
    world.limit(alice.id, Some(5)).await;
    for number in 2..=5 {
        assert!(is_created(&world.grant(&alice, &format!("alice{number}@ubuntu.com")).await));
    }
    assert_eq!(world.grant(&alice, "alice6@ubuntu.com").await, Grant::Refused(Refusal::TooMany));
    world.limit(alice.id, None).await;
    assert_eq!(world.grant(&alice, "alice6@ubuntu.com").await, Grant::Refused(Refusal::TooMany));
}

#[tokio::test]
async fn limit_counts_each_domain() {
    let world = World::new("each-domain").await;
    world.store.verify_domain(&community()[1], operator(now()), &OsRandom).await.unwrap();
    let alice = world.member("alice", "alice@mail.example").await;
    for number in 1..=3 {
        assert!(is_created(&world.grant(&alice, &format!("alice{number}@ubuntu.com")).await));
    }
    assert!(is_created(&world.grant(&alice, "alice1@kubuntu.org").await));
}

#[tokio::test]
async fn refused_grant_counts_nothing() {
    let world = World::new("counts-nothing").await;
    let alice = world.member("alice", "alice@mail.example").await;
    for number in 1..=5 {
        let refused = world.grant(&alice, &format!("alice{number}@kubuntu.org")).await;
        assert_eq!(refused, Grant::Refused(Refusal::DomainNotVerified));
    }
    world.store.verify_domain(&community()[1], operator(now()), &OsRandom).await.unwrap();
    assert!(is_created(&world.grant(&alice, "alice1@kubuntu.org").await));
}

#[tokio::test]
async fn concurrent_grants_do_not_exceed_limit() {
    let world = World::new("concurrent-limit").await;
    let alice = world.member("alice", "alice@mail.example").await;
    let grant = async |number: u32| {
        let address = format!("alice{number}@ubuntu.com");
        // As the queue does: again while it may help.
        for _ in 0..20 {
            let known_as = crate::support::observed("alice", now());
            let asked = membermail_store::Asked {
                address: &crate::support::address(&address),
                existing: None,
                known_as: &known_as,
                renamed_from: None,
                limit: 3,
            };
            let sealer = &world.sealer;
            let granted = world.store.grant(sealer, &alice, asked, &community(), operator(now()), &OsRandom).await;
            match granted {
                Err(error) if error.is_retryable() => {}
                granted => return granted.unwrap(),
            }
        }
        panic!("conflicts without end")
    };
    let all = tokio::join!(grant(1), grant(2), grant(3), grant(4), grant(5), grant(6));
    let all = [all.0, all.1, all.2, all.3, all.4, all.5];
    assert_eq!(all.iter().filter(|grant| is_created(grant)).count(), 3, "{all:?}");
    assert_eq!(world.store.aliases_of(alice.id).await.unwrap().len(), 3);
}
