//! The calls that a created address costs, recovery from failed calls, and denied calls.

mod bans;
mod bounces;
mod crashes;
mod failing;
mod fakes;
mod mailbox;
mod mailboxes;
mod outdated;
mod people;
mod rejected;
mod roles;
mod secrets;
mod table;
mod test_messages;
mod world;

use jiff::Timestamp;
use membermail_core::clock::ManualClock;
use membermail_runtime::secret::MasterSecret;
use membermail_runtime::testing::{Denials, Response};
use membermail_store::Store;
use serde_json::{Value, json};

use self::world::World;
use crate::handle;
use crate::mailer::MailSecret;
use crate::pending_digests::PendingDigests;

/// The partition of the domain's digest.
const DIGEST: &str = "DIGEST#ubuntu.com";
/// `maxReceiveCount` of the queue.
const MAX_RECEIVES: u32 = 16;

#[tokio::test]
async fn created_address_costs_six_calls() {
    let world = World::new().await;
    world.claim_digest(60);
    world.deliver().await.unwrap();
    assert_eq!(world.calls(), ["GetItem", "BatchGetItem", "BatchGetItem", "PutItem", "TransactWriteItems", "PutItem"]);
    let aws = world.aws.lock().unwrap();
    assert!(aws.has(DIGEST) && aws.has("NOTICE#") && !aws.has("OUTBOX") && aws.sent.is_empty());
    assert_eq!(world.mails(), 1);
}

#[tokio::test]
async fn digest_is_requested_when_claim_expired() {
    let world = World::new().await;
    // The message of an earlier digest was lost.
    world.claim_digest(-1);
    world.deliver().await.unwrap();
    assert_eq!(world.calls().last().map(String::as_str), Some("SendMessage"));
    let sent: Value = serde_json::from_str(&world.aws.lock().unwrap().sent[0]).unwrap();
    assert_eq!((&sent["kind"], &sent["domain"]), (&json!("digest"), &json!("ubuntu.com")));
}

#[tokio::test]
async fn next_created_address_costs_five_calls() {
    let mut world = World::new().await;
    world.deliver().await.unwrap();
    world.entry = world.created("alice");
    world.deliver().await.unwrap();
    assert_eq!(world.calls(), ["GetItem", "BatchGetItem", "BatchGetItem", "PutItem", "TransactWriteItems"]);
    assert_eq!((world.mails(), world.aws.lock().unwrap().sent.len()), (2, 1));
}

#[test]
fn digest_is_pending_until_delay_ends() {
    let digests = PendingDigests::default();
    let domain = "ubuntu.com".parse().unwrap();
    let [before, since, later, last, until] =
        [99, 100, 110, 219, 220].map(|second| Timestamp::from_second(second).unwrap());
    digests.record(&domain, since, until);
    assert!(digests.is_pending(&domain, last));
    assert!(!digests.is_pending(&domain, until), "the message is visible");
    assert!(!digests.is_pending(&domain, before), "the clock was set back");
    assert!(!digests.is_pending(&"kubuntu.org".parse().unwrap(), later));
}

#[tokio::test]
async fn redelivered_change_costs_one_read() {
    let world = World::new().await;
    world.deliver().await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(world.calls(), ["GetItem"]);
    assert_eq!((world.mails(), world.aws.lock().unwrap().sent.len()), (1, 1));
}

#[tokio::test]
async fn failed_transaction_sends_mail_once() {
    let world = World::new().await;
    world.aws.lock().unwrap().failing_operation = Some("TransactWriteItems");
    world.deliver().await.unwrap_err();
    assert!(world.aws.lock().unwrap().has("OUTBOX"), "the change is lost");
    world.aws.lock().unwrap().failing_operation = None;
    world.deliver().await.unwrap();
    assert!(!world.aws.lock().unwrap().has("OUTBOX"));
    assert_eq!((world.mails(), world.aws.lock().unwrap().sent.len()), (1, 1));
}

#[tokio::test]
async fn digest_is_released_when_queue_fails() {
    let world = World::new().await;
    world.aws.lock().unwrap().failing_operation = Some("SendMessage");
    world.deliver().await.unwrap_err();
    let aws = world.aws.lock().unwrap();
    assert!(
        !aws.items.contains_key(&(DIGEST.to_owned(), "DUE".to_owned())),
        "no message was sent, but the digest is still claimed"
    );
    assert!(aws.has(DIGEST), "the recorded change is lost");
}

#[rstest::rstest]
#[case::not_allowed("AccessDeniedException")]
#[case::nothing_there("ResourceNotFoundException")]
#[tokio::test]
async fn denied_notice_survives_an_hour(#[case] code: &'static str) {
    for denied in ["the table", "the master secret", "the mail secret"] {
        let mut world = World::new().await;
        let message = world.message();
        let denials = Denials::default();
        let aws = denials.aws(move |_, _| Response::error(code));
        let clock = ManualClock::at(world.now());
        let context = &mut world.context;
        context.worker = aws.worker("notify", clock);
        match denied {
            "the table" => context.store = Store::new(aws.dynamodb(), "t"),
            "the master secret" => context.secret = MasterSecret::new(aws.secrets(), "master"),
            _ => context.mail = MailSecret::new(aws.secrets(), Some("mail".to_owned())),
        }
        let handle = async |event| handle(&world.context, event).await;
        let seconds = denials.seconds_to_dead_letter(&message, MAX_RECEIVES, handle).await.unwrap();
        assert!(seconds >= 3600, "{denied}: {seconds} s");
    }
}
