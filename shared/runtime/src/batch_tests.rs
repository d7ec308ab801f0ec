use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use membermail_core::clock::ManualClock;
use membermail_core::message::{NotifyMessage, SyncTeam};
use membermail_core::random::CountingRandom;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::testing::{FakeAws, Response};

#[derive(Debug, thiserror::Error)]
#[error("it does not work")]
struct Broken {
    retryable: bool,
    retry_after: Option<Duration>,
}

impl Broken {
    fn retryable() -> Self {
        Self { retryable: true, retry_after: None }
    }
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

fn event(records: Vec<SqsMessage>) -> SqsEvent {
    let mut event = SqsEvent::default();
    event.records = records;
    event
}

#[rstest]
#[case::both_agree(attribute("r-1"), sync("r-1"), "r-1")]
#[case::attribute_wins(attribute("r-1"), sync("r-2"), "r-1")]
#[case::body_only(json!({}), sync("r-2"), "r-2")]
#[case::empty_attribute(attribute(""), sync("r-2"), "r-2")]
#[case::message_id(json!({}), sync(""), "message-1")]
#[case::malformed_body(attribute("r-1"), json!("poison"), "r-1")]
#[case::malformed_body_without_attribute(json!({}), json!("poison"), "message-1")]
fn request_id_has_one_source(#[case] attributes: Value, #[case] body: Value, #[case] expected: &str) {
    let record = record(attributes, body);
    let message = serde_json::from_str::<SyncTeam>(record.body.as_deref().unwrap());
    assert_eq!(request_id(&record, message.as_ref().ok()), expected);
}

fn clock() -> ManualClock {
    ManualClock::at("2026-11-24T10:01:30Z".parse().unwrap())
}

/// Requests to a fake SQS: operation and body.
type Requests = Arc<Mutex<Vec<(String, Value)>>>;

/// A worker with a fixed clock, and its requests.
fn worker() -> (Worker, Requests) {
    let requests = Requests::default();
    let recorded = Arc::clone(&requests);
    let aws = FakeAws::new(move |operation, request| {
        recorded.lock().unwrap().push((operation.to_owned(), request.clone()));
        Response::Ok(json!({}))
    });
    (Worker { random: Box::new(CountingRandom::default()), ..aws.worker("queue", clock()) }, requests)
}

#[tokio::test]
async fn batch_records_request_id_and_age() {
    let lines = Arc::new(Mutex::new(Vec::<Value>::new()));
    let sink = Arc::clone(&lines);
    let metrics =
        Metrics::to_sink("test", clock(), move |line| sink.lock().unwrap().push(serde_json::from_str(line).unwrap()));
    let worker = Worker { function: "notify", metrics, ..worker().0 };
    let digest = json!({ "kind": "digest", "domain": "ubuntu.com", "request_id": "of the body" });
    let records = vec![record(attribute("r-1"), digest), record(json!({}), json!("poison"))];
    let request_ids = RefCell::new(Vec::new());
    let request_ids = &request_ids;
    let response = worker
        .process(event(records), |message: NotifyMessage| async move {
            request_ids.borrow_mut().push(message.request_id().to_owned());
            if message == NotifyMessage::Sweep { Err(Broken::retryable()) } else { Ok(()) }
        })
        .await;
    assert_eq!(*request_ids.borrow(), ["r-1"]);
    let failed: Vec<_> = response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
    assert_eq!(failed, ["message-1"]);
    let lines = lines.lock().unwrap();
    let figures: Vec<_> =
        lines.iter().map(|line| (&line["Function"], &line["QueueAge"], &line["MessagesFailed"])).collect();
    assert_eq!(figures, [(&json!("notify"), &json!(90.0), &json!(0.0)), (&json!("notify"), &json!(90.0), &json!(1.0))]);
}

#[rstest]
#[case::backoff(true, None, 3, 5)]
#[case::retry_after(true, Some(120), 120, 120)]
#[case::backoff_longer_than_retry_after(true, Some(1), 3, 5)]
#[case::not_retryable(false, Some(120), 0, 0)]
#[tokio::test]
async fn failed_message_waits_for_longer_delay(
    #[case] retryable: bool,
    #[case] retry_after: Option<u64>,
    #[case] min: i64,
    #[case] max: i64,
) {
    let (worker, requests) = worker();
    let retry_after = retry_after.map(Duration::from_secs);
    let event = event(vec![record(attribute("r-1"), sync("r-1"))]);
    let response = worker.process(event, |_: SyncTeam| async move { Err(Broken { retryable, retry_after }) }).await;
    assert_eq!(response.batch_item_failures.len(), 1);
    let requests = requests.lock().unwrap();
    let [(operation, body)] = requests.as_slice() else { panic!("requests: {requests:?}") };
    assert_eq!((operation.as_str(), &body["ReceiptHandle"]), ("ChangeMessageVisibility", &json!("receipt")));
    let seconds = body["VisibilityTimeout"].as_i64().unwrap();
    assert!((min..=max).contains(&seconds), "hidden for {seconds} s");
}

#[rstest]
#[case::no_arn(None, "queue")]
#[case::same_queue(Some("arn:aws:sqs:us-east-1:000000000000:queue"), "queue")]
#[case::other_queue(Some("arn:aws:sqs:us-east-1:000000000000:grants"), "grants")]
#[case::empty_arn(Some(""), "queue")]
#[tokio::test]
async fn failed_message_returns_to_its_queue(#[case] arn: Option<&str>, #[case] expected: &str) {
    let (worker, requests) = worker();
    let mut record = record(attribute("r-1"), sync("r-1"));
    record.event_source_arn = arn.map(str::to_owned);
    worker.process(event(vec![record]), |_: SyncTeam| async move { Err(Broken::retryable()) }).await;
    let requests = requests.lock().unwrap();
    let [(_, body)] = requests.as_slice() else { panic!("requests: {requests:?}") };
    assert_eq!(body["QueueUrl"].as_str().unwrap().rsplit('/').next(), Some(expected));
}

#[rstest]
#[case(1, false)]
#[case(2, false)]
#[case(3, true)]
#[case(4, true)]
#[tokio::test]
async fn last_attempt_is_known_and_reported(#[case] receives: u32, #[case] is_last: bool) {
    let (worker, requests) = worker();
    let worker = Worker { max_receives: Some(3), ..worker };
    let mut record = record(attribute("r-1"), sync("r-1"));
    record.attributes.insert("ApproximateReceiveCount".into(), receives.to_string());
    let attempts = RefCell::new(Vec::new());
    let attempts = &attempts;
    worker
        .process_attempts(event(vec![record]), |_: SyncTeam, attempt| async move {
            attempts.borrow_mut().push(attempt);
            Err(Broken::retryable())
        })
        .await;
    assert_eq!(*attempts.borrow(), [Attempt { receives, is_last }]);
    let reports = requests.lock().unwrap().iter().filter(|(operation, _)| operation == "SendMessage").count();
    assert_eq!(reports, usize::from(is_last));
}
