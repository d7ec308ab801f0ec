//! Crash safety: after a crash at any call, each change is in one digest and each member gets one notice.

use jiff::SignedDuration;
use membermail_core::alias::Status;
use membermail_core::message::NotifyMessage;

use super::fakes::Crash;
use super::mailbox::Mail;
use super::world::{Changed, MAILBOX, OPERATORS, World, digest};

/// Records `count` changes for the digest, all older than an hour.
fn record_changes(world: &World, count: usize) {
    for number in 0..count {
        let age = SignedDuration::from_hours(1) + SignedDuration::from_millis(i64::try_from(count - number).unwrap());
        let name = format!("member{number}");
        let entry = world.entry(&Changed { name, before: None, after: Status::Active, age, renamed_from: None });
        world.record_for_digest(&entry);
    }
}

/// Handles a message once per AWS call, with a crash before or after that call is carried out. Then handles all messages
/// that are left (the crashed message itself is lost in half of the cases) and runs `check`.
async fn each_crash(setup: impl Fn(&World), message: impl Fn(&World) -> NotifyMessage, check: impl Fn(&World)) {
    let mut crashes = 0;
    let mut world = World::new().await;
    for call in 0.. {
        let mut is_done = true;
        for is_carried_out in [false, true] {
            let is_lost = is_carried_out == (call % 2 == 0);
            world.reset();
            setup(&world);
            let message = message(&world);
            is_done = world.run_until(&message, Crash { call, is_carried_out }).await;
            let left = if is_lost { Vec::new() } else { vec![message] };
            world.run(left.into_iter().chain(world.queued()).collect()).await;
            check(&world);
        }
        if is_done {
            break;
        }
        crashes += 2;
    }
    assert!(crashes >= 2 * 5, "{crashes}");
}

/// The only digest that contains the text. A crash between sending and settling may repeat one mail.
fn only_digest(world: &World, text: &str) -> Mail {
    let digests = world.mails_to(OPERATORS);
    let found: Vec<_> = digests.iter().filter(|mail| mail.text.contains(text)).collect();
    assert_eq!(found.len(), 1, "{digests:?}");
    assert!(world.mails() <= digests.len() + world.mails_to(MAILBOX).len() + 1, "more than one mail is repeated");
    found[0].clone()
}

#[tokio::test]
async fn change_is_mailed_once_after_crash() {
    each_crash(
        |_| {},
        World::message,
        |world| {
            assert_eq!(world.mails_to(MAILBOX).len(), 1);
            assert_eq!(only_digest(world, "alice@ubuntu.com: new").subject, "One change at ubuntu.com");
        },
    )
    .await;
}

#[tokio::test]
async fn recorded_change_is_mailed_once() {
    each_crash(
        |world| record_changes(world, 2),
        |_| digest(),
        |world| {
            let mail = only_digest(world, "member0@ubuntu.com: new");
            assert_eq!(mail.subject, "2 changes at ubuntu.com");
            only_digest(world, "member1@ubuntu.com: new");
        },
    )
    .await;
}

#[tokio::test]
async fn counted_changes_are_mailed_once() {
    each_crash(
        |world| record_changes(world, 101),
        |_| digest(),
        |world| {
            let mail = only_digest(world, "Further changes: 2");
            assert_eq!(mail.subject, "101 changes at ubuntu.com");
            assert!(mail.text.contains("New: 101") && mail.text.contains("member98@ubuntu.com: new"), "{}", mail.text);
            assert!(!mail.text.contains("member99@ubuntu.com"), "{}", mail.text);
        },
    )
    .await;
}

#[tokio::test]
async fn first_sync_is_one_bounded_digest() {
    const CHANGES: usize = 10_200;
    let world = World::new().await;
    // Without the change that every world starts with.
    world.aws.lock().unwrap().items.retain(|(pk, _), _| !pk.starts_with("OUTBOX"));
    record_changes(&world, CHANGES);
    let mut messages = vec![digest()];
    let mut invocations = 0;
    while let Some(message) = messages.pop() {
        world.aws.lock().unwrap().calls.clear();
        crate::handle_message(&world.context, message).await.unwrap();
        let calls = world.calls().len();
        assert!(calls < 230, "{calls} calls in one invocation");
        invocations += 1;
        messages.extend(world.queued());
    }
    assert_eq!(invocations, 2);
    let mail = only_digest(&world, "Further changes: 10,101");
    assert_eq!((mail.subject.as_str(), world.mails()), ("10,200 changes at ubuntu.com", 1));
    assert!(!world.aws.lock().unwrap().items.keys().any(|(_, sk)| sk.starts_with("NEWS#") || sk == "BATCH"));
}
