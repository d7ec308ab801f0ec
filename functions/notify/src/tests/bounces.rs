//! Forwarded mail bounced: the member is notified at another address, if there is one.

use jiff::SignedDuration;
use membermail_core::alias::Status;
use membermail_core::master::MasterKeys;
use membermail_core::member::MemberId;
use membermail_core::message::{Failure, NotifyMessage, REJECTED_NOTICE_STEP, Undeliverable};
use membermail_return_path::{Opened, ReturnPath};
use rstest::rstest;
use zeroize::Zeroizing;

use super::fakes::MASTER;
use super::world::{MAILBOX, MEMBER, OPERATORS, World, address};
use crate::handle_message;

fn bounce(reply: &str) -> NotifyMessage {
    NotifyMessage::Undeliverable(Undeliverable {
        address: address("alice"),
        destination: None,
        reply: reply.to_owned(),
        request_id: "a-test".into(),
    })
}

/// Handles a message and all that follow from it.
async fn run(world: &World, message: NotifyMessage) {
    let mut messages = vec![message];
    while let Some(message) = messages.pop() {
        handle_message(&world.context, message).await.unwrap();
        messages.extend(world.queued());
    }
}

#[rstest]
#[case::sign_in_address("alice@other.example", "alice@third.example", Some("alice@other.example"))]
#[case::same_sign_in_address(MAILBOX, "alice@third.example", Some("alice@third.example"))]
#[case::own_sign_in_address("alice@ubuntu.com", "alice@third.example", Some("alice@third.example"))]
#[case::no_other_address(MAILBOX, MAILBOX, None)]
#[case::own_addresses_only("alice@ubuntu.com", MAILBOX, None)]
#[tokio::test]
async fn bounce_is_told_at_another_address(
    #[case] sign_in: &str,
    #[case] other_destination: &str,
    #[case] expected: Option<&str>,
) {
    let world = World::new().await;
    world.set_sign_in(sign_in);
    world.alias_to("bob", other_destination, Status::Active, world.now());
    run(&world, bounce("5.2.2")).await;
    let to: Vec<_> = world.mails.lock().unwrap().iter().map(|mail| mail.to.clone()).collect();
    let expected: Vec<_> = expected.into_iter().chain([OPERATORS]).collect();
    assert_eq!(to, expected);
    if let Some(mail) = world.mails_to(expected[0]).first().filter(|_| expected.len() == 2) {
        assert_eq!(mail.subject, "Mail to alice@ubuntu.com does not reach you");
        assert!(mail.text.contains("5.2.2") && !mail.text.contains(MAILBOX), "{}", mail.text);
    }
}

#[tokio::test]
async fn repeated_bounce_is_told_once() {
    let world = World::new().await;
    world.set_sign_in("alice@other.example");
    for _ in 0..3 {
        run(&world, bounce("5.1.1")).await;
        world.advance(SignedDuration::from_mins(21));
    }
    assert_eq!((world.mails_to("alice@other.example").len(), world.mails()), (1, 2));
}

/// The idempotency key of such a notice has the date, so midnight must not permit a second one.
#[tokio::test]
async fn bounce_is_told_once_around_midnight() {
    let world = World::new().await;
    world.set_sign_in("alice@other.example");
    // 10:00 is the start.
    for (hours, expected) in [(13, 1), (2, 1), (21, 1), (2, 2)] {
        world.advance(SignedDuration::from_hours(hours));
        run(&world, bounce("5.1.1")).await;
        assert_eq!(world.mails_to("alice@other.example").len(), expected, "at {}", world.now());
    }
}

/// A bounce of a notice comes back to the mail host, which can tell the member.
#[rstest]
#[case::through_mail_host(Some("return.forwards.example"))]
#[case::through_another_relay(None)]
#[tokio::test]
async fn notice_bounces_to_its_return_path(#[case] domain: Option<&str>) {
    let world = World::new().await;
    if let Some(domain) = domain {
        world.set_in_mail_secret("return-path-domain", domain).await;
    }
    let first = world.message();
    world.run(vec![first]).await;
    let [to_member, to_operators] = [MAILBOX, OPERATORS].map(|to| world.mails_to(to));
    assert!(!to_member.is_empty() && !to_operators.is_empty());
    assert!(to_operators.iter().all(|mail| mail.from == "noreply@notices.example"), "{to_operators:?}");
    let Some(domain) = domain else {
        assert!(to_member.iter().all(|mail| mail.from == "noreply@notices.example"), "{to_member:?}");
        return;
    };
    let keys = MasterKeys::new(Zeroizing::new(MASTER.as_bytes().to_vec()), None);
    let return_path = ReturnPath::new(&keys, domain.parse().unwrap());
    for mail in to_member {
        let opened = return_path.open(&mail.from, world.now());
        assert_eq!(opened, Ok(Opened::Notice(MemberId::parse(MEMBER).unwrap())), "{}", mail.from);
    }
}

#[tokio::test]
async fn bounced_notice_is_reported_as_rejected() {
    let world = World::new().await;
    let failure = Failure {
        id: "bounce.1".into(),
        member: Some(MemberId::parse(MEMBER).unwrap()),
        step: REJECTED_NOTICE_STEP.into(),
        error: "5.1.1".into(),
        cause: "a notice to this member bounced".into(),
        request_id: "a-test".into(),
    };
    run(&world, NotifyMessage::Failed(failure)).await;
    let mails = world.mails_to(OPERATORS);
    assert_eq!((mails.len(), mails[0].subject.as_str()), (1, "A notice was rejected: 550 5.1.1"));
}
