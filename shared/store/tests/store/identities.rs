//! Several identities of one member, added and removed, also at the same moment.

use std::sync::Arc;

use membermail_core::audit::{Change, IdentityChange};
use membermail_core::email::EmailAddress;
use membermail_core::member::{Identity, MemberId, Subject};
use membermail_core::random::OsRandom;
use membermail_store::{
    AddIdentity, FirstDestination, GrantOutcome, Linked, MAX_IDENTITIES, Member, NewSession, RemoveIdentity, SignIn,
    Store,
};

use crate::support::{World, identity, minutes, name, now, operator};

/// The identity of that number at a provider with OpenID Connect.
pub(crate) fn gitlab(id: &str) -> Identity {
    Identity { issuer: "https://gitlab.example.org".into(), subject: Subject::parse(id).unwrap() }
}

async fn sign_in(store: &Store, world: &World, identity: &Identity, hash: &str) -> Member {
    let sign_in = SignIn {
        identity,
        address: &EmailAddress::parse("alice@mail.example").unwrap(),
        language: None,
        destination: FirstDestination::Confirmed,
        session: NewSession { hash, expires: minutes(60) },
    };
    store.sign_in(&world.sealer, sign_in, minutes(1), &OsRandom).await.unwrap()
}

async fn remove_seven(store: &Store, member: MemberId) {
    let current = store.member(member).await.unwrap().unwrap();
    let removed = store.remove_identity(&current, &gitlab("7"), "alice", operator(now()), &OsRandom).await.unwrap();
    assert!(matches!(removed, RemoveIdentity::Removed(_)), "{removed:?}");
}

impl World {
    async fn add(&self, member: &Member, identity: &Identity) -> AddIdentity {
        self.store.add_identity(member, identity, member.session_epoch, operator(minutes(1)), &OsRandom).await.unwrap()
    }

    async fn add_to(&self, member: MemberId, identity: &Identity) {
        let added = self.add(&self.read(member).await, identity).await;
        assert!(matches!(added, AddIdentity::Added(_)), "{added:?}");
    }

    async fn detach(&self, member: &Member, identity: &Identity, session: &str) -> RemoveIdentity {
        let cause = operator(minutes(2));
        self.store.remove_identity(member, identity, session, cause, &OsRandom).await.unwrap()
    }

    async fn remove_from(&self, member: MemberId, identity: &Identity, session: &str) {
        let removed = self.detach(&self.read(member).await, identity, session).await;
        assert!(matches!(removed, RemoveIdentity::Removed(_)), "{removed:?}");
    }

    /// Signs in a minute later.
    async fn again(&self, identity: &Identity, hash: &str) -> Member {
        sign_in(&self.store, self, identity, hash).await
    }

    async fn all_identities(&self, id: MemberId) -> Vec<Identity> {
        let own = self.store.identities_of(&self.read(id).await).await.unwrap();
        own.into_iter().map(|own| own.identity).collect()
    }

    async fn owner(&self, identity: &Identity) -> Option<MemberId> {
        self.store.owner_of(identity).await.unwrap()
    }

    /// A store that does `meanwhile` before its first transaction.
    fn overtaken<F>(&self, meanwhile: impl Fn(Store) -> F + Send + Sync + 'static) -> Store
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let store = self.store.clone();
        let meanwhile = Arc::new(meanwhile);
        self.store.intercept_writes(move |writes| {
            let (store, meanwhile) = (store.clone(), Arc::clone(&meanwhile));
            Box::pin(async move {
                if writes == 0 {
                    meanwhile(store).await;
                }
                true
            })
        })
    }
}

#[tokio::test]
async fn added_identity_leads_to_member() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let AddIdentity::Added(entry) = world.add(&alice, &gitlab("7")).await else { panic!("not added") };
    let listed = world.store.identities_of(&world.read(alice.id).await).await.unwrap();
    assert_eq!(listed.iter().map(|own| &own.identity).collect::<Vec<_>>(), [&identity("alice"), &gitlab("7")]);
    assert_eq!(listed.iter().map(|own| own.since).collect::<Vec<_>>(), [now(), minutes(1)]);
    assert_ne!(listed[0].handle(), listed[1].handle());
    let announced = world.store.undelivered(entry).await.unwrap().unwrap();
    let change = Change::Identity { member: alice.id, issuer: gitlab("7").issuer.clone(), did: IdentityChange::Added };
    assert_eq!(announced.change, change);
    assert_eq!(world.store.history_of(alice.id, 1).await.unwrap(), [announced]);
    let current = world.read(alice.id).await;
    assert_eq!(world.add(&current, &gitlab("7")).await, AddIdentity::AlreadyYours, "the callback arrives twice");
}

