//! Erasing a member's data on request, also when it is interrupted or something else happens at the same moment.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Change, MemberChange};
use membermail_core::eligibility::Outcome;
use membermail_core::random::OsRandom;
use membermail_store::{
    Confirmed, EraseReceipt, FirstDestination, GrantOutcome, Member, NewSession, Recorded, Sealer, SignIn, Store,
};

use crate::destinations::{ALICE, email, grant_in, set};
use crate::export::MAILBOXES;
use crate::support::{MASTER, World, days, identity, minutes, name, observation, operator, ubuntu};

impl World {
    async fn erase_now(&self, member: &Member) -> EraseReceipt {
        erase_in(&self.store, member).await
    }

    /// The table has nothing of the member's addresses, in clear, in Base64 or sealed.
    async fn has_forgotten(&self, before: &[Member]) {
        let dump = self.dump().await;
        for mailbox in MAILBOXES {
            assert!(!dump.contains(mailbox), "{mailbox}");
            for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                assert!(!dump.contains(&engine.encode(mailbox)), "{mailbox} in Base64");
            }
        }
        let items = self.store.raw_items().await.unwrap();
        for member in before {
            let partition = format!("MEMBER#{}", member.id);
            let own = items.iter().filter(|item| item["pk"].as_s().unwrap() == &partition);
            let mut sealed = own.filter(|item| item.contains_key("sealed") || item.contains_key("sign_in"));
            assert!(sealed.next().is_none(), "nothing is sealed");
            let key_context = String::from(member.key_context.clone());
            assert!(!dump.contains(&key_context), "the key context is replaced");
            assert!(!items.iter().any(|item| {
                let leads_there =
                    |name: &str| item.get(name).is_some_and(|owner| owner.as_s().unwrap() == &member.id.to_string());
                let pk = item["pk"].as_s().unwrap();
                (pk.starts_with("NAME#") || pk.starts_with("FAILING#")) && leads_there("owner")
                    || (pk.starts_with("SESSION#") || pk.starts_with("ADMINS#")) && leads_there("member")
            }));
        }
    }
}

async fn erase_in(store: &Store, member: &Member) -> EraseReceipt {
    store.erase_on_request(member, operator(minutes(30)), &OsRandom).await.unwrap()
}

async fn sign_in_again(store: &Store, hash: &str) -> Member {
    let identity = identity("alice");
    let sign_in = SignIn {
        identity: &identity,
        address: &email("fresh@mail.example"),
        destination: FirstDestination::Confirmed,
        language: None,
        session: NewSession { hash, expires: days(1) },
    };
    store.sign_in(&Sealer::new(MASTER), sign_in, minutes(40), &OsRandom).await.unwrap()
}

#[tokio::test]
async fn erasure_leaves_reserved_addresses() {
    let (world, alice, alex) = World::with_everything().await;
    let receipt = world.erase_now(&alice).await;
    assert_eq!(receipt.erased, [alex.id, alice.id]);
    assert_eq!(receipt.reserved.len(), 2);
    assert_eq!((receipt.destinations, receipt.sessions, receipt.entries.len()), (4, 2, 2));
    assert_eq!(receipt.admin_of, [ubuntu()]);
    world.has_forgotten(&[alice.clone(), alex.clone()]).await;
    for text in [ALICE, "alex@ubuntu.com"] {
        let alias = world.alias(text).await;
        assert_eq!((alias.status, alias.reason), (Status::Retired, Reason::Erased));
        assert!(world.mailboxes(text).await.is_empty());
    }
    assert!(world.store.member_by_name(&name("alice")).await.unwrap().is_none());
    let erased = world.read(alice.id).await;
    assert!(erased.is_erased() && erased.observation.is_none() && erased.language.is_none());
    assert_eq!(erased.check.outcome, None);
    assert!(world.store.member_to_look_up(alice.id).await.unwrap().unwrap().1.len() == 2, "the identities stay");
    let taken = grant_in(&world.store, &world.named("mallory", "mallory").await, ALICE).await;
    assert!(matches!(taken, GrantOutcome::Refused(_)), "{taken:?}");
    // The other member is untouched.
    assert_eq!(world.mailboxes("bob@ubuntu.com").await, set(&["bob@mail.example"]));
}

