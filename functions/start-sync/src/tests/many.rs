//! 5,000 domains within the timeout of the function.
//!
//! The test uses tokio's paused clock and an in-memory fake of AWS with a fixed latency, so the result does not depend on the
//! machine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;
use membermail_core::clock::ManualClock;
use membermail_core::message::SyncTeam;
use membermail_runtime::metrics::Metrics;
use membermail_runtime::testing::{FakeAws, Response};
use membermail_store::Store;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{table, timeout};
use crate::{Context, Event, handle};

const DOMAINS: usize = 5_000;
/// Latency of a slow call; typical calls take a quarter of it.
const LATENCY: Duration = Duration::from_millis(20);

/// The state of a fake AWS in which all domains have a recent sync.
#[derive(Default)]
struct State {
    /// The event that holds the claim, by partition.
    claims: BTreeMap<String, String>,
    sent: BTreeMap<String, u32>,
    calls: BTreeMap<String, u32>,
}

impl State {
    fn handle(&mut self, operation: &str, request: &Value) -> Response {
        *self.calls.entry(operation.to_owned()).or_default() += 1;
        match operation {
            "BatchGetItem" => {
                let keys = request["RequestItems"]["t"]["Keys"].as_array().unwrap();
                let synced = table::now().as_microsecond().to_string();
                let items =
                    keys.iter().map(|key| json!({ "pk": key["pk"], "sk": key["sk"], "synced": { "N": synced } }));
                Response::Ok(json!({ "Responses": { "t": items.collect::<Vec<_>>() } }))
            }
            "UpdateItem" => {
                let pk = request["Key"]["pk"]["S"].as_str().unwrap();
                let values = &request["ExpressionAttributeValues"];
                let event = values[":event"]["S"].as_str().unwrap();
                if values[":requested_at"].is_null() {
                    assert_eq!(self.claims[pk], event, "another event's claim is confirmed");
                } else if let Some(former) = self.claims.insert(pk.to_owned(), event.to_owned()) {
                    assert_eq!(former, event);
                    return Response::error("com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException");
                }
                Response::Ok(json!({}))
            }
            "SendMessageBatch" => {
                for entry in request["Entries"].as_array().unwrap() {
                    let message: SyncTeam = serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap();
                    *self.sent.entry(message.domain.to_string()).or_default() += 1;
                }
                Response::Ok(json!({ "Successful": [], "Failed": [] }))
            }
            // No domain is retired.
            "Query" => Response::Ok(json!({ "Items": [], "Count": 0, "ScannedCount": 0 })),
            other => panic!("unexpected operation {other}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn five_thousand_domains_fit_in_timeout() {
    let state = Arc::new(Mutex::new(State::default()));
    let handler = Arc::clone(&state);
    let aws = FakeAws::new(move |operation, request| handler.lock().unwrap().handle(operation, request));
    let aws = aws.with_latency(LATENCY);
    let context = Context {
        domains: (0..DOMAINS).map(|number| format!("d{number}.example").parse().unwrap()).collect(),
        store: Store::new(aws.dynamodb(), "t"),
        sync_queue: aws.queue("sync"),
        period: SignedDuration::from_hours(1),
        metrics: Metrics::to_sink("test", ManualClock::at(table::now()), |_| {}),
        clock: Box::new(ManualClock::at(table::now())),
    };
    let start = Instant::now();
    handle(&context, Event::default(), "one").await.unwrap();
    let took = start.elapsed();
    // Leaves half of the timeout for the CPU time of a small function.
    assert!(took < timeout() / 2, "{took:?}");
    let state = state.lock().unwrap();
    assert_eq!(state.sent.len(), DOMAINS);
    assert!(state.sent.values().all(|count| *count == 1));
    assert_eq!(
        ["BatchGetItem", "UpdateItem", "SendMessageBatch"].map(|operation| state.calls[operation]),
        [50, 10_000, 500],
        "numbers of reads, writes and requests to the queue"
    );
}
