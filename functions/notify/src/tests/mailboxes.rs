//! The mailboxes of a member hear of changes, and only the right ones get a code.

use jiff::SignedDuration;
use membermail_core::audit::{Change, DestinationChange, Entry};
use membermail_core::code::Code;
use membermail_core::member::{Identity, Subject};
use membermail_core::notice::for_destinations;
use membermail_core::random::OsRandom;
use membermail_runtime::testing::CapturedLogs;
use membermail_store::{AddIdentity, Confirmed, FirstDestination, Linked, Member, Reverted};
use rstest::rstest;
use ulid::Ulid;

use super::people::{ALICE, NEW, People, code_in};
use super::world::address;
use crate::mailboxes::notify_mailboxes;

/// What the owner of a mailbox does with the code of its last mail.
async fn revert(people: &People, member: &Member, change: Ulid, mailbox: &str) -> Option<Reverted> {
    let code = code_in(people.mails_to(mailbox).last()?)?;
    let typed = Code::parse(&code);
    let reverted =
        people.store().revert(&people.sealer, (member.id, change), typed.as_ref(), people.cause(), &OsRandom);
    Some(reverted.await.unwrap())
}

#[tokio::test]
async fn code_from_mail_confirms_mailbox() {
    let people = People::new().await;
    let alice = people.alice().await;
    let logs = CapturedLogs::start();
    let (id, entry) = people.add(&alice, NEW).await;
    people.notify(entry).await;
    assert_eq!(people.recipients(), [ALICE, NEW]);
    let [to_new, to_old] = [NEW, ALICE].map(|mailbox| people.mails_to(mailbox).remove(0));
    assert_eq!(to_old.subject, "A mailbox is being added to your Ubuntu mail");
    assert!(code_in(&to_old).is_none() && !to_old.text.contains(NEW), "{}", to_old.text);
    assert!(!to_new.text.contains("alice"), "{}", to_new.text);
    let code = code_in(&to_new).unwrap();
    assert!(to_new.text.contains(&format!("https://mail.example/confirm?destination={id}&code={code}")));
    assert!(matches!(people.enter(&alice, id, &code).await, Confirmed::Done { .. }));
    let logs = logs.text();
    assert!(!logs.contains('@') && !logs.contains(&code), "{logs}");
}

#[tokio::test]
async fn repeated_message_sends_each_mail_once() {
    let people = People::new().await;
    let alice = people.alice().await;
    let (_, entry) = people.add(&alice, NEW).await;
    let entry = people.store().undelivered(entry).await.unwrap().unwrap();
    for _ in 0..3 {
        let mailer = people.context.mail.mailer().await.unwrap().unwrap();
        let news = for_destinations(&entry).unwrap();
        notify_mailboxes(&people.context, &mailer, &entry, news, "a-test").await.unwrap();
    }
    assert_eq!(people.recipients(), [ALICE, NEW]);
}

#[tokio::test]
async fn idn_mailbox_gets_code() {
    let people = People::new().await;
    let alice = people.alice().await;
    let (_, entry) = people.add(&alice, "alice@bücher.example").await;
    people.notify(entry).await;
    assert!(code_in(&people.mails_to("alice@xn--bcher-kva.example")[0]).is_some());
}

/// What happens between the request and its message.
#[derive(Clone, Copy, Debug)]
enum Later {
    RequestedAgain,
    SessionsEnded,
    Banned,
    Removed,
    HalfAnHour,
}

#[rstest]
#[case(Later::RequestedAgain)]
#[case(Later::SessionsEnded)]
#[case(Later::Banned)]
#[case(Later::Removed)]
#[case(Later::HalfAnHour)]
#[tokio::test]
async fn superseded_request_sends_nothing(#[case] later: Later) {
    let people = People::new().await;
    let alice = people.alice().await;
    let (id, entry) = people.add(&alice, NEW).await;
    let store = people.store();
    people.advance(1);
    match later {
        Later::RequestedAgain => drop(people.add(&alice, NEW).await),
        Later::SessionsEnded => drop(store.end_all_sessions(&alice, people.cause(), &OsRandom).await.unwrap()),
        Later::Banned => drop(store.ban(alice.id, people.cause(), &OsRandom).await.unwrap()),
        Later::Removed => drop(people.remove(&alice, id).await),
        Later::HalfAnHour => people.advance(29),
    }
    people.notify(entry).await;
    assert_eq!(people.recipients(), [""; 0]);
}

#[tokio::test]
async fn erased_member_gets_nothing() {
    let people = People::new().await;
    let bob = people.sign_in("bob", "bob@mail.example", FirstDestination::Confirmed).await;
    let (_, requested) = people.add(&bob, NEW).await;
    let (_, confirmed) = people.add_confirmed(&bob, "third@other.example").await;
    people.advance(24 * 60 * 3);
    people.store().erase(bob.id, people.cause(), &OsRandom).await.unwrap();
    assert!(people.reload(bob.id).await.is_erased());
    for entry in [requested, confirmed] {
        people.notify(entry).await;
    }
    assert_eq!(people.recipients(), [""; 0]);
}

