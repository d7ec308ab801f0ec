//! Test messages: sent once, to the address itself, with the mail server's answer recorded.

use membermail_core::message::{NotifyMessage, TestRequest};
use membermail_core::random::OsRandom;
use membermail_runtime::batch::Attempt;
use membermail_store::{FirstDestination, Member, TestMessage};
use rstest::rstest;
use ulid::Ulid;

use super::people::People;
use super::world::address;
use crate::handle_attempt;

const TO: &str = "alice@ubuntu.com";

/// Requests a test message, as the account page does.
async fn request(people: &People, member: &Member, id: u128) -> NotifyMessage {
    let id = Ulid::from_parts(1, id);
    assert!(people.store().request_test(member.id, &address("alice"), (id, people.now())).await.unwrap());
    message(member, id)
}

fn message(member: &Member, id: Ulid) -> NotifyMessage {
    let request = TestRequest { member: member.id, address: address("alice"), id, request_id: "a-test".into() };
    NotifyMessage::Test(request)
}

async fn result(people: &People, member: &Member) -> TestMessage {
    people.store().test_message(member.id, &address("alice")).await.unwrap().unwrap()
}

#[tokio::test]
async fn test_message_takes_the_whole_way() {
    let people = People::new().await;
    let alice = people.alice().await;
    let message = request(&people, &alice, 1).await;
    for _ in 0..3 {
        people.handle(message.clone()).await;
    }
    assert_eq!(people.recipients(), [TO]);
    assert_eq!(people.mails_to(TO)[0].subject, "Test message to alice@ubuntu.com");
    let result = result(&people, &alice).await;
    assert_eq!((result.accepted, result.rejected), (Some(people.now()), None));
    people.handle(request(&people, &alice, 2).await).await;
    assert_eq!(people.recipients(), [TO, TO]);
}

#[tokio::test]
async fn permanent_rejection_is_the_result() {
    let people = People::new().await;
    let alice = people.alice().await;
    *people.rejection.lock().unwrap() = Some(("RCPT", "550 5.1.1 <alice@ubuntu.com>: no such user"));
    let message = request(&people, &alice, 1).await;
    people.handle(message.clone()).await;
    let rejected = result(&people, &alice).await.rejected.map(String::from);
    assert_eq!(rejected.as_deref(), Some("550 5.1.1"));
    assert!(people.queued().is_empty(), "no report to the operators");
    *people.rejection.lock().unwrap() = None;
    people.handle(message).await;
    assert_eq!(people.recipients(), [""; 0], "it is not tried again");
}

#[tokio::test]
async fn temporary_failure_is_tried_again() {
    let people = People::new().await;
    let alice = people.alice().await;
    let message = request(&people, &alice, 1).await;
    *people.rejection.lock().unwrap() = Some(("RCPT", "451 4.3.0 try later"));
    crate::handle_message(&people.context, message.clone()).await.unwrap_err();
    let waiting = result(&people, &alice).await;
    assert_eq!((waiting.accepted, waiting.rejected), (None, None));
    *people.rejection.lock().unwrap() = None;
    people.handle(message).await;
    assert_eq!(people.recipients(), [TO]);
}

/// The relay rejects all our mail: the message waits as others do.
#[tokio::test]
async fn test_message_waits_for_relay() {
    let people = People::new().await;
    let alice = people.alice().await;
    let message = request(&people, &alice, 1).await;
    *people.rejection.lock().unwrap() = Some(("MAIL", "530 5.7.0 Authentication required"));
    let attempt = Attempt { receives: 2, is_last: false };
    handle_attempt(&people.context, message.clone(), attempt).await.unwrap();
    assert_eq!(people.queued(), [message]);
}

/// What keeps a test message from being sent.
#[derive(Clone, Copy, Debug)]
enum Obstacle {
    OtherMember,
    OtherRequest,
    NeverRequested,
    AnHour,
    Paused,
    Deleted,
    Banned,
}

#[rstest]
#[case(Obstacle::OtherMember)]
#[case(Obstacle::OtherRequest)]
#[case(Obstacle::NeverRequested)]
#[case(Obstacle::AnHour)]
#[case(Obstacle::Paused)]
#[case(Obstacle::Deleted)]
#[case(Obstacle::Banned)]
#[tokio::test]
async fn other_test_message_is_not_sent(#[case] obstacle: Obstacle) {
    let people = People::new().await;
    let alice = people.alice().await;
    let (store, alias, cause) = (people.store(), address("alice"), people.cause());
    let message = match obstacle {
        Obstacle::OtherMember => {
            let bob = people.sign_in("bob", "bob@mail.example", FirstDestination::Confirmed).await;
            request(&people, &bob, 1).await
        }
        Obstacle::NeverRequested => message(&alice, Ulid::from_parts(1, 1)),
        _ => request(&people, &alice, 1).await,
    };
    match obstacle {
        Obstacle::OtherMember | Obstacle::NeverRequested => {}
        Obstacle::OtherRequest => drop(request(&people, &alice, 2).await),
        Obstacle::AnHour => people.advance(60),
        Obstacle::Paused => drop(store.pause_alias(&alice, &alias, Some(false), cause, &OsRandom).await.unwrap()),
        Obstacle::Deleted => drop(store.delete_alias(&alice, &alias, cause, &OsRandom).await.unwrap()),
        Obstacle::Banned => drop(store.ban(alice.id, cause, &OsRandom).await.unwrap()),
    }
    people.handle(message).await;
    assert_eq!(people.recipients(), [""; 0]);
}

#[tokio::test]
async fn unconfirmed_mailbox_gets_no_test() {
    let people = People::new().await;
    let bob = people.sign_in("alice", "bob@mail.example", FirstDestination::Unconfirmed).await;
    people.grant(&bob, "alice").await;
    let message = request(&people, &bob, 1).await;
    people.handle(message).await;
    assert_eq!(people.recipients(), [""; 0]);
}
