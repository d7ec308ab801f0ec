//! Fakes of AWS and of a mail server, as far as `notify` knows them. The fake counts the calls that a notice costs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

pub(super) const MASTER: &str = "a master secret of these tests, long enough";

/// DynamoDB, SQS and Secrets Manager.
#[derive(Default)]
pub(super) struct Aws {
    pub(super) items: HashMap<(String, String), Value>,
    /// Calls to the table and the queue, by operation.
    pub(super) calls: Vec<String>,
    /// Bodies of the messages that were sent.
    pub(super) sent: Vec<String>,
    /// An operation that is refused from now on.
    pub(super) refuses: Option<&'static str>,
    pub(super) mail_secret: String,
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
            "PutItem" | "DeleteItem" => {
                self.write(request);
                Ok(json!({}))
            }
            // Only an entry in flight is updated, which no test looks at.
            "UpdateItem" => Ok(json!({})),
            _ => panic!("{operation}"),
        }
    }

    /// Whether the condition of a write holds: those that `notify` has.
    fn holds(&self, write: &Value) -> bool {
        let Some(condition) = write["ConditionExpression"].as_str() else { return true };
        let key = if write["Key"].is_null() { &write["Item"] } else { &write["Key"] };
        let item = self.items.get(&keys(key));
        let number = |value: &Value| value["N"].as_str().unwrap_or_default().parse::<i64>().unwrap_or(i64::MAX);
        let now = number(&write["ExpressionAttributeValues"][":now"]);
        let at_most_now = |item: &Value, field: &str| number(&item[field]) <= now;
        match condition {
            "attribute_exists(pk)" => item.is_some(),
            "attribute_not_exists(pk) OR (#state = :sending AND lease_until <= :now)" => {
                item.is_none_or(|item| item["state"]["S"] == "sending" && at_most_now(item, "lease_until"))
            }
            "attribute_not_exists(due_until) OR due_until <= :now" => {
                item.is_none_or(|item| item["due_until"].is_null() || at_most_now(item, "due_until"))
            }
            _ => panic!("{condition}"),
        }
    }

    fn write(&mut self, write: &Value) {
        if write["Item"].is_null() {
            self.items.remove(&keys(&write["Key"]));
        } else {
            self.items.insert(keys(&write["Item"]), write["Item"].clone());
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
    let (status, answer) = match aws.lock().unwrap().answer(&operation, &request) {
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

/// A mail server that takes everything: its port, and the recipients of what it took.
pub(super) async fn mail_server() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, taken) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let inbox = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            stream.write_all(b"220 ready\r\n").await.unwrap();
            let (mut line, mut is_data) = (String::new(), false);
            while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) {
                let said = line.trim_end();
                let reply = match said.get(..4).unwrap_or(said) {
                    "." if is_data => {
                        is_data = false;
                        "250 taken"
                    }
                    _ if is_data => "",
                    "DATA" => {
                        is_data = true;
                        "354 go on"
                    }
                    "RCPT" => {
                        inbox.lock().unwrap().push(said.to_owned());
                        "250 ok"
                    }
                    _ => "250 ok",
                };
                if !reply.is_empty() {
                    stream.write_all(format!("{reply}\r\n").as_bytes()).await.unwrap();
                }
                line.clear();
            }
        }
    });
    (port, taken)
}
