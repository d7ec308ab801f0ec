//! Mail to an alias, by its destinations in a fake of DynamoDB.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use membermail_core::destination::DestinationId;
use serde_json::{Value, json};

use crate::aws::{
    MEMBER, Shared, alias_of, change_destination, destination, destination_sealed_by, lookups, member, ok, text,
};

const ADDRESS: &str = "alice@ubuntu.com";
const LATER: &str = "450 4.2.1 This address cannot take mail just now; please try again later";
const SWITCHED_OFF: &str = "550 5.2.1 This address is switched off";

/// A table with a member, their destinations `one@` and `two@`, and an alias that forwards to both.
fn table() -> (Shared, [DestinationId; 2]) {
    let aws = Shared::default();
    member(&aws, MEMBER, "alice", "active");
    let destinations = ["one@mail.example", "two@mail.example"].map(|address| destination(&aws, MEMBER, address));
    alias_of(&aws, MEMBER, ADDRESS, "active", &destinations);
    (aws, destinations)
}

fn change_alias(aws: &Shared, name: &str, value: Value) {
    let key = ("DOMAIN#ubuntu.com".to_owned(), "ALIAS#alice".to_owned());
    aws.lock().unwrap().items.get_mut(&key).unwrap()[name] = value;
}

async fn reply(aws: &Shared, map: &str) -> String {
    lookups(aws).await.reply(format!("{map} {ADDRESS}").as_bytes()).await.to_data()
}

#[tokio::test]
async fn alias_needs_two_requests() {
    let (aws, _) = table();
    let lookups = lookups(&aws).await;
    assert!(lookups.reply(b"alias alice@ubuntu.com").await == ok("one@mail.example, two@mail.example"));
    let targets: Vec<_> = aws.lock().unwrap().requests.iter().map(|(target, _)| target.clone()).collect();
    assert_eq!(targets, ["DynamoDB_20120810.GetItem", "DynamoDB_20120810.BatchGetItem"]);
}

#[rstest::rstest]
#[case::unconfirmed(json!({ "confirmed": null }))]
#[case::removed(json!({ "removed": text("2026-11-28T21:30:00Z") }))]
#[tokio::test]
async fn unusable_destination_gets_no_mail(#[case] change: Value) {
    let (aws, [one, _]) = table();
    change_destination(&aws, MEMBER, one, change);
    assert_eq!(reply(&aws, "alias").await, "OK two@mail.example");
}

#[tokio::test]
async fn missing_destination_gets_no_mail() {
    let (aws, [_, two]) = table();
    aws.lock().unwrap().items.remove(&(format!("MEMBER#{MEMBER}"), format!("DESTINATION#{two}")));
    assert_eq!(reply(&aws, "alias").await, "OK one@mail.example");
}

/// A destination of another member, as a damaged item could name.
#[tokio::test]
async fn foreign_destination_gets_no_mail() {
    const OTHER: &str = "01BX5ZZKBKACTAV9WEVGEMMVRZ";
    let (aws, [one, _]) = table();
    member(&aws, OTHER, "mallory", "active");
    let foreign = destination(&aws, OTHER, "mallory@mail.example");
    alias_of(&aws, MEMBER, ADDRESS, "active", &[one, foreign]);
    assert_eq!(reply(&aws, "alias").await, "OK one@mail.example");
}

/// Mail must not miss a destination in silence.
#[tokio::test]
async fn one_broken_destination_defers_mail() {
    let (aws, [one, _]) = table();
    let broken = destination_sealed_by(&aws, "another secret, which is long enough too", MEMBER, "x@mail.example");
    alias_of(&aws, MEMBER, ADDRESS, "active", &[one, broken]);
    for map in ["alias", "reject"] {
        let reply = reply(&aws, map).await;
        assert!(reply.starts_with("TEMP "), "{map}: {reply}");
    }
}

#[rstest::rstest]
#[case::for_now(json!({}), LATER)]
#[case::for_good(json!({ "is_permanent": { "BOOL": true } }), SWITCHED_OFF)]
#[tokio::test]
async fn paused_alias_refuses_mail(#[case] more: Value, #[case] expected: &str) {
    let (aws, _) = table();
    let mut pause = json!({ "since": text("2026-11-28T20:00:00Z") });
    pause.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    change_alias(&aws, "paused", json!({ "M": pause }));
    assert_eq!(reply(&aws, "reject").await, format!("OK {expected}"));
    assert_eq!(reply(&aws, "alias").await, "NOTFOUND ");
}

/// The maps' clock is at 22:00 on 28 November.
#[rstest::rstest]
#[case::new(["2026-11-20T00:00:00Z", "2026-11-28T21:00:00Z"], LATER)]
#[case::at_the_end(["2026-11-25T22:00:00.000001Z", "2026-11-20T00:00:00Z"], LATER)]
#[case::expired(["2026-11-25T22:00:00Z", "2026-11-20T00:00:00Z"], SWITCHED_OFF)]
#[tokio::test]
async fn unconfirmed_alias_is_deferred_at_first(#[case] created: [&str; 2], #[case] expected: &str) {
    let (aws, destinations) = table();
    for (destination, created) in destinations.into_iter().zip(created) {
        change_destination(&aws, MEMBER, destination, json!({ "confirmed": null, "created": text(created) }));
    }
    assert_eq!(reply(&aws, "reject").await, format!("OK {expected}"));
    assert_eq!(reply(&aws, "alias").await, "NOTFOUND ");
}

/// The member has just replaced `one@` by `two@`, and this read of the alias is older.
#[tokio::test]
async fn stale_alias_is_read_again() {
    let (aws, [one, two]) = table();
    alias_of(&aws, MEMBER, ADDRESS, "active", &[one]);
    let key = ("DOMAIN#ubuntu.com".to_owned(), "ALIAS#alice".to_owned());
    let before = aws.lock().unwrap().items[&key].clone();
    aws.lock().unwrap().stale.insert(key, before);
    alias_of(&aws, MEMBER, ADDRESS, "active", &[two]);
    change_destination(&aws, MEMBER, one, json!({ "removed": text("2026-11-28T21:59:59Z") }));
    assert_eq!(reply(&aws, "alias").await, "OK two@mail.example");
}
