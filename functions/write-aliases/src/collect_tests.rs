//! Collecting from queues without an event source, over a fake SQS.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use aws_lambda_events::event::sqs::SqsEvent;
use membermail_core::address::Address;
use membermail_core::clock::ManualClock;
use membermail_core::message::DeliveryFailure;
use membermail_runtime::testing::{FakeAws, Response, sqs_event};
use membermail_store::Store;
use serde_json::{Value, json};

use crate::{Context, handle};

const FAILURES: &str = "arn:aws:sqs:us-east-1:000000000000:failures";
const GRANTS: &str = "arn:aws:sqs:us-east-1:000000000000:grants";
const WRITES: &str = "arn:aws:sqs:us-east-1:000000000000:write";

/// A fake SQS that delivers each message once, and what was deleted and hidden.
#[derive(Default)]
struct Sqs {
    waiting: BTreeMap<&'static str, VecDeque<Value>>,
    deleted: BTreeSet<String>,
    hidden: BTreeSet<String>,
    receives: usize,
}

impl Sqs {
    fn put(&mut self, queue: &'static str, id: &str, body: &Value) {
        let message = json!({
            "MessageId": id, "ReceiptHandle": format!("receipt-{id}"), "Body": body.to_string(),
            "Attributes": { "ApproximateReceiveCount": "1" }, "MessageAttributes": {},
        });
        self.waiting.entry(queue).or_default().push_back(message);
    }

    fn respond(&mut self, clock: &ManualClock, operation: &str, body: &Value) -> Response {
        let receipt = |value: &Value| value["ReceiptHandle"].as_str().unwrap().to_owned();
        match operation {
            "ReceiveMessage" => {
                self.receives += 1;
                clock.advance(jiff::SignedDuration::from_secs(1));
                let queue = body["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap();
                let waiting = self.waiting.get_mut(queue).map(|all| all.drain(..all.len().min(10)).collect::<Vec<_>>());
                Response::Ok(json!({ "Messages": waiting.unwrap_or_default() }))
            }
            "DeleteMessageBatch" => {
                self.deleted.extend(body["Entries"].as_array().unwrap().iter().map(receipt));
                Response::Ok(json!({ "Successful": [], "Failed": [] }))
            }
            "ChangeMessageVisibility" => {
                self.hidden.insert(receipt(body));
                Response::Ok(json!({}))
            }
            _ => Response::error("UnexpectedOperation"),
        }
    }
}

fn world(collected: &[&str]) -> (Context, Arc<Mutex<Sqs>>) {
    let clock = ManualClock::at("2026-11-24T10:00:00Z".parse().unwrap());
    let sqs = Arc::<Mutex<Sqs>>::default();
    let (fake, time) = (Arc::clone(&sqs), clock.clone());
    let aws = FakeAws::new(move |operation, body| fake.lock().unwrap().respond(&time, operation, body));
    let community = membermail_communities::community("ubuntu").unwrap();
    let context = Context {
        domains: community.domain_names().cloned().collect(),
        rules: community.rules,
        store: Store::in_memory(),
        worker: aws.worker("write", clock),
        failure_queue_arn: FAILURES.into(),
        collected_queue_arns: collected.iter().map(|&arn| arn.to_owned()).collect(),
    };
    (context, sqs)
}

/// Handles the schedule's message, which comes from the write queue. Returns whether it succeeded.
async fn collect(context: &Context) -> bool {
    receive(context, WRITES).await
}

async fn receive(context: &Context, queue: &str) -> bool {
    let mut event: SqsEvent = sqs_event(&json!({ "kind": "collect" })).unwrap();
    event.records[0].event_source_arn = Some(queue.to_owned());
    handle(context, event).await.batch_item_failures.is_empty()
}

/// A failure of an address that does not exist, which is handled without a change.
fn failure() -> Value {
    let address = Address::try_from("unknown@ubuntu.com".to_owned()).unwrap();
    let at = "2026-11-24T09:00:00Z".parse().unwrap();
    json!(DeliveryFailure::forwarded(address, None, "5.2.2".parse().unwrap(), at))
}

fn receipts(ids: impl IntoIterator<Item = usize>) -> BTreeSet<String> {
    ids.into_iter().map(|id| format!("receipt-{id}")).collect()
}

#[tokio::test]
async fn collected_messages_are_handled_and_deleted() {
    let (context, sqs) = world(&[FAILURES, GRANTS]);
    for id in 0..12 {
        sqs.lock().unwrap().put("failures", &id.to_string(), &failure());
    }
    sqs.lock().unwrap().put("grants", "12", &json!({ "kind": "collect" }));
    assert!(collect(&context).await);
    let sqs = sqs.lock().unwrap();
    assert_eq!((&sqs.deleted, sqs.hidden.len()), (&receipts(0..13), 0));
}

#[tokio::test]
async fn failed_message_stays_in_its_queue() {
    let (context, sqs) = world(&[FAILURES]);
    for (id, body) in [failure(), json!({ "kind": "unknown" }), failure()].iter().enumerate() {
        sqs.lock().unwrap().put("failures", &id.to_string(), body);
    }
    assert!(collect(&context).await);
    let sqs = sqs.lock().unwrap();
    assert_eq!((&sqs.deleted, &sqs.hidden), (&receipts([0, 2]), &receipts([1])));
}

/// The mail host must not be able to grant an address or to start a collection.
#[tokio::test]
async fn mail_host_sends_failures_only() {
    let (context, sqs) = world(&[FAILURES]);
    sqs.lock().unwrap().put(
        "failures",
        "0",
        &json!({ "kind": "apply", "run": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "read_at": "2026-11-24T09:00:00Z", "steps": [], "request_id": "r" }),
    );
    assert!(collect(&context).await);
    assert_eq!(sqs.lock().unwrap().hidden, receipts([0]));
    assert!(!receive(&context, FAILURES).await);
}

#[tokio::test]
async fn collection_ends_before_the_timeout() {
    let (context, sqs) = world(&[FAILURES]);
    for id in 0..1_000 {
        sqs.lock().unwrap().put("failures", &id.to_string(), &failure());
    }
    assert!(collect(&context).await);
    assert_eq!(sqs.lock().unwrap().receives, 15);
}

#[tokio::test]
async fn nothing_is_received_with_event_sources() {
    let (context, sqs) = world(&[]);
    assert!(collect(&context).await);
    assert_eq!(sqs.lock().unwrap().receives, 0);
}
