use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::BehaviorVersion;
use membermail_core::clock::ManualClock;
use membermail_core::message::ToNotify;
use membermail_core::random::CountingRandom;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

#[derive(Debug, thiserror::Error)]
#[error("it does not work")]
struct Broken;

impl Retryable for Broken {
    fn is_retryable(&self) -> bool {
        true
    }
}

fn record(attributes: Value, body: Value) -> SqsMessage {
    let message = json!({
        "messageId": "message-1", "receiptHandle": "receipt", "body": body.to_string(), "messageAttributes": attributes,
        "attributes": { "SentTimestamp": "1795514400000", "ApproximateReceiveCount": "1" },
    });
    serde_json::from_value(message).unwrap()
}

fn attribute(value: &str) -> Value {
    json!({ "request-id": { "stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "String" } })
}

fn sync(request_id: &str) -> Value {
    json!({ "domain": "ubuntu.com", "request_id": request_id })
}

#[rstest]
#[case::both_agree(attribute("r-1"), sync("r-1"), "r-1")]
#[case::the_attribute_rules(attribute("r-1"), sync("r-2"), "r-1")]
#[case::of_a_release_before(json!({}), sync("r-2"), "r-2")]
#[case::an_empty_attribute_is_none(attribute(""), sync("r-2"), "r-2")]
#[case::it_begins_with_the_message(json!({}), sync(""), "message-1")]
#[case::unreadable(attribute("r-1"), json!("poison"), "r-1")]
#[case::unreadable_and_unknown(json!({}), json!("poison"), "message-1")]
fn a_message_began_with_one_request(#[case] attributes: Value, #[case] body: Value, #[case] expected: &str) {
    let record = record(attributes, body);
    let message = serde_json::from_str::<membermail_core::message::SyncTeam>(record.body.as_deref().unwrap());
    assert_eq!(request_id(&record, message.as_ref().ok()), expected);
}

/// A queue that nobody is asked of: where it is asked, there is no answer, and that is only noted.
fn queue() -> Queue {
    let config = aws_sdk_sqs::Config::builder().behavior_version(BehaviorVersion::v2026_01_12());
    Queue::new(Client::from_conf(config.build()), "http://127.0.0.1:9/queue")
}

#[tokio::test]
async fn the_handler_sees_the_request_and_the_metrics_the_age() {
    let lines = Arc::new(Mutex::new(Vec::<Value>::new()));
    let sink = Arc::clone(&lines);
    let clock = || ManualClock::at("2026-11-24T10:01:30Z".parse().unwrap());
    let metrics = Metrics::to(clock(), move |line| sink.lock().unwrap().push(serde_json::from_str(line).unwrap()));
    let (queue, clock, random) = (queue(), clock(), CountingRandom::default());
    let inbox =
        Inbox { step: "notify", queue: &queue, reports: None, metrics: &metrics, clock: &clock, random: &random };
    let mut event = SqsEvent::default();
    let digest = json!({ "kind": "digest", "domain": "ubuntu.com", "request_id": "of the body" });
    event.records = vec![record(attribute("r-1"), digest), record(json!({}), json!("poison"))];
    let seen = RefCell::new(Vec::new());
    let seen = &seen;
    let response = inbox
        .each(event, |message: ToNotify| async move {
            seen.borrow_mut().push(message.request_id().to_owned());
            if message == ToNotify::Sweep { Err(Broken) } else { Ok(()) }
        })
        .await;
    assert_eq!(*seen.borrow(), ["r-1"]);
    let failed: Vec<_> = response.batch_item_failures.iter().map(|one| one.item_identifier.as_str()).collect();
    assert_eq!(failed, ["message-1"]);
    let lines = lines.lock().unwrap();
    let figures: Vec<_> =
        lines.iter().map(|line| (&line["Function"], &line["QueueAge"], &line["MessagesFailed"])).collect();
    assert_eq!(figures, [(&json!("notify"), &json!(90.0), &json!(0.0)), (&json!("notify"), &json!(90.0), &json!(1.0))]);
}
