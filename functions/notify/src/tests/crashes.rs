//! Whatever call the function ends at, each change is in one digest, and each member has one notice.

use jiff::SignedDuration;
use membermail_core::alias::Status;
use membermail_core::message::{Digest, ToNotify};

use super::fakes::Crash;
use super::mailbox::Mail;
use super::world::{Changed, MAILBOX, OPERATORS, World};

fn digest() -> ToNotify {
    ToNotify::Digest(Digest { domain: "ubuntu.com".parse().unwrap(), request_id: "a-test".into() })
}

/// Gathers so many changes, an hour and more ago.
fn gather(world: &World, count: usize) {
    for place in 0..count {
        let age = SignedDuration::from_hours(1) + SignedDuration::from_millis(i64::try_from(count - place).unwrap());
        let (name, before) = (format!("member{place}"), None);
        let entry = world.entry(&Changed { name, before, after: Status::Active, age, renamed_from: None });
        world.gathered(&entry);
    }
}

/// Runs a message once for each call at which it can end, before and after the call is carried out. `check` looks at what
/// became of it once every message was carried out in the end; the queue may have lost the one that ended.
async fn each_crash(setup: impl Fn(&World), message: impl Fn(&World) -> ToNotify, check: impl Fn(&World)) {
    let (mut crashes, mut world) = (0, World::new().await);
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

/// The one digest with this text. A crash between the mail and the note of it sends the same message once more.
fn the_digest(world: &World, text: &str) -> Mail {
    let digests = world.mails_to(OPERATORS);
    let found: Vec<_> = digests.iter().filter(|mail| mail.text.contains(text)).collect();
    assert_eq!(found.len(), 1, "{digests:?}");
    assert!(world.mails() <= digests.len() + world.mails_to(MAILBOX).len() + 1, "one is repeated");
    found[0].clone()
}

#[tokio::test]
async fn change_is_told_once_after_crash() {
    each_crash(
        |_| {},
        World::message,
        |world| {
            assert_eq!(world.mails_to(MAILBOX).len(), 1);
            assert_eq!(the_digest(world, "alice@ubuntu.com: new").subject, "One change at ubuntu.com");
        },
    )
    .await;
}

#[tokio::test]
async fn gathered_change_is_told_once_after_crash() {
    let told = |world: &World| {
        let mail = the_digest(world, "member0@ubuntu.com: new");
        assert_eq!(mail.subject, "2 changes at ubuntu.com");
        the_digest(world, "member1@ubuntu.com: new");
    };
    each_crash(|world| gather(world, 2), |_| digest(), told).await;
}

#[tokio::test]
async fn counted_changes_are_told_once_after_crash() {
    let told = |world: &World| {
        let mail = the_digest(world, "And 2 more");
        assert_eq!(mail.subject, "101 changes at ubuntu.com");
        assert!(mail.text.contains("New: 101") && mail.text.contains("member98@ubuntu.com: new"), "{}", mail.text);
        assert!(!mail.text.contains("member99@ubuntu.com"), "{}", mail.text);
    };
    each_crash(|world| gather(world, 101), |_| digest(), told).await;
}

#[tokio::test]
async fn first_sync_is_one_bounded_digest() {
    const CHANGES: usize = 10_200;
    let world = World::new().await;
    // Its own change is told apart.
    world.aws.lock().unwrap().items.retain(|(pk, _), _| !pk.starts_with("OUTBOX"));
    gather(&world, CHANGES);
    let mut messages = vec![digest()];
    let mut invocations = 0;
    while let Some(message) = messages.pop() {
        world.aws.lock().unwrap().calls.clear();
        crate::carry_out(&world.context, message).await.unwrap();
        let calls = world.calls().len();
        assert!(calls < 230, "{calls} calls in one invocation");
        invocations += 1;
        messages.extend(world.queued());
    }
    assert_eq!(invocations, 2);
    let mail = the_digest(&world, "And 10,101 more");
    assert_eq!((mail.subject.as_str(), world.mails()), ("10,200 changes at ubuntu.com", 1));
    assert!(!world.aws.lock().unwrap().items.keys().any(|(_, sk)| sk.starts_with("NEWS#") || sk == "BATCH"));
}