/// A slip of the member is no failure for the operators.
#[tokio::test]
async fn rejected_code_is_not_reported() {
    let people = People::new().await;
    let alice = people.alice().await;
    *people.rejection.lock().unwrap() = Some(("RCPT", "550 5.1.1 no such user"));
    let bob = people.sign_in("bob", NEW, FirstDestination::Unconfirmed).await;
    let (_, entry) = people.add(&bob, "bbo@other.example").await;
    people.notify(entry).await;
    assert!(people.queued().is_empty());
    // A notice to a mailbox that worked before is one.
    let (_, entry) = people.add(&alice, NEW).await;
    people.notify(entry).await;
    assert_eq!(people.queued().len(), 1);
}

#[tokio::test]
async fn old_mailbox_reverts_confirmation() {
    let people = People::new().await;
    let alice = people.alice().await;
    let (id, entry) = people.add_confirmed(&alice, NEW).await;
    people.notify(entry).await;
    assert_eq!(people.recipients(), [ALICE], "the new mailbox does not hear of itself");
    let mail = people.mails_to(ALICE).remove(0);
    assert_eq!(mail.subject, "A mailbox was added to your Ubuntu mail");
    assert!(mail.text.contains(&format!("https://mail.example/undo?change={}.{entry}", alice.id)), "{}", mail.text);
    assert!(matches!(revert(&people, &alice, entry, ALICE).await, Some(Reverted::Done { .. })));
    let added = people.store().destination(alice.id, id).await.unwrap().unwrap();
    assert!(!added.destination.is_usable());
}

#[tokio::test]
async fn removed_mailbox_reverts_removal() {
    let people = People::new().await;
    let alice = people.alice().await;
    let old = alice.destination.unwrap();
    let (new, _) = people.add_confirmed(&alice, NEW).await;
    let redirected = people.redirect(&alice, &address("alice"), &[new]).await;
    people.notify(redirected).await;
    assert_eq!(people.recipients(), [ALICE, NEW]);
    assert!(people.mails_to(ALICE)[0].text.contains("alice@ubuntu.com"));
    let removed = people.remove(&alice, old).await;
    people.notify(removed).await;
    assert_eq!(people.mails_to(ALICE).last().unwrap().subject, "A mailbox was removed from your Ubuntu mail");
    assert!(matches!(revert(&people, &alice, removed, ALICE).await, Some(Reverted::Done { .. })));
    assert!(people.store().destination(alice.id, old).await.unwrap().unwrap().destination.is_usable());
}

/// Mallory added a mailbox to Alice's account, and Alice removes it: Mallory must not be able to revert that.
#[tokio::test]
async fn new_mailbox_cannot_revert_repair() {
    let people = People::new().await;
    let alice = people.alice().await;
    let (id, _) = people.add_confirmed(&alice, NEW).await;
    people.advance(60);
    let removed = people.remove(&alice, id).await;
    people.notify(removed).await;
    assert_eq!(people.recipients(), [ALICE, NEW]);
    assert!(code_in(&people.mails_to(ALICE)[0]).is_some());
    assert_eq!(code_in(&people.mails_to(NEW)[0]), None);
}

#[tokio::test]
async fn removed_mailbox_hears_for_three_days() {
    let people = People::new().await;
    let alice = people.alice().await;
    let (id, _) = people.add_confirmed(&alice, NEW).await;
    people.remove(&alice, id).await;
    for (hours, expected) in [(71, vec![ALICE, NEW]), (2, vec![ALICE])] {
        people.advance(hours * 60);
        let (_, entry) = people.add_confirmed(&alice, &format!("after{hours}@other.example")).await;
        people.notify(entry).await;
        let others: Vec<_> = people.recipients().into_iter().filter(|to| !to.starts_with("after")).collect();
        assert_eq!(others, expected, "after {hours} hours");
    }
}

#[tokio::test]
async fn notice_of_reverted_change_is_superseded() {
    let people = People::new().await;
    let alice = people.alice().await;
    let (_, entry) = people.add_confirmed(&alice, NEW).await;
    let stored = people.store().undelivered(entry).await.unwrap().unwrap();
    people.notify(entry).await;
    assert!(matches!(revert(&people, &alice, entry, ALICE).await, Some(Reverted::Done { .. })));
    people.mails.lock().unwrap().clear();
    let mailer = people.context.mail.mailer().await.unwrap().unwrap();
    let news = for_destinations(&stored).unwrap();
    people.advance(60 * 24 * 30);
    notify_mailboxes(&people.context, &mailer, &stored, news, "a-test").await.unwrap();
    assert_eq!(people.recipients(), [""; 0]);
}

