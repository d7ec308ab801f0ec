//! 5,000 domains within the timeout of the function.
//!
//! The time is tokio's paused clock, each call to AWS takes as long as a slow one does, and AWS answers in memory: the result
//! does not depend on the machine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use jiff::SignedDuration;
use membermail_core::clock::ManualClock;
use membermail_core::message::SyncTeam;
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_store::Store;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{table, timeout};
use crate::{Context, Event, handle};

const DOMAINS: usize = 5_000;
/// Of one call; the usual ones take a quarter of it.
const CALL: Duration = Duration::from_millis(20);

#[derive(Debug, Default)]
struct Inside {
    /// The event that has the claim, by partition.
    claims: BTreeMap<String, String>,
    sent: BTreeMap<String, u32>,
    calls: BTreeMap<String, u32>,
}

/// AWS in memory. All domains have a recent sync.
#[derive(Clone, Debug, Default)]
struct Memory(Arc<Mutex<Inside>>);

impl HttpConnector for Memory {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap();
        let (status, answer) = self
            .0
            .lock()
            .unwrap()
            .answer(operation.to_owned(), &serde_json::from_slice(request.body().bytes().unwrap()).unwrap());
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(CALL).await;
            Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(answer.to_string())))
        })
    }
}

impl Inside {
    fn answer(&mut self, operation: String, request: &Value) -> (u16, Value) {
        *self.calls.entry(operation.clone()).or_default() += 1;
        match operation.as_str() {
            "BatchGetItem" => {
                let keys = request["RequestItems"]["t"]["Keys"].as_array().unwrap();
                let synced = table::now().as_microsecond().to_string();
                let item = |key: &Value| json!({ "pk": key["pk"], "sk": key["sk"], "synced": { "N": synced } });
                (200, json!({ "Responses": { "t": keys.iter().map(item).collect::<Vec<_>>() } }))
            }
            "UpdateItem" => {
                let (pk, values) = (request["Key"]["pk"]["S"].as_str().unwrap(), &request["ExpressionAttributeValues"]);
                let event = values[":event"]["S"].as_str().unwrap();
                if values[":now"].is_null() {
                    assert_eq!(self.claims[pk], event, "only its own claim is confirmed");
                } else if let Some(former) = self.claims.insert(pk.to_owned(), event.to_owned()) {
                    assert_eq!(former, event);
                    let error = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
                    return (400, json!({ "__type": error }));
                }
                (200, json!({}))
            }
            "SendMessageBatch" => {
                for entry in request["Entries"].as_array().unwrap() {
                    let message: SyncTeam = serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap();
                    *self.sent.entry(message.domain.to_string()).or_default() += 1;
                }
                (200, json!({ "Successful": [], "Failed": [] }))
            }
            // No domain is retired.
            "Query" => (200, json!({ "Items": [], "Count": 0, "ScannedCount": 0 })),
            other => panic!("{other} has no answer"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn five_thousand_domains_fit_in_timeout() {
    let memory = Memory::default();
    let connector = SharedHttpConnector::new(memory.clone());
    let http = http_client_fn(move |_, _| connector.clone());
    let credentials = || Credentials::new("test", "test", None, None, "a test");
    let dynamodb = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials())
        .http_client(http.clone());
    let sqs = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials())
        .http_client(http);
    let context = Context {
        domains: (0..DOMAINS).map(|number| format!("d{number}.example").parse().unwrap()).collect(),
        store: Store::new(aws_sdk_dynamodb::Client::from_conf(dynamodb.build()), "t"),
        outbox: Queue::new(aws_sdk_sqs::Client::from_conf(sqs.build()), "http://queue.example/sync"),
        period: SignedDuration::from_hours(1),
        metrics: Metrics::to(ManualClock::at(table::now()), |_| {}),
        clock: Box::new(ManualClock::at(table::now())),
    };
    let begin = Instant::now();
    handle(&context, Event::default(), "one").await.unwrap();
    let took = begin.elapsed();
    // The processor of so small a function takes as long again.
    assert!(took < timeout() / 2, "{took:?}");
    let inside = memory.0.lock().unwrap();
    assert_eq!(inside.sent.len(), DOMAINS);
    assert!(inside.sent.values().all(|count| *count == 1));
    let calls = |operation: &str| inside.calls.get(operation).copied().unwrap_or_default();
    assert_eq!(
        ["BatchGetItem", "UpdateItem", "SendMessageBatch"].map(calls),
        [50, 10_000, 500],
        "the reads, the writes and the requests to the queue"
    );
}
