//! "This was not me": reverting a change of destinations.

use jiff::Timestamp;
use membermail_core::alias::{Reason, Status};
use membermail_core::code::Code;
use membermail_core::destination::UNDO_PERIOD;
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_store::{Proof, Redirected, Removed, Reverted};
use ulid::Ulid;

use crate::destinations::{ALICE, grant_in, set};
use crate::support::{World, minutes, now, operator};

impl World {
    fn undo_code(&self, member: MemberId, undo: Ulid) -> Code {
        self.sealer.code(Proof::Undo { member, undo }).unwrap()
    }

    async fn revert_with(&self, member: MemberId, id: Ulid, code: Option<&Code>, at: Timestamp) -> Reverted {
        self.store.revert(&self.sealer, (member, id), code, operator(at), &OsRandom).await.unwrap()
    }

    async fn revert(&self, member: MemberId, id: Ulid) -> Reverted {
        self.revert_with(member, id, Some(&self.undo_code(member, id)), minutes(30)).await
    }
}

#[tokio::test]
async fn replacement_is_reverted_everywhere() {
    let world = World::new().await;
    let (alice, alex) = world.linked_residents().await;
    let (id, entry) = world.confirmed(&alice, "thief@mail.example", true).await;
    world.store.redirect_all(&world.sealer, &alice, id, operator(now()), &OsRandom).await.unwrap();
    for text in [ALICE, "alex@ubuntu.com"] {
        assert_eq!(world.mailboxes(text).await, set(&["thief@mail.example"]));
    }
    // A new address has no record, and forwards to the new default.
    grant_in(&world.store, &world.read(alice.id).await, "second@ubuntu.com").await;
    assert_eq!(world.mailboxes("second@ubuntu.com").await, set(&["thief@mail.example"]));

    assert!(matches!(world.revert(alice.id, entry).await, Reverted::Done { .. }));
    assert_eq!(world.mailboxes(ALICE).await, set(&["alice@mail.example"]));
    assert_eq!(world.mailboxes("alex@ubuntu.com").await, set(&["alex@mail.example"]));
    assert_eq!(world.mailboxes("second@ubuntu.com").await, set(&["alice@mail.example"]));
    let all = world.store.all_destinations(&world.read(alice.id).await).await.unwrap();
    assert!(all.iter().all(|(key_context, stored)| {
        let address = stored.address(&world.sealer, key_context).unwrap();
        (address.expose() == "thief@mail.example") == stored.destination.removed.is_some()
    }));
    for member in [&alice, &alex] {
        assert!(world.read(member.id).await.session_epoch > member.session_epoch, "all sessions have ended");
    }
    // Again, e.g. after a double click or a crash.
    assert!(matches!(world.revert(alice.id, entry).await, Reverted::Done { .. }));
    assert_eq!(world.mailboxes(ALICE).await, set(&["alice@mail.example"]));
}

#[tokio::test]
async fn choice_and_removal_are_reverted() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let first = world.first(&alice).await;
    let (id, _) = world.confirmed(&alice, "new@mail.example", false).await;
    let chosen = world.choose(&alice, ALICE, &[first, id]).await;
    let Redirected::Done { entry: chosen } = chosen else { panic!("{chosen:?}") };
    let removed = world.remove(&alice, first).await;
    let Removed::Done { entry: removed } = removed else { panic!("{removed:?}") };
    assert!(matches!(world.revert(alice.id, removed).await, Reverted::Done { .. }));
    assert_eq!(world.mailboxes(ALICE).await, set(&["alice@mail.example", "new@mail.example"]));
    assert_eq!(world.read(alice.id).await.destination, Some(first));
    assert!(matches!(world.revert(alice.id, chosen).await, Reverted::Done { .. }));
    assert_eq!(world.mailboxes(ALICE).await, set(&["alice@mail.example"]));
}

/// The old destination was replaced first, and removed by the second change.
#[tokio::test]
async fn first_of_two_changes_is_reverted() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let first = world.first(&alice).await;
    let (id, entry) = world.confirmed(&alice, "thief@mail.example", true).await;
    world.store.redirect_all(&world.sealer, &alice, id, operator(now()), &OsRandom).await.unwrap();
    assert!(matches!(world.remove(&world.read(alice.id).await, first).await, Removed::Done { .. }));
    assert!(matches!(world.revert(alice.id, entry).await, Reverted::Done { .. }));
    assert_eq!(world.mailboxes(ALICE).await, set(&["alice@mail.example"]));
    let item = world.item(&format!("MEMBER#{}", alice.id), &format!("DESTINATION#{first}")).await.unwrap();
    assert!(!item.contains_key("expires"), "it is kept");
}

