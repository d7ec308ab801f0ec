//! The mail server rejects all our mail until an operator fixes it: each notice is kept, and sent exactly once afterwards.

use jiff::SignedDuration;
use membermail_core::alias::Status;
use membermail_core::message::{Failure, NotifyMessage, Undeliverable};
use membermail_runtime::batch::Attempt;
use rstest::rstest;

use super::world::{Changed, MAILBOX, OPERATORS, World, address, digest};
use super::{DIGEST, MAX_RECEIVES, PendingDigests};
use crate::{Error, handle_attempt};

const DENIED: (&str, &str) = ("RCPT", "554 5.7.1 <alice@mail.example>: Relay access denied");

fn reject(world: &World, rejection: Option<(&'static str, &'static str)>) {
    *world.rejection.lock().unwrap() = rejection;
}

fn has(world: &World, pk: &str) -> bool {
    world.aws.lock().unwrap().has(pk)
}

async fn attempt(world: &World, message: &NotifyMessage, receives: u32) -> Result<(), Error> {
    let attempt = Attempt { receives, is_last: false };
    handle_attempt(&world.context, message.clone(), attempt).await
}

/// Delivers messages as SQS does, with a sweep every 15 minutes, for this number of hours. Returns
/// the messages that are still in the queue.
async fn run_queue(world: &mut World, mut messages: Vec<NotifyMessage>, hours: i64) -> Vec<NotifyMessage> {
    for _ in 0..hours * 4 {
        while let Some(message) = messages.pop() {
            let mut receives = 0;
            let handled = loop {
                receives += 1;
                let handled = attempt(world, &message, receives).await;
                if handled.is_ok() || receives == MAX_RECEIVES {
                    break handled;
                }
            };
            assert!(handled.is_ok(), "{message:?} moves to the dead-letter queue: {handled:?}");
        }
        messages = world.queued();
        world.context.pending_digests = PendingDigests::default();
        world.advance(SignedDuration::from_mins(15));
        messages.insert(0, NotifyMessage::Sweep);
    }
    messages
}

fn created(name: &str) -> Changed {
    Changed {
        name: name.to_owned(),
        before: None,
        after: Status::Active,
        age: SignedDuration::ZERO,
        renamed_from: None,
    }
}

fn failure() -> NotifyMessage {
    NotifyMessage::Failed(Failure {
        id: "1".into(),
        member: None,
        step: "verify-member".into(),
        error: "Launchpad does not respond".into(),
        cause: "status 503".into(),
        request_id: "a-test".into(),
    })
}

/// Replies of relays that reject us, at each stage of the session.
#[rstest]
#[case::greeting_of_postfix("EHLO", "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied")]
#[case::no_login("MAIL", "530 5.7.57 Client not authenticated to send mail")]
#[case::sender("MAIL", "550 5.1.0 sender rejected")]
#[case::relaying_by_postfix(DENIED.0, DENIED.1)]
#[case::relaying_by_exim("RCPT", "550 relay not permitted")]
#[case::relaying_by_microsoft("RCPT", "550 5.7.64 TenantAttribution; Relay Access Denied")]
#[case::sandbox_of_ses(".", "554 Message rejected: Email address is not verified.")]
#[tokio::test]
async fn rejected_notices_are_sent_after_fix(#[case] command: &'static str, #[case] reply: &'static str) {
    let mut world = World::new().await;
    let first = world.message();
    let second = NotifyMessage::change(world.created("bob"), "a-test");
    world.record_for_digest(&world.entry(&created("carol")));
    reject(&world, Some((command, reply)));
    let left = run_queue(&mut world, vec![first, second, digest(), failure()], 2).await;
    assert_eq!(world.mails(), 0);
    assert!(has(&world, "OUTBOX") && has(&world, DIGEST));
    assert!(!has(&world, "NOTICE#"), "a notice is settled or claimed");

    reject(&world, None);
    run_queue(&mut world, left, 1).await;
    assert!(!has(&world, "OUTBOX") && !has(&world, DIGEST));
    let [to_member, to_operators] = [MAILBOX, OPERATORS].map(|recipient| world.mails_to(recipient));
    assert_eq!(world.mails(), to_member.len() + to_operators.len(), "a mail is repeated");
    let mut subjects: Vec<_> = to_member.iter().map(|mail| mail.subject.as_str()).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, ["alice@ubuntu.com is yours", "bob@ubuntu.com is yours"]);
    for text in ["alice@ubuntu.com: new", "bob@ubuntu.com: new", "carol@ubuntu.com: new", "status 503"] {
        let found = to_operators.iter().filter(|mail| mail.text.contains(text)).count();
        assert_eq!(found, 1, "{text} in {to_operators:?}");
    }
}

/// The member hears nothing of a dead mailbox, and the operators get no report about it.
#[tokio::test]
async fn relay_rejection_settles_nothing() {
    let world = World::new().await;
    reject(&world, Some(DENIED));
    let cause = world.deliver().await.unwrap_err();
    assert!(cause.is_relay_rejection(), "{cause}");
    assert!(world.queued().is_empty(), "a report of a rejected notice");
    assert!(has(&world, "OUTBOX") && !has(&world, "NOTICE#"));
}

#[tokio::test]
async fn unknown_mailbox_is_still_settled() {
    let world = World::new().await;
    reject(&world, Some(("RCPT", "550 5.1.1 <alice@mail.example>: Recipient address rejected: User unknown")));
    world.deliver().await.unwrap();
    assert!(matches!(world.queued()[0], NotifyMessage::Failed(_)));
    assert!(!has(&world, "OUTBOX"));
}

#[tokio::test]
async fn deferred_notice_waits_for_sweep() {
    let world = World::new().await;
    reject(&world, Some(DENIED));
    attempt(&world, &world.message(), 1).await.unwrap_err();
    attempt(&world, &world.message(), 2).await.unwrap();
    world.advance(SignedDuration::from_mins(6));
    attempt(&world, &NotifyMessage::Sweep, 1).await.unwrap();
    assert_eq!(world.queued(), [NotifyMessage::change(world.entry, "a-test")]);
}

#[tokio::test]
async fn deferred_bounce_is_reported_once() {
    let mut world = World::new().await;
    world.set_sign_in("alice@other.example");
    let bounce = Undeliverable {
        address: address("alice"),
        destination: None,
        reply: "550 5.1.1".into(),
        request_id: "a-test".into(),
    };
    reject(&world, Some(DENIED));
    let left = run_queue(&mut world, vec![NotifyMessage::Undeliverable(bounce)], 1).await;
    reject(&world, None);
    run_queue(&mut world, left, 1).await;
    let reports: Vec<_> =
        world.mails_to(OPERATORS).into_iter().filter(|mail| mail.subject.contains("rejected")).collect();
    assert_eq!((reports.len(), world.mails_to("alice@other.example").len()), (1, 1));
}

/// Operators see one error line per outage; the alarm goes by the metric.
#[tokio::test]
async fn outage_is_logged_once() {
    let world = World::new().await;
    let mail = &world.context.mail;
    reject(&world, Some(DENIED));
    for _ in 0..2 {
        world.deliver().await.unwrap_err();
        assert!(!mail.record_rejected(true).await, "the outage is recorded");
    }
    reject(&world, None);
    world.deliver().await.unwrap();
    assert!(!mail.record_rejected(false).await, "its end is recorded");
    assert!(mail.record_rejected(true).await, "another outage is logged again");
}