#[tokio::test]
async fn identity_of_another_is_not_added() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let bob = world.member("bob", "bob@mail.example").await;
    assert_eq!(world.add(&alice, &identity("bob")).await, AddIdentity::OwnedBy(bob.id));
    assert_eq!(world.owner(&identity("bob")).await, Some(bob.id));
}

#[tokio::test]
async fn stale_member_gets_no_identity() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let bob = world.member("bob", "bob@mail.example").await;
    world.store.end_all_sessions(&alice, operator(now()), &OsRandom).await.unwrap();
    assert_eq!(world.add(&alice, &gitlab("7")).await, AddIdentity::Changed, "the sessions ended meanwhile");
    let (id, seven) = (alice.id, gitlab("7"));
    let alice = world.read(id).await;
    let late = world.store.add_identity(&alice, &seven, alice.session_epoch - 1, operator(now()), &OsRandom).await;
    assert_eq!(late.unwrap(), AddIdentity::SessionsEnded, "they ended before");
    world.link_ids(bob.id, alice.id).await;
    assert_eq!(world.add(&alice, &gitlab("7")).await, AddIdentity::Changed, "linked since");
    let linked = world.read(alice.id).await;
    assert_eq!(world.add(&linked, &gitlab("7")).await, AddIdentity::Changed, "linked before");
    assert_eq!(world.owner(&gitlab("7")).await, None);
}

#[tokio::test]
async fn banned_or_erased_member_changes_nothing() {
    let world = World::new().await;
    for word in ["alice", "bob"] {
        let before = world.member(word, "alice@mail.example").await;
        world.add_to(before.id, &gitlab(word)).await;
        let before = world.read(before.id).await;
        if word == "alice" {
            world.store.ban(before.id, operator(now()), &OsRandom).await.unwrap();
        } else {
            world.store.erase_on_request(&before, operator(now()), &OsRandom).await.unwrap();
        }
        for member in [before.clone(), world.read(before.id).await] {
            assert_eq!(world.add(&member, &gitlab("7")).await, AddIdentity::Changed, "{word}");
            let removed = world.detach(&member, &gitlab(word), word).await;
            assert_eq!(removed, RemoveIdentity::Changed, "{word}");
        }
        assert_eq!(world.owner(&gitlab(word)).await, Some(before.id));
    }
    assert_eq!(world.owner(&gitlab("7")).await, None);
}

#[tokio::test]
async fn identities_of_a_member_are_limited() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    for id in 1..MAX_IDENTITIES {
        world.add_to(alice.id, &gitlab(&id.to_string())).await;
    }
    let alice = world.read(alice.id).await;
    assert_eq!(world.add(&alice, &gitlab("99")).await, AddIdentity::LimitReached);
    let bob = world.member("bob", "bob@mail.example").await;
    assert_eq!(world.add(&alice, &identity("bob")).await, AddIdentity::LimitReached, "of both together");
    assert_eq!(world.add(&bob, &identity("alice")).await, AddIdentity::LimitReached);
}

#[tokio::test]
async fn concurrent_adds_leave_one_owner() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let bob = world.member("bob", "bob@mail.example").await;
    let seven = gitlab("7");
    let adds = tokio::join!(world.add(&alice, &seven), world.add(&bob, &seven));
    let added = [adds.0, adds.1].into_iter().filter(|added| matches!(added, AddIdentity::Added(_))).count();
    assert_eq!(added, 1, "{adds:?}");
    let owner = world.owner(&seven).await.unwrap();
    let loser = if owner == alice.id { bob.id } else { alice.id };
    assert!(world.all_identities(owner).await.contains(&seven));
    assert!(!world.all_identities(loser).await.contains(&seven));
}