#[tokio::test]
async fn repeated_erasure_changes_nothing() {
    let (world, alice, _) = World::with_everything().await;
    let first = world.erase_now(&alice).await;
    let before = world.items().await;
    let later = world.store.erase_on_request(&alice, operator(minutes(60)), &OsRandom).await.unwrap();
    assert_eq!(world.items().await, before);
    assert_eq!(later.reserved, first.reserved);
    assert!(later.erased.is_empty() && later.entries.is_empty());
    let history = world.store.history_of(alice.id, 100).await.unwrap();
    let erased = Change::Member { member: alice.id, did: MemberChange::Erased };
    assert_eq!(history.iter().filter(|entry| entry.change == erased).count(), 1);
    assert!(history.iter().all(|entry| entry.at == minutes(30)), "only the erasure itself");
}

/// A linked member's id, as an operator can have it, erases the whole person.
#[tokio::test]
async fn linked_id_erases_the_person() {
    let (world, alice, alex) = World::with_everything().await;
    world.erase_now(&alex).await;
    world.has_forgotten(&[alice, alex]).await;
}

#[tokio::test]
async fn interrupted_erasure_continues() {
    for writes in 0.. {
        let (world, alice, alex) = World::in_memory().await.fill().await;
        let store = world.store.intercept_writes(move |count| Box::pin(async move { count < writes }));
        let outcome = store.erase_on_request(&alice, operator(minutes(30)), &OsRandom).await;
        for text in [ALICE, "alex@ubuntu.com"] {
            let is_refusing = !world.alias(text).await.status.forwards();
            assert!(is_refusing || !world.mailboxes(text).await.is_empty(), "{text} forwards nowhere");
        }
        if outcome.is_ok() {
            assert!(writes > 15, "{writes}");
            return;
        }
        let member = world.read(alice.id).await;
        if !member.is_erased() {
            let session = world.store.session("alice", minutes(5)).await.unwrap().unwrap();
            assert_eq!(session.epoch, member.session_epoch, "the member can request it again");
        }
        world.erase_now(&alice).await;
        world.has_forgotten(&[alice, alex]).await;
    }
}

/// What else happens before each write of an erasure.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Meanwhile {
    Grant,
    SignIn,
    AddDestination,
    LookUp,
}

#[rstest::rstest]
#[case::grant(Meanwhile::Grant)]
#[case::sign_in(Meanwhile::SignIn)]
#[case::add_destination(Meanwhile::AddDestination)]
#[case::look_up(Meanwhile::LookUp)]
#[tokio::test]
async fn concurrent_change_revives_nothing(#[case] meanwhile: Meanwhile) {
    for at in 0.. {
        let (world, alice, alex) = World::in_memory().await.fill().await;
        let (inner, member) = (world.store.clone(), alice.clone());
        let has_run = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let ran = Arc::clone(&has_run);
        let store = world.store.intercept_writes(move |count| {
            let (store, member, ran) = (inner.clone(), member.clone(), Arc::clone(&ran));
            Box::pin(async move {
                if count == at {
                    ran.store(true, std::sync::atomic::Ordering::SeqCst);
                    interfere(&store, &member, meanwhile).await;
                }
                true
            })
        });
        erase_in(&store, &alice).await;
        for text in [ALICE, "alex@ubuntu.com", "second@ubuntu.com"] {
            let alias = world.find_alias(text).await;
            assert!(alias.is_none_or(|alias| alias.status == Status::Retired), "{text} at {at}");
        }
        let after = world.read(alice.id).await;
        if meanwhile == Meanwhile::SignIn && !after.is_erased() {
            // It was written after the erasure: the member starts afresh.
            let export = world.export(&after).await;
            let [fresh] = &export.members[0].destinations[..] else { panic!("{export:?}") };
            assert_eq!(fresh.address.expose(), "fresh@mail.example");
            assert!(export.members[0].observation.is_none());
        } else {
            world.has_forgotten(&[alice, alex]).await;
            assert!(!world.dump().await.contains("fresh@mail.example"));
        }
        if !has_run.load(std::sync::atomic::Ordering::SeqCst) {
            assert!(at > 15, "{at}");
            return;
        }
    }
}