#[tokio::test]
async fn usable_mailboxes_hear_of_reversion() {
    let people = People::new().await;
    let alice = people.alice().await;
    let (kept, _) = people.add_confirmed(&alice, NEW).await;
    let (removed, _) = people.add_confirmed(&alice, "gone@other.example").await;
    people.remove(&alice, removed).await;
    let did = DestinationChange::Reverted;
    let change = Change::Destination { member: alice.id, destination: kept, did };
    let entry = Entry::new(change, people.cause(), &OsRandom);
    let mailer = people.context.mail.mailer().await.unwrap().unwrap();
    let news = for_destinations(&entry).unwrap();
    notify_mailboxes(&people.context, &mailer, &entry, news, "a-test").await.unwrap();
    assert_eq!(people.recipients(), [ALICE, NEW]);
    let mail = people.mails_to(ALICE).remove(0);
    assert_eq!(mail.subject, "A change of your Ubuntu mail was reverted");
    assert_eq!(code_in(&mail), None);
}

/// Both members of a link are one person, and a mailbox of both gets one mail.
#[tokio::test]
async fn mailboxes_of_linked_members_hear_once() {
    let people = People::new().await;
    let alice = people.alice().await;
    let other = people.sign_in("other", "other@mail.example", FirstDestination::Confirmed).await;
    people.add_confirmed(&other, ALICE).await;
    let linked = people.store().link(&alice, &people.reload(other.id).await, people.cause(), &OsRandom).await;
    assert!(matches!(linked.unwrap(), Linked::Done(_)));
    let alice = people.reload(alice.id).await;
    people.advance(1);
    let (_, entry) = people.add(&alice, NEW).await;
    people.notify(entry).await;
    assert_eq!(people.recipients(), [ALICE, NEW, "other@mail.example"]);
}

/// The record of the change is that of the member whose page made it.
#[tokio::test]
async fn linked_address_change_can_be_reverted() {
    let people = People::new().await;
    let alice = people.alice().await;
    let other = people.sign_in("other", "other@mail.example", FirstDestination::Confirmed).await;
    people.grant(&other, "other").await;
    let linked = people.store().link(&alice, &people.reload(other.id).await, people.cause(), &OsRandom).await;
    assert!(matches!(linked.unwrap(), Linked::Done(_)));
    let alice = people.reload(alice.id).await;
    let redirected = people.redirect(&alice, &address("other"), &[alice.destination.unwrap()]).await;
    people.notify(redirected).await;
    let mail = people.mails_to(ALICE).remove(0);
    assert!(mail.text.contains("other@ubuntu.com") && mail.text.contains(&format!("/undo?change={}.", alice.id)));
    assert!(matches!(revert(&people, &alice, redirected, ALICE).await, Some(Reverted::Done { .. })));
}

#[rstest]
#[case::confirmed(FirstDestination::Confirmed, "alice@ubuntu.com is yours")]
#[case::unconfirmed(FirstDestination::Unconfirmed, "alice@ubuntu.com is yours: please confirm your mailbox")]
#[tokio::test]
async fn new_address_mail_states_forwarding(#[case] first: FirstDestination, #[case] subject: &str) {
    let people = People::new().await;
    let member = people.sign_in("alice", ALICE, first).await;
    let entry = people.grant(&member, "alice").await;
    people.notify(entry).await;
    let mail = people.mails_to(ALICE).remove(0);
    assert_eq!(mail.subject, subject);
    assert_eq!(mail.text.contains("is now forwarded"), first == FirstDestination::Confirmed, "{}", mail.text);
}

#[tokio::test]
async fn deletion_is_told_with_its_end() {
    let people = People::new().await;
    let alice = people.alice().await;
    let deleted = people.store().delete_alias(&alice, &address("alice"), people.cause(), &OsRandom).await.unwrap();
    let membermail_store::Switched::Done { entry } = deleted else { panic!("{deleted:?}") };
    people.notify(entry).await;
    let mail = people.mails_to(ALICE).remove(0);
    assert_eq!(mail.subject, "You deleted alice@ubuntu.com");
    let until = people.now() + SignedDuration::from_hours(30 * 24);
    assert!(mail.text.contains(&until.strftime("%-d December 2026").to_string()), "{}", mail.text);
}

/// Also one that was removed a moment ago: a thief could have done both.
#[tokio::test]
async fn all_mailboxes_hear_of_account() {
    let people = People::new().await;
    let alice = people.alice().await;
    let (removed, _) = people.add_confirmed(&alice, NEW).await;
    people.remove(&alice, removed).await;
    let alice = people.reload(alice.id).await;
    let identity = Identity { issuer: "https://gitlab.example.org".into(), subject: Subject::parse("1001").unwrap() };
    let epoch = alice.session_epoch;
    let added = people.store().add_identity(&alice, &identity, epoch, people.cause(), &OsRandom).await.unwrap();
    let AddIdentity::Added(entry) = added else { panic!("{added:?}") };
    for _ in 0..2 {
        people.notify(entry).await;
    }
    assert_eq!(people.recipients(), [ALICE, NEW]);
    let mail = people.mails_to(ALICE).remove(0);
    assert_eq!(mail.subject, "An account was added to your Ubuntu mail");
    assert!(mail.text.contains("an account at gitlab.example.org"), "{}", mail.text);
    assert!(!mail.text.contains("1001") && code_in(&mail).is_none(), "{}", mail.text);
}
