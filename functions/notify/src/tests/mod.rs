//! What a created address costs, and what is left where a call fails.

mod crashes;
mod fakes;
mod mailbox;
mod outdated;
mod table;
mod world;

use jiff::Timestamp;
use serde_json::{Value, json};

use self::world::World;
use crate::digests::Digests;

const DIGEST: &str = "DIGEST#ubuntu.com";

#[tokio::test]
async fn created_address_costs_five_calls() {
    let world = World::new().await;
    world.digest_due(60);
    world.tell().await.unwrap();
    assert_eq!(world.calls(), ["GetItem", "BatchGetItem", "PutItem", "TransactWriteItems", "PutItem"]);
    let aws = world.aws.lock().unwrap();
    assert!(aws.has(DIGEST) && aws.has("NOTICE#") && !aws.has("OUTBOX") && aws.sent.is_empty());
    assert_eq!(world.mails(), 1);
}

#[tokio::test]
async fn digest_is_requested_when_none_is_due() {
    let world = World::new().await;
    // The message of an earlier digest was lost.
    world.digest_due(-1);
    world.tell().await.unwrap();
    assert_eq!(world.calls().last().map(String::as_str), Some("SendMessage"));
    let sent: Value = serde_json::from_str(&world.aws.lock().unwrap().sent[0]).unwrap();
    assert_eq!((&sent["kind"], &sent["domain"]), (&json!("digest"), &json!("ubuntu.com")));
}

#[tokio::test]
async fn next_created_address_costs_four_calls() {
    let mut world = World::new().await;
    world.tell().await.unwrap();
    world.entry = world.created("alice");
    world.tell().await.unwrap();
    assert_eq!(world.calls(), ["GetItem", "BatchGetItem", "PutItem", "TransactWriteItems"]);
    assert_eq!((world.mails(), world.aws.lock().unwrap().sent.len()), (2, 1));
}

#[test]
fn digest_is_requested_after_delay() {
    let (digests, domain) = (Digests::default(), "ubuntu.com".parse().unwrap());
    let at = |second| Timestamp::from_second(second).unwrap();
    digests.hide(&domain, at(100), at(220));
    assert!(digests.is_hidden(&domain, at(219)));
    assert!(!digests.is_hidden(&domain, at(220)), "the message is shown");
    assert!(!digests.is_hidden(&domain, at(99)), "the clock was set back");
    assert!(!digests.is_hidden(&"kubuntu.org".parse().unwrap(), at(110)));
}

#[tokio::test]
async fn redelivered_change_costs_two_reads() {
    let world = World::new().await;
    world.tell().await.unwrap();
    world.tell().await.unwrap();
    // Its shard, and where the release before put it.
    assert_eq!(world.calls(), ["GetItem", "GetItem"]);
    assert_eq!((world.mails(), world.aws.lock().unwrap().sent.len()), (1, 1));
}

#[tokio::test]
async fn mail_goes_once_when_transaction_fails() {
    let world = World::new().await;
    world.aws.lock().unwrap().refuses = Some("TransactWriteItems");
    world.tell().await.unwrap_err();
    assert!(world.aws.lock().unwrap().has("OUTBOX"), "a change is lost");
    world.aws.lock().unwrap().refuses = None;
    world.tell().await.unwrap();
    assert!(!world.aws.lock().unwrap().has("OUTBOX"));
    assert_eq!((world.mails(), world.aws.lock().unwrap().sent.len()), (1, 1));
}

#[tokio::test]
async fn digest_is_released_when_queue_fails() {
    let world = World::new().await;
    world.aws.lock().unwrap().refuses = Some("SendMessage");
    world.tell().await.unwrap_err();
    let aws = world.aws.lock().unwrap();
    assert!(!aws.items.contains_key(&(DIGEST.to_owned(), "DUE".to_owned())), "no message, and no other is asked for");
    assert!(aws.has(DIGEST), "what was gathered is lost");
}
