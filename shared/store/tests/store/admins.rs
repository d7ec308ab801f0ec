//! Admins of a domain: members bound by id or by an identity in the community file.

use membermail_core::admin::{Permission, Permissions};
use membermail_core::audit::{AdminChange, Change};
use membermail_core::community::Domain;
use membermail_core::eligibility::Account;
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_store::{AdminBinding, Erasure, StoreError};

use crate::support::{World, days, identity, minutes, name, now, observation, operator, ubuntu};

fn domain(identities: &[&str]) -> Domain {
    Domain {
        domain: ubuntu(),
        team: "ubuntumembers".parse().unwrap(),
        team_created: None,
        group_id: None,
        admins: vec!["alice".parse().unwrap()],
        admin_identities: identities.iter().map(|word| identity(word).subject).collect(),
    }
}

impl World {
    async fn bind(&self, member: MemberId) -> bool {
        self.store
            .bind_admin(&ubuntu(), member, Permissions::all(), operator(now()), &OsRandom)
            .await
            .unwrap()
            .is_some()
    }

    async fn admins(&self, identities: &[&str]) -> Vec<MemberId> {
        let admins = self.store.admins(&domain(identities), &identity("any").issuer).await.unwrap();
        admins.into_iter().map(|admin| admin.id).collect()
    }

    /// A world with the bound admin alice, who can act.
    async fn with_admin() -> (Self, MemberId) {
        let world = Self::new().await;
        let alice = world.resident("alice").await.0.id;
        assert!(world.bind(alice).await);
        assert_eq!(world.admins(&[]).await, [alice]);
        (world, alice)
    }
}

#[tokio::test]
async fn admin_is_bound_and_unbound_once() {
    let (world, alice) = World::with_admin().await;
    assert!(!world.bind(alice).await);
    let [binding] = &world.store.admin_bindings(&ubuntu()).await.unwrap()[..] else { panic!("not one") };
    assert_eq!((binding.member, binding.since, binding.by.as_deref()), (alice, now(), Some("olivia")));
    let unbind = async || world.store.unbind_admin(&ubuntu(), alice, None, operator(now()), &OsRandom).await.unwrap();
    assert!(unbind().await.is_some() && unbind().await.is_none());
    assert!(world.admins(&[]).await.is_empty());
}

#[tokio::test]
async fn admin_needs_valid_account() {
    let (world, alice) = World::with_admin().await;
    let mut seen = observation("alice", minutes(1));
    seen.person.account = Account::Suspended;
    world.observe(alice, &seen).await;
    assert!(world.admins(&[]).await.is_empty());
    let mut seen = observation("alice", minutes(2));
    seen.person.signed_code_of_conduct = false;
    world.observe(alice, &seen).await;
    assert!(world.admins(&[]).await.is_empty());
    world.observe(alice, &observation("alice", minutes(3))).await;
    assert_eq!(world.admins(&[]).await, [alice]);
}

#[tokio::test]
async fn admin_needs_observation() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    world.grant(&alice, "alice@ubuntu.com").await;
    world.bind(alice.id).await;
    assert!(world.admins(&[]).await.is_empty());
}

#[tokio::test]
async fn banned_admin_cannot_act() {
    let (world, alice) = World::with_admin().await;
    world.store.ban(alice, operator(now()), &OsRandom).await.unwrap();
    assert!(world.admins(&[]).await.is_empty());
}

#[tokio::test]
async fn admin_needs_active_address() {
    let (world, _) = World::with_admin().await;
    world.suspended(&world.alias("alice@ubuntu.com").await).await;
    assert!(world.admins(&[]).await.is_empty());
}

#[tokio::test]
async fn erased_admin_cannot_act() {
    let world = World::new().await;
    let alice = world.named("alice", "alice").await.id;
    world.bind(alice).await;
    assert_eq!(world.store.erase(alice, operator(days(2)), &OsRandom).await.unwrap(), Erasure::Done);
    // A concurrent grant can leave an active address.
    let bob = world.resident("bob").await.0.id;
    world.link_ids(alice, bob).await;
    assert!(world.admins(&[]).await.is_empty());
}