#[tokio::test]
async fn link_misses_no_added_identity() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let bob = world.member("bob", "bob@mail.example").await;
    world.add_to(alice.id, &gitlab("7")).await;
    let linked = world.store.link(&bob, &alice, operator(now()), &OsRandom).await.unwrap();
    assert_eq!(linked, Linked::Changed, "added after the read");
    world.link_ids(bob.id, alice.id).await;
    assert_eq!(world.owner(&gitlab("7")).await, Some(bob.id));
    let since = |own: Vec<membermail_store::OwnIdentity>| own.into_iter().map(|own| own.since).collect::<Vec<_>>();
    let own = world.store.identities_of(&world.read(bob.id).await).await.unwrap();
    assert_eq!(since(own), [now(), now(), minutes(1)], "a link keeps the times");
}

#[tokio::test]
async fn removed_identity_starts_without_rights() {
    let world = World::new().await;
    let (alice, alias) = world.resident("alice").await;
    world.add_to(alice.id, &gitlab("7")).await;
    world.remove_from(alice.id, &identity("alice"), "alice").await;
    assert_eq!(world.all_identities(alice.id).await, [gitlab("7")]);
    assert_eq!(world.owner(&identity("alice")).await, None);
    let stranger = world.member("alice", "other@mail.example").await;
    assert_ne!(stranger.id, alice.id);
    let outcome = world.grant(&stranger, "alice@ubuntu.com").await;
    assert!(matches!(outcome, GrantOutcome::Refused(_)), "{outcome:?}");
    assert_eq!(world.alias("alice@ubuntu.com").await.member, alias.member);
    let again = world.detach(&world.read(alice.id).await, &identity("alice"), "alice").await;
    assert_eq!(again, RemoveIdentity::NotYours, "the form arrives twice");
}

#[tokio::test]
async fn removal_ends_other_sessions() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    world.add_to(alice.id, &gitlab("7")).await;
    world.again(&gitlab("7"), "other").await;
    let old = world.read(alice.id).await;
    world.remove_from(alice.id, &gitlab("7"), "alice").await;
    let current = world.read(alice.id).await;
    assert_eq!(current.session_epoch, old.session_epoch + 1);
    let open = world.store.sessions_of(&current, minutes(3)).await.unwrap();
    assert_eq!(open.iter().map(|listed| listed.hash.as_str()).collect::<Vec<_>>(), ["alice"]);
}

#[tokio::test]
async fn removal_keeps_session_of_linked_member() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let bob = world.member("bob", "bob@mail.example").await;
    world.link_ids(alice.id, bob.id).await;
    world.remove_from(alice.id, &identity("alice"), "bob").await;
    let open = world.store.sessions_of(&world.read(alice.id).await, minutes(3)).await.unwrap();
    assert_eq!(open.iter().map(|listed| listed.hash.as_str()).collect::<Vec<_>>(), ["bob"]);
}

#[tokio::test]
async fn removal_needs_open_session() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let bob = world.member("bob", "bob@mail.example").await;
    world.add_to(alice.id, &gitlab("7")).await;
    let current = world.read(alice.id).await;
    assert_eq!(world.detach(&current, &gitlab("7"), "bob").await, RemoveIdentity::Changed, "of another member");
    assert_eq!(world.detach(&current, &identity("bob"), "alice").await, RemoveIdentity::NotYours);
    world.store.end_all_sessions(&current, operator(now()), &OsRandom).await.unwrap();
    let current = world.read(alice.id).await;
    assert_eq!(world.detach(&current, &gitlab("7"), "alice").await, RemoveIdentity::Changed, "it has ended");
    assert_eq!(world.owner(&identity("bob")).await, Some(bob.id));
}

#[tokio::test]
async fn last_identity_is_not_removed() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    assert_eq!(world.detach(&alice, &identity("alice"), "alice").await, RemoveIdentity::LastOne);
    world.add_to(alice.id, &gitlab("7")).await;
    let current = world.read(alice.id).await;
    let [one, two] = [identity("alice"), gitlab("7")];
    let (first, second) = tokio::join!(world.detach(&current, &one, "alice"), world.detach(&current, &two, "alice"));
    let removed = [first, second].into_iter().filter(|done| matches!(done, RemoveIdentity::Removed(_))).count();
    assert_eq!(removed, 1, "{first:?} {second:?}");
    assert_eq!(world.all_identities(alice.id).await.len(), 1);
}

