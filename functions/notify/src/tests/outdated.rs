//! Outdated and superseded notices are dropped, and later notices describe the current state.

use jiff::SignedDuration;
use membermail_core::alias::Status;
use membermail_core::message::NotifyMessage;
use rstest::rstest;

use super::DIGEST;
use super::world::{Changed, MAILBOX, OPERATORS, World, address, digest, mail_secret};
use crate::handle_message;

const ACTIVE: Status = Status::Active;
const LEAVING: Status = Status::Leaving;
const OFF: Status = Status::Suspended;
const GONE: Status = Status::Retired;

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn change(before: Option<Status>, after: Status, age: SignedDuration) -> Changed {
    Changed { name: "bob".into(), before, after, age, renamed_from: None }
}

/// A world with an empty outbox.
async fn empty_outbox() -> World {
    let world = World::new().await;
    world.aws.lock().unwrap().items.retain(|(pk, _), _| !pk.starts_with("OUTBOX"));
    world
}

/// Changes of an address, oldest first, that an outage delayed. The member and the admins are notified only of the result.
#[rstest]
#[case::left_and_restored(&[(Some(ACTIVE), LEAVING), (Some(LEAVING), ACTIVE)], &["bob@ubuntu.com works as before"], None)]
#[case::ended_and_restored(&[(Some(LEAVING), OFF), (Some(OFF), ACTIVE)], &["bob@ubuntu.com works as before"], Some("restored"))]
#[case::left_and_ended(&[(Some(ACTIVE), LEAVING), (Some(LEAVING), OFF)], &["bob@ubuntu.com is switched off"], Some("switched off"))]
#[case::created_and_ended(&[(None, ACTIVE), (Some(ACTIVE), OFF)], &["bob@ubuntu.com is switched off"], Some("switched off"))]
#[case::returned(&[(Some(GONE), ACTIVE)], &["bob@ubuntu.com is back"], Some("restored"))]
#[tokio::test]
async fn superseded_notice_is_dropped(
    #[case] changes: &[(Option<Status>, Status)],
    #[case] member: &[&str],
    #[case] admins: Option<&str>,
) {
    let world = empty_outbox().await;
    for ((before, after), age) in changes.iter().zip((1..9).rev()) {
        world.outbox(&world.change(&change(*before, *after, hours(age))));
    }
    world.run(Vec::new()).await;
    let subjects: Vec<_> = world.mails_to(MAILBOX).into_iter().map(|mail| mail.subject).collect();
    assert_eq!(subjects, member);
    let digests = world.mails_to(OPERATORS);
    assert_eq!(digests.len(), usize::from(admins.is_some()), "{digests:?}");
    if let Some(news) = admins {
        assert_eq!(digests[0].subject, "One change at ubuntu.com");
        assert!(digests[0].text.contains(&format!("bob@ubuntu.com: {news}")), "{}", digests[0].text);
    }
}

#[rstest]
#[case::young(hours(7 * 24 - 1), 1)]
#[case::old(hours(7 * 24 + 1), 0)]
#[tokio::test]
async fn notice_older_than_week_is_dropped(#[case] age: SignedDuration, #[case] mails: usize) {
    let world = empty_outbox().await;
    let entry = world.change(&change(None, ACTIVE, age));
    world.outbox(&entry);
    let message = NotifyMessage::change(entry.id, "a-test");
    handle_message(&world.context, message).await.unwrap();
    assert!(!world.aws.lock().unwrap().has("OUTBOX"), "the entry is not settled");
    assert_eq!((world.mails_to(MAILBOX).len(), world.aws.lock().unwrap().has(DIGEST)), (mails, mails == 1));
}

#[tokio::test]
async fn sweep_drops_old_notices() {
    let world = empty_outbox().await;
    for age in [7 * 24 + 1, 60 * 24, 1] {
        let name = format!("bob{age}");
        world.outbox(&world.change(&Changed { name, ..change(None, ACTIVE, hours(age)) }));
    }
    handle_message(&world.context, NotifyMessage::Sweep).await.unwrap();
    assert_eq!(world.queued().len(), 1, "only the latest is sent to the queue");
    let left = world.aws.lock().unwrap().items.keys().filter(|(pk, _)| pk.starts_with("OUTBOX")).count();
    assert_eq!(left, 1);
}

/// A digest with two changes that waits for the mail server.
#[rstest]
#[case::both_young(hours(24), Some("2 changes at ubuntu.com"))]
#[case::one_old(hours(7 * 24 - 1), Some("One change at ubuntu.com"))]
#[case::all_old(hours(7 * 24 + 1), None)]
#[tokio::test]
async fn digest_drops_changes_older_than_week(#[case] waited: SignedDuration, #[case] subject: Option<&str>) {
    let world = empty_outbox().await;
    for age in [2, 0] {
        let name = format!("bob{age}");
        world.record_for_digest(&world.change(&Changed { name, ..change(None, ACTIVE, hours(age)) }));
    }
    // The digest starts while the mail server is down.
    let secret = std::mem::replace(&mut world.aws.lock().unwrap().mail_secret, mail_secret(1));
    handle_message(&world.context, digest()).await.unwrap_err();
    assert!(world.item(DIGEST, "BATCH").is_some());
    world.aws.lock().unwrap().mail_secret = secret;
    world.advance(waited);
    handle_message(&world.context, digest()).await.unwrap();
    let subjects: Vec<_> = world.mails_to(OPERATORS).into_iter().map(|mail| mail.subject).collect();
    assert_eq!(subjects, subject.into_iter().collect::<Vec<_>>());
    assert!(!world.aws.lock().unwrap().has(DIGEST), "the digest is not settled");
}

#[rstest]
#[case::forwards(&[("old", ACTIVE, 9)], Some("old"))]
#[case::is_off(&[("old", OFF, 9)], None)]
#[case::latest_is_off(&[("old", OFF, 9), ("older", ACTIVE, 20)], Some("older"))]
#[case::latest(&[("old", ACTIVE, 20), ("newer", ACTIVE, 2)], Some("newer"))]
#[tokio::test]
async fn rename_mentions_forwarding_former_address(
    #[case] aliases: &[(&str, Status, i64)],
    #[case] former: Option<&str>,
) {
    let world = empty_outbox().await;
    for (name, status, age) in aliases {
        world.alias(name, *status, world.now() - hours(*age));
    }
    world.aws.lock().unwrap().items.remove(&("DOMAIN#ubuntu.com".to_owned(), "ALIAS#alice".to_owned()));
    let renamed_from = Some(address("old"));
    world.outbox(&world.change(&Changed { renamed_from, ..change(None, ACTIVE, hours(1)) }));
    world.run(Vec::new()).await;
    let mail = world.mails_to(MAILBOX).pop().unwrap();
    assert_eq!(mail.subject, "Your new address is bob@ubuntu.com");
    let expected = former.map(|name| format!("Your former address {name}@ubuntu.com keeps forwarding"));
    match expected {
        Some(text) => assert!(mail.text.contains(&text), "{}", mail.text),
        None => assert!(!mail.text.contains("former"), "{}", mail.text),
    }
}