#[tokio::test]
async fn identity_in_file_binds_admin() {
    let (world, alice) = World::with_admin().await;
    let bob = world.resident("bob").await.0.id;
    assert_eq!(world.admins(&["bob", "unknown"]).await, [alice, bob]);
    assert_eq!(world.admins(&["alice"]).await, [alice], "each admin is listed once");
    let admins = world.store.admins(&domain(&["bob"]), "https://another.example/").await.unwrap();
    assert_eq!(admins.len(), 1, "the provider is part of the identity");
}

#[tokio::test]
async fn merged_admin_acts_as_survivor() {
    let (world, alice) = World::with_admin().await;
    let bob = world.named("bob", "bob").await.id;
    world.link_ids(bob, alice).await;
    assert_eq!(world.admins(&[]).await, [bob], "the linked member's address counts");
    assert_eq!(world.admins(&["alice", "bob"]).await, [bob]);
}

#[tokio::test]
async fn reused_name_makes_no_admin() {
    let (world, alice) = World::with_admin().await;
    world.observe(alice, &observation("alina", minutes(1))).await;
    let outsider = world.member("outsider", "outsider@mail.example").await.id;
    world.claim_name(outsider, &observation("alice", minutes(2)), Some(alice)).await;
    world.grant(&world.read(outsider).await, "outsider@ubuntu.com").await;
    assert_eq!(world.store.member_by_name(&name("alice")).await.unwrap().unwrap().id, outsider);
    assert_eq!(world.admins(&[]).await, [alice]);
}

#[tokio::test]
async fn permissions_change_as_read_only() {
    let (world, alice) = World::with_admin().await;
    let [all, some] = [Permissions::all(), [Permission::Decide].into_iter().collect()];
    let change = async |before, after| {
        let cause = operator(minutes(1));
        let domain = ubuntu();
        let change = world.store.change_permissions(&domain, alice, [before, after], None, cause, &OsRandom);
        change.await.unwrap().is_some()
    };
    assert!(!change(some, all).await, "changed from what it never was");
    assert!(change(all, some).await);
    assert!(!change(all, some).await, "changed twice");
    let binding = world.store.admin_binding(&ubuntu(), alice).await.unwrap().unwrap();
    assert_eq!((binding.permissions, binding.since), (some, now()));
    let entries = world.store.history_of(alice, 1).await.unwrap();
    let Change::Admin { did, permissions, .. } = &entries[0].change else { panic!("{entries:?}") };
    assert_eq!((*did, *permissions), (AdminChange::Changed, Some(some)));
    world.store.unbind_admin(&ubuntu(), alice, None, operator(now()), &OsRandom).await.unwrap();
    assert!(!change(some, all).await, "a removed admin came back");
}

#[tokio::test]
async fn binding_that_has_to_stay_is_kept() {
    let (world, alice) = World::with_admin().await;
    let bob = world.resident("bob").await.0.id;
    assert!(world.bind(bob).await);
    let stays = async |member| world.store.admin_binding(&ubuntu(), member).await.unwrap().unwrap();
    let (of_alice, of_bob) = (stays(alice).await, stays(bob).await);
    let unbind = async |member, stays: AdminBinding| {
        world.store.unbind_admin(&ubuntu(), member, Some(&stays), operator(minutes(1)), &OsRandom).await
    };
    let both = tokio::join!(unbind(alice, of_bob.clone()), unbind(bob, of_alice.clone()));
    let is_done = |result: &Result<_, _>| matches!(result, Ok(Some(_)));
    assert!(is_done(&both.0) != is_done(&both.1), "{both:?}");
    let (left, gone) = if is_done(&both.0) { (bob, of_alice) } else { (alice, of_bob) };
    assert!(matches!(unbind(left, gone.clone()).await, Err(StoreError::Conflict)));
    let (domain, change) = (ubuntu(), [Permissions::all(), [Permission::Decide].into_iter().collect()]);
    let change = world.store.change_permissions(&domain, left, change, Some(&gone), operator(minutes(1)), &OsRandom);
    assert!(matches!(change.await, Err(StoreError::Conflict)));
    assert_eq!(world.admins(&[]).await, [left]);
}