#[tokio::test]
async fn address_without_old_destination_is_suspended() {
    let world = World::new().await;
    // The sign-in address is in a domain of the community: there is no first destination.
    let member = world.member("alice", "alice@kubuntu.org").await;
    world.observe(member.id, &crate::support::observation("alice", now())).await;
    let alice = world.read(member.id).await;
    world.grant(&alice, ALICE).await;
    assert_eq!(world.alias(ALICE).await.reason, Reason::Loop);
    let (id, entry) = world.confirmed(&alice, "thief@mail.example", false).await;
    assert!(matches!(world.choose(&alice, ALICE, &[id]).await, Redirected::Done { .. }));
    assert_eq!(world.alias(ALICE).await.status, Status::Active);
    assert!(matches!(world.revert(alice.id, entry).await, Reverted::Done { .. }));
    let alias = world.alias(ALICE).await;
    assert_eq!((alias.status, alias.reason), (Status::Suspended, Reason::Loop));
    assert!(world.mailboxes(ALICE).await.is_empty());
}

#[tokio::test]
async fn undo_needs_its_code_in_time() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let (bob, _) = world.resident("bob").await;
    let (_, entry) = world.confirmed(&alice, "new@mail.example", false).await;
    let (_, other) = world.confirmed(&alice, "other@mail.example", false).await;
    let code = world.undo_code(alice.id, entry);
    for (member, id, code) in [
        (alice.id, entry, None),
        (alice.id, entry, Some(world.undo_code(alice.id, other))),
        (alice.id, entry, Some(world.undo_code(bob.id, entry))),
    ] {
        assert_eq!(world.revert_with(member, id, code.as_ref(), minutes(30)).await, Reverted::Wrong);
    }
    assert_eq!(world.revert_with(bob.id, entry, Some(&code), minutes(30)).await, Reverted::Expired);
    let late = minutes(1) + UNDO_PERIOD;
    assert_eq!(world.revert_with(alice.id, entry, Some(&code), late).await, Reverted::Expired);
    assert!(world.store.undo(alice.id, entry, late).await.unwrap().is_none());
    assert!(!world.store.undo(alice.id, entry, minutes(30)).await.unwrap().unwrap().is_reverted);
    let wrong = Code::parse("BBBB-BBBB").unwrap();
    let guesses = (0..40).map(|_| world.revert_with(alice.id, entry, Some(&wrong), minutes(30)));
    let outcomes = futures_util::future::join_all(guesses).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Reverted::Wrong).count(), 7, "10 in all");
    assert_eq!(world.revert_with(alice.id, entry, Some(&code), minutes(30)).await, Reverted::Expired);
    assert!(matches!(world.revert(alice.id, other).await, Reverted::Done { .. }));
}

#[tokio::test]
async fn undo_of_banned_member_keeps_ban() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let (_, entry) = world.confirmed(&alice, "new@mail.example", false).await;
    world.store.ban(alice.id, operator(minutes(5)), &OsRandom).await.unwrap();
    world.store.suspend_banned(&world.read(alice.id).await, operator(minutes(5)), &OsRandom).await.unwrap();
    assert!(matches!(world.revert(alice.id, entry).await, Reverted::Done { .. }));
    let alias = world.alias(ALICE).await;
    assert_eq!((alias.status, alias.reason), (Status::Suspended, Reason::Banned));
    assert!(world.read(alice.id).await.is_banned());
}

/// A crash at any write: the same code continues.
#[tokio::test]
async fn interrupted_revert_continues() {
    for writes in 0.. {
        let world = World::in_memory().await;
        let (alice, _) = world.linked_residents().await;
        let (id, entry) = world.confirmed(&alice, "thief@mail.example", true).await;
        world.store.redirect_all(&world.sealer, &alice, id, operator(now()), &OsRandom).await.unwrap();
        let code = world.undo_code(alice.id, entry);
        let store = world.store.intercept_writes(move |count| Box::pin(async move { count < writes }));
        let cause = operator(minutes(30));
        let outcome = store.revert(&world.sealer, (alice.id, entry), Some(&code), cause, &OsRandom).await;
        assert!(matches!(world.revert(alice.id, entry).await, Reverted::Done { .. }));
        assert_eq!(world.mailboxes(ALICE).await, set(&["alice@mail.example"]));
        assert_eq!(world.mailboxes("alex@ubuntu.com").await, set(&["alex@mail.example"]));
        if outcome.is_ok() {
            assert!(writes > 4, "{writes}");
            return;
        }
    }
}
