//! A destination fails: the member hears of it at their other mailboxes.

use membermail_core::address::Address;
use membermail_core::destination::DestinationId;
use membermail_core::message::{NotifyMessage, Undeliverable};
use membermail_core::random::OsRandom;
use membermail_store::{FirstDestination, Member};
use rstest::rstest;

use super::people::{ALICE, NEW, People};
use super::world::address;

fn undeliverable(address: &Address, destination: DestinationId) -> NotifyMessage {
    NotifyMessage::Undeliverable(Undeliverable {
        address: address.clone(),
        destination: Some(destination),
        reply: "5.2.2".into(),
        request_id: "a-test".into(),
    })
}

/// Lets a destination reject mail now and, if `hours` is not 0, so many hours later.
async fn reject(people: &People, member: &Member, destination: DestinationId, hours: i64) {
    let reply = "5.2.2".parse().unwrap();
    for hours in [0, hours] {
        people.advance(hours * 60);
        let (id, at) = ((member.id, destination), people.now());
        people.store().record_destination_failure(id, &address("alice"), &reply, at, &OsRandom).await.unwrap();
    }
}

/// Alice's address forwards to both mailboxes.
async fn two_mailboxes(people: &People) -> (Member, DestinationId) {
    let alice = people.alice().await;
    let (new, _) = people.add_confirmed(&alice, NEW).await;
    people.redirect(&alice, &address("alice"), &[alice.destination.unwrap(), new]).await;
    (alice, new)
}

#[tokio::test]
async fn failing_mailbox_notifies_the_others() {
    let people = People::new().await;
    let (alice, new) = two_mailboxes(&people).await;
    people.add_confirmed(&alice, "third@other.example").await;
    reject(&people, &alice, new, 24).await;
    people.handle(undeliverable(&address("alice"), new)).await;
    assert_eq!(people.recipients(), [ALICE, "third@other.example"]);
    let mail = people.mails_to(ALICE).remove(0);
    assert_eq!(mail.subject, "A mailbox of alice@ubuntu.com no longer gets mail");
    assert!(mail.text.contains("5.2.2") && !mail.text.contains(NEW), "{}", mail.text);
    assert_eq!(people.queued().len(), 1, "the operators get a report");
}

#[tokio::test]
async fn failing_mailbox_is_told_weekly() {
    let people = People::new().await;
    let (alice, new) = two_mailboxes(&people).await;
    reject(&people, &alice, new, 24).await;
    let mut mails = Vec::new();
    for _ in 0..15 {
        people.handle(undeliverable(&address("alice"), new)).await;
        mails.push(people.mails.lock().unwrap().drain(..).count());
        reject(&people, &alice, new, 24).await;
    }
    assert_eq!(mails, [1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
}

#[rstest]
#[case::other_sign_in("alice@elsewhere.example", &["alice@elsewhere.example"])]
#[case::same_sign_in(ALICE, &[])]
#[case::own_domain("alice@ubuntu.com", &[])]
#[tokio::test]
async fn only_mailbox_notifies_sign_in_address(#[case] sign_in: &str, #[case] expected: &[&str]) {
    let people = People::new().await;
    let alice = people.alice().await;
    let alice = people.sign_in("alice", sign_in, FirstDestination::Confirmed).await.id.min(alice.id);
    let alice = people.reload(alice).await;
    let only = alice.destination.unwrap();
    reject(&people, &alice, only, 24).await;
    people.handle(undeliverable(&address("alice"), only)).await;
    assert_eq!(people.recipients(), expected);
}

#[tokio::test]
async fn first_failure_names_one_of_several() {
    let people = People::new().await;
    let (alice, new) = two_mailboxes(&people).await;
    let first = alice.destination.unwrap();
    for (rejecting, expected) in [(first, NEW), (new, ALICE)] {
        reject(&people, &alice, rejecting, 0).await;
        people.handle(undeliverable(&address("alice"), rejecting)).await;
        assert_eq!(people.recipients(), [expected]);
        assert_eq!(people.mails_to(expected)[0].subject, "A mailbox of alice@ubuntu.com rejects mail");
        people.mails.lock().unwrap().clear();
        // The same member and domain hear of a first failure once a day.
        people.advance(25 * 60);
    }
}

/// The member has solved it meanwhile.
#[tokio::test]
async fn replaced_mailbox_is_not_told() {
    let people = People::new().await;
    let (alice, new) = two_mailboxes(&people).await;
    reject(&people, &alice, new, 24).await;
    people.redirect(&alice, &address("alice"), &[alice.destination.unwrap()]).await;
    people.handle(undeliverable(&address("alice"), new)).await;
    assert_eq!(people.recipients(), [""; 0]);
    assert!(people.queued().is_empty());
}

/// A message with the id of another member's destination.
#[tokio::test]
async fn foreign_destination_is_not_told() {
    let people = People::new().await;
    people.alice().await;
    let bob = people.sign_in("bob", "bob@mail.example", FirstDestination::Confirmed).await;
    people.handle(undeliverable(&address("alice"), bob.destination.unwrap())).await;
    assert_eq!(people.recipients(), [""; 0]);
}
