//! Admins: members bound by id or by an identity of the community file, who can act now.

use membermail_core::community::Domain;
use membermail_core::eligibility::{Account, Observation, Person};
use membermail_core::member::{ClaimedIdentifier, MemberId};
use membermail_core::random::OsRandom;
use membermail_store::Erasure;

use crate::support::{World, community, days, identity, minutes, now, observation, operator};

fn domain(identities: &[&str]) -> Domain {
    let subject = |word: &&str| -> ClaimedIdentifier { identity(word).subject };
    Domain {
        domain: community()[0].clone(),
        team: "ubuntumembers".parse().unwrap(),
        team_created: None,
        admins: vec!["alice".parse().unwrap()],
        admin_identities: identities.iter().map(subject).collect(),
    }
}

impl World {
    async fn bind(&self, member: MemberId) -> bool {
        self.store.bind_admin(&community()[0], member, operator(now()), &OsRandom).await.unwrap()
    }

    async fn admins(&self, identities: &[&str]) -> Vec<MemberId> {
        let admins = self.store.admins(&domain(identities), &identity("any").issuer).await.unwrap();
        admins.into_iter().map(|admin| admin.id).collect()
    }

    /// A bound admin called alice who can act.
    async fn with_admin(name: &str) -> (Self, MemberId) {
        let world = Self::new(name).await;
        let alice = world.resident("alice").await.0.id;
        assert!(world.bind(alice).await);
        assert_eq!(world.admins(&[]).await, [alice]);
        (world, alice)
    }

    async fn end_alias(&self, name: &str) {
        let address = crate::support::address(&format!("{name}@ubuntu.com"));
        let alias = self.store.alias(&address).await.unwrap().unwrap().alias;
        self.suspended(&alias).await;
    }
}

#[tokio::test]
async fn admin_is_bound_and_unbound_once() {
    let (world, alice) = World::with_admin("binding").await;
    assert!(!world.bind(alice).await);
    let [binding] = &world.store.admin_bindings(&community()[0]).await.unwrap()[..] else { panic!("not one") };
    assert_eq!((binding.member, binding.since, binding.by.as_deref()), (alice, now(), Some("olivia")));
    let ubuntu = &community()[0];
    let unbind = || world.store.unbind_admin(ubuntu, alice, operator(now()), &OsRandom);
    assert!(unbind().await.unwrap() && !unbind().await.unwrap());
    assert!(world.admins(&[]).await.is_empty());
}

#[tokio::test]
async fn admin_needs_a_valid_account() {
    let (world, alice) = World::with_admin("valid").await;
    let seen = observation("alice", minutes(1));
    let suspended =
        Observation { person: Person { account: Account::Suspended, ..seen.person.clone() }, ..seen.clone() };
    world.observe(alice, &suspended).await;
    assert!(world.admins(&[]).await.is_empty());
    let unsigned = Person { signed_code_of_conduct: false, ..seen.person };
    world.observe(alice, &Observation { person: unsigned, observed_at: minutes(2) }).await;
    assert!(world.admins(&[]).await.is_empty());
    world.observe(alice, &observation("alice", minutes(3))).await;
    assert_eq!(world.admins(&[]).await, [alice]);
}

#[tokio::test]
async fn admin_needs_an_observation() {
    let world = World::new("unobserved").await;
    let alice = world.member("alice", "alice@mail.example").await;
    world.grant(&alice, "alice@ubuntu.com").await;
    world.bind(alice.id).await;
    assert!(world.admins(&[]).await.is_empty());
}

#[tokio::test]
async fn banned_admin_cannot_act() {
    let (world, alice) = World::with_admin("banned-admin").await;
    world.store.ban(alice, operator(now()), &OsRandom).await.unwrap();
    assert!(world.admins(&[]).await.is_empty());
}

#[tokio::test]
async fn admin_needs_an_active_address() {
    let (world, _) = World::with_admin("no-address").await;
    world.end_alias("alice").await;
    assert!(world.admins(&[]).await.is_empty());
}

#[tokio::test]
async fn shredded_admin_cannot_act() {
    let world = World::new("shredded-admin").await;
    let alice = world.named("alice", "alice").await.id;
    world.bind(alice).await;
    assert_eq!(world.store.shred(alice, operator(days(2)), &OsRandom).await.unwrap(), Erasure::Done);
    // A grant of a moment ago can leave an active address.
    let bob = world.resident("bob").await.0.id;
    let (alice_now, bob_now) = (world.read(alice).await, world.read(bob).await);
    world.store.link(&alice_now, &bob_now, operator(now()), &OsRandom).await.unwrap();
    assert!(world.admins(&[]).await.is_empty());
}

#[tokio::test]
async fn identity_of_the_file_binds() {
    let (world, alice) = World::with_admin("file").await;
    let bob = world.resident("bob").await.0.id;
    assert_eq!(world.admins(&["bob", "unknown"]).await, [alice, bob]);
    assert_eq!(world.admins(&["alice"]).await, [alice], "each admin once");
    let admins = world.store.admins(&domain(&["bob"]), "https://another.example/").await.unwrap();
    assert_eq!(admins.len(), 1, "an identity of another provider is another one");
}

#[tokio::test]
async fn merged_admin_acts_as_survivor() {
    let (world, alice) = World::with_admin("merged-admin").await;
    let bob = world.named("bob", "bob").await.id;
    let (survivor, other) = (world.read(bob).await, world.read(alice).await);
    world.store.link(&survivor, &other, operator(now()), &OsRandom).await.unwrap();
    assert_eq!(world.admins(&[]).await, [bob], "by the address of the linked member");
    assert_eq!(world.admins(&["alice", "bob"]).await, [bob]);
}

#[tokio::test]
async fn outsider_with_freed_name_is_no_admin() {
    let (world, alice) = World::with_admin("freed-name").await;
    world.observe(alice, &observation("alina", minutes(1))).await;
    let outsider = world.member("outsider", "outsider@mail.example").await.id;
    world.take_name(outsider, &observation("alice", minutes(2)), Some(alice)).await;
    world.grant(&world.read(outsider).await, "outsider@ubuntu.com").await;
    assert_eq!(world.store.member_by_name(&crate::support::name("alice")).await.unwrap().unwrap().id, outsider);
    assert_eq!(world.admins(&[]).await, [alice]);
}
