use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use membermail_core::clock::ManualClock;
use membermail_core::message::ToNotify;
use membermail_core::random::CountingRandom;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

#[derive(Debug, thiserror::Error)]
#[error("it does not work")]
struct Broken {
    retryable: bool,
    retry_after: Option<Duration>,
}

impl Retryable for Broken {
    fn is_retryable(&self) -> bool {
        self.retryable
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
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
            if message == ToNotify::Sweep { Err(Broken { retryable: true, retry_after: None }) } else { Ok(()) }
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

/// A queue at a server of the test's own, and what it is asked, in order: the operation and its body.
async fn listening_queue() -> (Queue, Arc<Mutex<Vec<(String, Value)>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let router = axum::Router::new().fallback(move |headers: axum::http::HeaderMap, body: String| {
        let operation = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
        let operation = operation.trim_start_matches("AmazonSQS.").to_owned();
        seen.lock().unwrap().push((operation, serde_json::from_str(&body).unwrap()));
        async { "{}" }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let config = aws_sdk_sqs::Config::builder().behavior_version(BehaviorVersion::v2026_01_12()).endpoint_url(&url);
    let config = config.http_client(crate::http::client().unwrap()).region(Region::new("us-east-1"));
    let config = config.credentials_provider(Credentials::new("test", "test", None, None, "a test"));
    (Queue::new(Client::from_conf(config.build()), format!("{url}queue")), asked)
}

#[rstest]
#[case::by_ourselves(true, None, 3, 5)]
#[case::as_asked(true, Some(120), 120, 120)]
#[case::longer_than_asked(true, Some(1), 3, 5)]
#[case::never_again(false, Some(120), 0, 0)]
#[tokio::test]
async fn a_message_stays_away_for_the_longer_wait(
    #[case] retryable: bool,
    #[case] asked_for: Option<u64>,
    #[case] from: i64,
    #[case] to: i64,
) {
    let (queue, asked) = listening_queue().await;
    let clock = ManualClock::at("2026-11-24T10:01:30Z".parse().unwrap());
    let metrics = Metrics::to(ManualClock::at("2026-11-24T10:01:30Z".parse().unwrap()), |_| {});
    let random = CountingRandom::default();
    let inbox = Inbox {
        step: "verify-member",
        queue: &queue,
        reports: None,
        metrics: &metrics,
        clock: &clock,
        random: &random,
    };
    let mut event = SqsEvent::default();
    event.records = vec![record(attribute("r-1"), sync("r-1"))];
    let retry_after = asked_for.map(Duration::from_secs);
    let failing = |_: membermail_core::message::SyncTeam| async move { Err(Broken { retryable, retry_after }) };
    assert_eq!(inbox.each(event, failing).await.batch_item_failures.len(), 1);
    let asked = asked.lock().unwrap();
    let [(operation, body)] = asked.as_slice() else { panic!("the queue was asked {asked:?}") };
    assert_eq!((operation.as_str(), &body["ReceiptHandle"]), ("ChangeMessageVisibility", &json!("receipt")));
    let seconds = body["VisibilityTimeout"].as_i64().unwrap();
    assert!((from..=to).contains(&seconds), "hidden for {seconds} s");
}

#[rstest]
#[case::its_only_queue(None, "queue")]
#[case::the_same_queue(Some("arn:aws:sqs:us-east-1:000000000000:queue"), "queue")]
#[case::its_other_queue(Some("arn:aws:sqs:us-east-1:000000000000:grants"), "grants")]
#[case::no_arn(Some(""), "queue")]
#[tokio::test]
async fn failed_message_returns_to_its_queue(#[case] arn: Option<&str>, #[case] expected: &str) {
    let (queue, asked) = listening_queue().await;
    let clock = ManualClock::at("2026-11-24T10:01:30Z".parse().unwrap());
    let metrics = Metrics::to(ManualClock::at("2026-11-24T10:01:30Z".parse().unwrap()), |_| {});
    let random = CountingRandom::default();
    let (queue, reports) = (&queue, None);
    let inbox = Inbox { step: "write-aliases", queue, reports, metrics: &metrics, clock: &clock, random: &random };
    let mut record = record(attribute("r-1"), sync("r-1"));
    record.event_source_arn = arn.map(str::to_owned);
    let mut event = SqsEvent::default();
    event.records = vec![record];
    let failing =
        |_: membermail_core::message::SyncTeam| async move { Err(Broken { retryable: true, retry_after: None }) };
    inbox.each(event, failing).await;
    let asked = asked.lock().unwrap();
    let [(_, body)] = asked.as_slice() else { panic!("the queue was asked {asked:?}") };
    assert_eq!(body["QueueUrl"].as_str().unwrap().rsplit('/').next(), Some(expected));
}

#[rstest]
#[case(1, false)]
#[case(2, false)]
#[case(3, true)]
#[case(4, true)]
#[tokio::test]
async fn a_handler_knows_its_last_try(#[case] receives: u32, #[case] is_last: bool) {
    let (queue, asked) = listening_queue().await;
    let clock = ManualClock::at("2026-11-24T10:01:30Z".parse().unwrap());
    let metrics = Metrics::to(ManualClock::at("2026-11-24T10:01:30Z".parse().unwrap()), |_| {});
    let (random, reports) = (CountingRandom::default(), Reports { queue: queue.clone(), tries: 3 });
    let reports = Some(&reports);
    let inbox =
        Inbox { step: "verify-member", queue: &queue, reports, metrics: &metrics, clock: &clock, random: &random };
    let mut record = record(attribute("r-1"), sync("r-1"));
    record.attributes.insert("ApproximateReceiveCount".into(), receives.to_string());
    let mut event = SqsEvent::default();
    event.records = vec![record];
    let seen = RefCell::new(Vec::new());
    let seen = &seen;
    let handle = |_: membermail_core::message::SyncTeam, attempt: Try| async move {
        seen.borrow_mut().push(attempt);
        Err(Broken { retryable: true, retry_after: None })
    };
    inbox.each_try(event, handle).await;
    assert_eq!(*seen.borrow(), [Try { receives, is_last }]);
    // The operators hear of it at the same try.
    let told = asked.lock().unwrap().iter().filter(|(operation, _)| operation == "SendMessage").count();
    assert_eq!(told, usize::from(is_last));
}