/// With the member as read before the erasure.
async fn interfere(store: &Store, member: &Member, meanwhile: Meanwhile) {
    let cause = operator(minutes(30));
    match meanwhile {
        Meanwhile::Grant => drop(grant_in(store, member, "second@ubuntu.com").await),
        Meanwhile::SignIn => drop(sign_in_again(store, "fresh").await),
        Meanwhile::AddDestination => {
            let address = email("fresh@mail.example");
            let _ = store.add_destination(&Sealer::new(MASTER), member, (&address, true), cause, &OsRandom).await;
        }
        Meanwhile::LookUp => {
            let seen = observation("alice", minutes(29));
            let outcome = Outcome::Eligible { domains: vec![ubuntu()] };
            let record = membermail_store::Record {
                member,
                observation: Some(&seen),
                outcome: Some((&outcome, member.check.requested_at)),
                claims_name_from: None,
                now: minutes(29),
            };
            let recorded = store.record(record, &OsRandom).await.unwrap();
            assert!(matches!(recorded, Recorded::Recorded | Recorded::Stale), "{recorded:?}");
        }
    }
}

#[tokio::test]
async fn member_who_returns_gets_addresses_back() {
    let (world, alice, _) = World::with_everything().await;
    world.erase_now(&alice).await;
    // An old look-up and an old member bring nothing back.
    let late = world.grant_at(&alice, ALICE, minutes(20), minutes(35)).await;
    assert_eq!(late, GrantOutcome::Erased);
    let member = sign_in_again(&world.store, "fresh").await;
    assert_eq!(member.id, alice.id);
    assert_eq!(world.alias(ALICE).await.status, Status::Retired, "a sign-in alone brings no address back");
    world.observe(alice.id, &observation("alice", minutes(41))).await;
    for text in [ALICE, "alex@ubuntu.com"] {
        let member = world.read(alice.id).await;
        let granted = world.grant_at(&member, text, minutes(41), minutes(42)).await;
        assert!(matches!(granted, GrantOutcome::Changed { .. }), "{granted:?}");
        assert_eq!(world.mailboxes(text).await, set(&["fresh@mail.example"]));
    }
    // Codes and sessions of before are void.
    assert!(world.store.session("alice", minutes(5)).await.unwrap().is_none());
    let old = world.store.destinations_of(alice.id).await.unwrap()[0].destination.id;
    assert_eq!(world.enter(&alice, old, None).await, Confirmed::Already);
}

#[tokio::test]
async fn ban_outlasts_erasure() {
    let (world, alice, alex) = World::with_everything().await;
    world.store.ban(alice.id, operator(minutes(20)), &OsRandom).await.unwrap();
    world.store.suspend_banned(&alice, operator(minutes(21)), &OsRandom).await.unwrap();
    world.erase_now(&alice).await;
    world.has_forgotten(&[alice.clone(), alex]).await;
    assert!(world.store.banned_members().await.unwrap().contains(&alice.id));
    let member = sign_in_again(&world.store, "fresh").await;
    assert!(member.is_banned());
    assert_eq!(world.grant_at(&member, ALICE, minutes(41), minutes(42)).await, GrantOutcome::Banned);
}

/// More items than a transaction can delete.
#[tokio::test]
async fn erasure_deletes_any_number_of_items() {
    let (world, alice, alex) = World::with_everything().await;
    for index in 0..120 {
        let id = membermail_core::destination::DestinationId::new(minutes(index), &OsRandom);
        let first = world.first(&alice).await;
        let partition = format!("MEMBER#{}", alice.id);
        let mut item = world.item(&partition, &format!("DESTINATION#{first}")).await.unwrap();
        item.insert("sk".into(), crate::support::text(&format!("DESTINATION#{id}")));
        world.store.put_raw_item(item).await.unwrap();
    }
    assert_eq!(world.erase_now(&alice).await.destinations, 124);
    world.has_forgotten(&[alice, alex]).await;
}