#[tokio::test]
async fn unlink_brings_no_removed_identity() {
    let world = World::new().await;
    let (bob, alias) = world.resident("bob").await;
    let alice = world.member("alice", "alice@mail.example").await;
    world.link_ids(alice.id, bob.id).await;
    world.remove_from(alice.id, &identity("bob"), "alice").await;
    assert_eq!(world.alias("bob@ubuntu.com").await.member, alias.member, "the address stays");
    let stranger = world.member("bob", "bob@mail.example").await;
    assert!(stranger.id != alice.id && stranger.id != bob.id);
    let survivor = world.read(alice.id).await;
    let unlinked = world.store.unlink(&survivor, bob.id, operator(now()), &OsRandom).await.unwrap();
    assert!(matches!(unlinked, Linked::Done(_)));
    assert!(world.all_identities(bob.id).await.is_empty());
    assert_eq!(world.owner(&identity("bob")).await, Some(stranger.id));
}

/// The removal comes between the first two reads of the sign-in: that of the identity, and that of the profile.
#[tokio::test]
async fn sign_in_loses_to_earlier_removal() {
    let world = World::in_memory().await;
    let alice = world.member("alice", "alice@mail.example").await;
    world.add_to(alice.id, &gitlab("7")).await;
    let (store, id) = (world.store.clone(), alice.id);
    let interrupted = world.store.intercept_gets(move |gets| {
        let store = store.clone();
        Box::pin(async move {
            if gets == 1 {
                remove_seven(&store, id).await;
            }
        })
    });
    let stranger = sign_in(&interrupted, &world, &gitlab("7"), "new").await;
    assert_ne!(stranger.id, alice.id, "the removed account leads to a new member");
}

#[tokio::test]
async fn sign_in_loses_to_removal() {
    let world = World::in_memory().await;
    let alice = world.member("alice", "alice@mail.example").await;
    world.add_to(alice.id, &gitlab("7")).await;
    let id = alice.id;
    let store = world.overtaken(move |store| async move { remove_seven(&store, id).await });
    let stranger = sign_in(&store, &world, &gitlab("7"), "new").await;
    assert_ne!(stranger.id, alice.id, "the removed account leads to a new member");
    let open = world.store.sessions_of(&world.read(alice.id).await, minutes(3)).await.unwrap();
    assert!(open.iter().all(|listed| listed.hash != "new"));
}

#[tokio::test]
async fn provider_sign_out_ends_older_sessions() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let bob = world.member("bob", "bob@mail.example").await;
    world.link_ids(alice.id, bob.id).await;
    world.again(&identity("alice"), "later").await;
    let carol = world.member("carol", "carol@mail.example").await;
    let current = world.read(alice.id).await;
    let end = async |time| world.store.end_sessions_before(&current, time, minutes(2)).await.unwrap();
    assert_eq!(end(now()).await, 2, "also that of the linked member");
    assert_eq!(end(now()).await, 0, "the token arrives twice");
    let open = world.store.sessions_of(&current, minutes(3)).await.unwrap();
    assert_eq!(open.iter().map(|listed| listed.hash.as_str()).collect::<Vec<_>>(), ["later"]);
    assert_eq!(world.store.sessions_of(&carol, minutes(3)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn erasure_reserves_all_identities() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    world.add_to(alice.id, &gitlab("7")).await;
    world.observe(alice.id, &crate::support::observation("alice", minutes(1))).await;
    let current = world.read(alice.id).await;
    world.store.erase_on_request(&current, operator(minutes(3)), &OsRandom).await.unwrap();
    assert_eq!(world.all_identities(alice.id).await.len(), 2);
    assert_eq!(world.again(&gitlab("7"), "again").await.id, alice.id);
    assert!(world.store.member_by_name(&name("alice")).await.unwrap().is_none());
}
