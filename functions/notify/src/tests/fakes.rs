//! A fake of AWS, as far as `notify` knows it. It counts the calls that a notice costs, and can end a function at any of
//! them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::table::{assign, holds, selects};

pub(super) const MASTER: &str = "a master secret of these tests, long enough";

/// DynamoDB, SQS and Secrets Manager.
#[derive(Default)]
pub(super) struct Aws {
    pub(super) items: BTreeMap<(String, String), Value>,
    /// Calls to the table and the queue, by operation.
    pub(super) calls: Vec<String>,
    /// Bodies of the messages that were sent.
    pub(super) sent: Vec<String>,
    /// An operation that is refused from now on.
    pub(super) refuses: Option<&'static str>,
    /// The call at which the function ends.
    pub(super) crash: Option<Crash>,
    /// Told when it has ended.
    pub(super) crashed: Arc<Notify>,
    pub(super) mail_secret: String,
}

/// When a function ends, without another word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crash {
    /// At this call from now on.
    pub(super) call: usize,
    /// Whether the call itself is carried out.
    pub(super) is_carried_out: bool,
}

pub(super) type Shared = Arc<Mutex<Aws>>;

impl Aws {
    /// Puts a value as an item of these keys.
    pub(super) fn put(&mut self, pk: &str, sk: &str, value: &Value) {
        let mut item = attribute(value)["M"].take();
        (item["pk"], item["sk"]) = (json!({ "S": pk }), json!({ "S": sk }));
        self.items.insert((pk.to_owned(), sk.to_owned()), item);
    }

    pub(super) fn has(&self, pk: &str) -> bool {
        self.items.keys().any(|(key, _)| key.starts_with(pk))
    }

    fn answer(&mut self, operation: &str, request: &Value) -> Result<Value, Value> {
        if operation == "GetSecretValue" {
            let is_mail = request["SecretId"] == "mail";
            return Ok(json!({ "SecretString": if is_mail { self.mail_secret.as_str() } else { MASTER } }));
        }
        self.calls.push(operation.to_owned());
        if self.refuses == Some(operation) {
            return Err(json!({ "__type": "ValidationException", "message": "a test" }));
        }
        match operation {
            "SendMessage" => {
                self.sent.push(request["MessageBody"].as_str().unwrap().to_owned());
                Ok(json!({ "MessageId": "1" }))
            }
            "GetItem" => {
                let item = self.items.get(&keys(&request["Key"]));
                Ok(item.map_or_else(|| json!({}), |item| json!({ "Item": item })))
            }
            "BatchGetItem" => {
                let wanted = request["RequestItems"]["t"]["Keys"].as_array().unwrap();
                let found: Vec<_> = wanted.iter().filter_map(|key| self.items.get(&keys(key))).collect();
                Ok(json!({ "Responses": { "t": found } }))
            }
            "Query" => {
                let items: Box<dyn Iterator<Item = &Value>> = match &request["ExpressionAttributeValues"][":pk"]["S"] {
                    Value::String(pk) => {
                        let partition = self.items.range((pk.clone(), String::new())..);
                        Box::new(partition.take_while(move |((of, _), _)| of == pk).map(|(_, item)| item))
                    }
                    // Of the index.
                    _ => Box::new(self.items.values()),
                };
                let limit = request["Limit"].as_u64().and_then(|most| most.try_into().ok()).unwrap_or(usize::MAX);
                let found: Vec<_> = items.filter(|item| selects(request, item)).take(limit).collect();
                Ok(json!({ "Items": found, "Count": found.len(), "ScannedCount": found.len() }))
            }
            "TransactWriteItems" => {
                let writes = request["TransactItems"].as_array().unwrap();
                let is_held: Vec<_> = writes.iter().map(|write| self.holds(part(write))).collect();
                if is_held.contains(&false) {
                    let code = |held: &bool| json!({ "Code": if *held { "None" } else { "ConditionalCheckFailed" } });
                    let reasons: Vec<_> = is_held.iter().map(code).collect();
                    return Err(json!({ "__type": "TransactionCanceledException", "CancellationReasons": reasons }));
                }
                writes.iter().for_each(|write| self.write(part(write)));
                Ok(json!({}))
            }
            "PutItem" | "UpdateItem" | "DeleteItem" if !self.holds(request) => {
                Err(json!({ "__type": "ConditionalCheckFailedException" }))
            }
            "PutItem" | "UpdateItem" | "DeleteItem" => {
                self.write(request);
                Ok(json!({}))
            }
            _ => panic!("{operation}"),
        }
    }

    /// Whether the condition of a write holds.
    fn holds(&self, write: &Value) -> bool {
        let key = if write["Key"].is_null() { &write["Item"] } else { &write["Key"] };
        holds(write, self.items.get(&keys(key)))
    }

    fn write(&mut self, write: &Value) {
        if !write["Item"].is_null() {
            self.items.insert(keys(&write["Item"]), write["Item"].clone());
        } else if write["UpdateExpression"].is_null() {
            self.items.remove(&keys(&write["Key"]));
        } else {
            assign(write, self.items.entry(keys(&write["Key"])).or_insert_with(|| write["Key"].clone()));
        }
    }
}

/// The one write of an element of a transaction.
fn part(write: &Value) -> &Value {
    write.as_object().and_then(|write| write.values().next()).unwrap()
}

fn keys(item: &Value) -> (String, String) {
    let key = |name: &str| item[name]["S"].as_str().unwrap().to_owned();
    (key("pk"), key("sk"))
}

/// A value as DynamoDB writes it.
fn attribute(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(value) => json!({ "BOOL": value }),
        Value::Number(value) => json!({ "N": value.to_string() }),
        Value::String(value) => json!({ "S": value }),
        Value::Array(values) => json!({ "L": values.iter().map(attribute).collect::<Vec<_>>() }),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), attribute(value)));
            json!({ "M": fields.collect::<serde_json::Map<_, _>>() })
        }
    }
}

async fn answer(State(aws): State<Shared>, headers: HeaderMap, body: String) -> Response {
    let operation = headers["x-amz-target"].to_str().unwrap().rsplit('.').next().unwrap().to_owned();
    let request: Value = serde_json::from_str(&body).unwrap();
    let (answer, crashed) = {
        let mut aws = aws.lock().unwrap();
        let is_counted = operation != "GetSecretValue";
        let crash = aws.crash.filter(|_| is_counted);
        if let Some(crash) = aws.crash.as_mut().filter(|_| is_counted) {
            crash.call = crash.call.saturating_sub(1);
        }
        match crash {
            Some(Crash { call: 0, is_carried_out }) => {
                if is_carried_out {
                    let _ = aws.answer(&operation, &request);
                }
                aws.crash = None;
                (Ok(Value::Null), Some(Arc::clone(&aws.crashed)))
            }
            _ => (aws.answer(&operation, &request), None),
        }
    };
    if let Some(crashed) = crashed {
        crashed.notify_one();
        // The function that asked is no more.
        return std::future::pending().await;
    }
    let (status, answer) = match answer {
        Ok(answer) => (StatusCode::OK, answer),
        Err(answer) => (StatusCode::BAD_REQUEST, answer),
    };
    (status, [(CONTENT_TYPE, "application/x-amz-json-1.0")], answer.to_string()).into_response()
}

/// Serves the fake, and gives what clients need.
pub(super) async fn serve(aws: Shared) -> SdkConfig {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(answer).with_state(aws);
    tokio::spawn(async move { axum::serve(listener, app).await });
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "a test"))
        .endpoint_url(url)
        .load()
        .await
}
