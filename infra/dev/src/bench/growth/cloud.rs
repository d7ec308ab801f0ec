//! AWS as far as functions ask it, on loopback: DynamoDB Local behind a count of request units, queues that keep what they
//! are sent, and two secrets.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::capacity::{read, size, write};
use super::usage::Usage;

/// SQS counts a request for each 64 KB of what it carries.
const CHUNK: usize = 64 * 1024;
const TARGET: &str = "x-amz-target";

/// A message that a function has sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// The queue's logical id, which is the last part of its URL.
    pub(crate) queue: String,
    pub(crate) body: String,
    pub(crate) is_delayed: bool,
}

/// The endpoint, until the process ends.
#[derive(Clone)]
pub(crate) struct Cloud {
    pub(crate) url: String,
    client: reqwest::Client,
    dynamodb: Arc<str>,
    mail_settings: Arc<str>,
    counted: Arc<Mutex<Counted>>,
}

/// What was asked for since the last look.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) usage: Usage,
    /// Calls of any service.
    pub(crate) calls: f64,
    /// Write units of checkpoints, which a fast reading does not need.
    pub(crate) checkpoints: f64,
    pub(crate) sent: Vec<Sent>,
}

impl Cloud {
    pub(crate) async fn start(dynamodb: u16, mail_settings: &str) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let cloud = Self {
            url: format!("http://{}", listener.local_addr()?),
            client: reqwest::Client::builder().no_proxy().build()?,
            dynamodb: format!("http://127.0.0.1:{dynamodb}/").into(),
            mail_settings: mail_settings.into(),
            counted: Arc::default(),
        };
        let app = Router::new().fallback(answer).with_state(cloud.clone());
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(cloud)
    }

    pub(crate) fn take(&self) -> Counted {
        std::mem::take(&mut *self.counted())
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call(&self, headers: &HeaderMap, body: &Value) -> Result<(StatusCode, Value)> {
        let target = headers.get(TARGET).context("no target")?.to_str()?.to_owned();
        let (service, operation) = target.rsplit_once('.').context("no operation")?;
        self.counted().calls += 1.0;
        if service.starts_with("DynamoDB") {
            return self.dynamodb(operation, headers, body).await;
        }
        let answer = match operation {
            "GetSecretValue" => self.secret(body),
            "SendMessage" => self.send(body),
            "SendMessageBatch" => self.send_all(body),
            _ => {
                self.counted().usage.add("messages", 1.0);
                json!({})
            }
        };
        Ok((StatusCode::OK, answer))
    }

    fn secret(&self, body: &Value) -> Value {
        self.counted().usage.add("secret reads", 1.0);
        let is_mail = body["SecretId"].as_str().is_some_and(|arn| arn.ends_with("mail"));
        json!({ "SecretString": if is_mail { &*self.mail_settings } else { "0123456789012345678901234567890123456789" } })
    }

    fn send(&self, body: &Value) -> Value {
        self.keep(&body["QueueUrl"], body, 1);
        json!({ "MessageId": "00000000-0000-0000-0000-000000000000" })
    }

    fn send_all(&self, body: &Value) -> Value {
        let entries = body["Entries"].as_array().cloned().unwrap_or_default();
        for (at, entry) in entries.iter().enumerate() {
            self.keep(&body["QueueUrl"], entry, usize::from(at == 0));
        }
        let successful: Vec<_> = entries.iter().map(|entry| json!({ "Id": entry["Id"], "MessageId": "m" })).collect();
        json!({ "Successful": successful, "Failed": [] })
    }

    /// Keeps a message of a request; only the first one of a batch is a request.
    fn keep(&self, queue: &Value, message: &Value, requests: usize) {
        let (url, body) = (queue.as_str().unwrap_or_default(), message["MessageBody"].as_str().unwrap_or_default());
        let queue = url.rsplit('/').next().unwrap_or_default().to_owned();
        let is_delayed = message["DelaySeconds"].as_u64().is_some_and(|seconds| seconds > 0);
        let mut counted = self.counted();
        let chunks = if requests == 0 { body.len() / CHUNK } else { body.len().div_ceil(CHUNK) };
        counted.usage.add("messages", u32::try_from(chunks).map_or(f64::MAX, f64::from));
        counted.sent.push(Sent { queue, body: body.to_owned(), is_delayed });
    }

    async fn dynamodb(&self, operation: &str, headers: &HeaderMap, body: &Value) -> Result<(StatusCode, Value)> {
        let writes = writes(operation, body);
        let mut before = Vec::new();
        for write in &writes {
            before.push(self.item(headers, write).await?);
        }
        let mut asked = body.clone();
        asked["ReturnConsumedCapacity"] = json!("TOTAL");
        let (status, answer) = self.ask(operation, headers, &asked).await?;
        let is_transaction = operation == "TransactWriteItems";
        for (one, before) in writes.iter().zip(&before) {
            let after = if one.is_check { before.clone() } else { self.item(headers, one).await? };
            let (before, after) = (before.as_ref(), after.as_ref());
            // A condition writes nothing, and costs what a write of the table would.
            let units = if one.is_check {
                write(before.map(without_index).as_ref(), None, true)
            } else {
                write(before, after, is_transaction)
            };
            let mut counted = self.counted();
            counted.usage.add("write units", units);
            if one.key["sk"]["S"].as_str().is_some_and(|sk| sk.starts_with("CHECKPOINT#")) {
                counted.checkpoints += units;
            }
        }
        self.counted().usage.add("read units", reads(operation, body, &answer));
        Ok((status, answer))
    }

    /// An item as it is now.
    async fn item(&self, headers: &HeaderMap, write: &Write) -> Result<Option<Value>> {
        let get = json!({ "TableName": write.table, "Key": write.key, "ConsistentRead": true });
        let (_, mut answer) = self.ask("GetItem", headers, &get).await?;
        Ok(answer.get_mut("Item").map(Value::take))
    }

    async fn ask(&self, operation: &str, headers: &HeaderMap, body: &Value) -> Result<(StatusCode, Value)> {
        let mut headers = headers.clone();
        for name in [header::HOST, header::CONTENT_LENGTH] {
            headers.remove(name);
        }
        headers.insert(TARGET, HeaderValue::from_str(&format!("DynamoDB_20120810.{operation}"))?);
        let request = self.client.post(&*self.dynamodb).headers(headers).body(body.to_string());
        let answer = request.send().await?;
        let status = answer.status();
        Ok((status, serde_json::from_slice(&answer.bytes().await?)?))
    }
}

/// An item that a call writes, or looks at within a transaction.
struct Write {
    table: Value,
    key: Value,
    is_check: bool,
}

fn writes(operation: &str, body: &Value) -> Vec<Write> {
    let one = |part: &Value, is_check| {
        let keys = if part["Item"].is_object() { &part["Item"] } else { &part["Key"] };
        let key = json!({ "pk": keys["pk"], "sk": keys["sk"] });
        Write { table: part["TableName"].clone(), key, is_check }
    };
    match operation {
        "PutItem" | "UpdateItem" | "DeleteItem" => vec![one(body, false)],
        "TransactWriteItems" => {
            let parts = body["TransactItems"].as_array().into_iter().flatten();
            parts
                .filter_map(|part| part.as_object()?.iter().next())
                .map(|(kind, part)| one(part, kind == "ConditionCheck"))
                .collect()
        }
        "BatchWriteItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            let requests =
                tables.flat_map(|(table, all)| all.as_array().into_iter().flatten().map(move |one| (table, one)));
            requests
                .filter_map(|(table, request)| Some((table, request.as_object()?.values().next()?)))
                .map(|(table, part)| Write { table: json!(table), ..one(part, false) })
                .collect()
        }
        _ => Vec::new(),
    }
}

/// An item that an index does not have.
fn without_index(item: &Value) -> Value {
    let mut item = item.clone();
    item["address"] = Value::Null;
    item
}

/// Units of a call that reads.
fn reads(operation: &str, body: &Value, answer: &Value) -> f64 {
    let consumed = answer["ConsumedCapacity"]["CapacityUnits"].as_f64().unwrap_or_default();
    match operation {
        "GetItem" | "Query" | "Scan" => consumed.max(read(0, body["ConsistentRead"] == true)),
        "BatchGetItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            tables
                .map(|(table, asked)| {
                    let is_consistent = asked["ConsistentRead"] == true;
                    let found = answer["Responses"][table].as_array().cloned().unwrap_or_default();
                    let missing = asked["Keys"].as_array().map_or(0, Vec::len).saturating_sub(found.len());
                    let units = found.iter().map(|item| read(size(item), is_consistent)).sum::<f64>();
                    units + u32::try_from(missing).map_or(f64::MAX, f64::from) * read(0, is_consistent)
                })
                .sum()
        }
        "TransactGetItems" => {
            let items = answer["Responses"].as_array().into_iter().flatten();
            items.map(|one| 2.0 * read(size(&one["Item"]), true)).sum()
        }
        _ => 0.0,
    }
}

async fn answer(State(cloud): State<Cloud>, headers: HeaderMap, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match cloud.call(&headers, &body).await {
        Ok((status, answer)) => {
            (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], answer.to_string()).into_response()
        }
        Err(cause) => (StatusCode::BAD_GATEWAY, format!("{cause:#}")).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(pk: &str) -> Value {
        json!({ "pk": { "S": pk }, "sk": { "S": "-" } })
    }

    #[test]
    fn each_item_of_a_transaction_is_counted() {
        let body = json!({ "TransactItems": [
            { "Put": { "TableName": "t", "Item": keys("a") } },
            { "ConditionCheck": { "TableName": "t", "Key": keys("b") } },
            { "Delete": { "TableName": "t", "Key": keys("c") } },
        ] });
        let writes = writes("TransactWriteItems", &body);
        let found: Vec<_> = writes.iter().map(|one| (one.key["pk"]["S"].as_str().unwrap(), one.is_check)).collect();
        assert_eq!(found, [("a", false), ("b", true), ("c", false)]);
    }

    #[rstest::rstest]
    #[case::miss("GetItem", json!({ "ConsistentRead": true }), json!({}), 1.0)]
    #[case::eventual_miss("Query", json!({}), json!({ "ConsumedCapacity": { "CapacityUnits": 0.0 } }), 0.5)]
    #[case::query("Query", json!({ "ConsistentRead": true }), json!({ "ConsumedCapacity": { "CapacityUnits": 26.0 } }), 26.0)]
    #[case::batch(
        "BatchGetItem",
        json!({ "RequestItems": { "t": { "ConsistentRead": true, "Keys": [keys("a"), keys("b")] } } }),
        json!({ "Responses": { "t": [keys("a")] } }),
        2.0
    )]
    #[case::write("PutItem", json!({}), json!({ "ConsumedCapacity": { "CapacityUnits": 1.0 } }), 0.0)]
    fn reads_count_what_is_missing(
        #[case] operation: &str,
        #[case] body: Value,
        #[case] answer: Value,
        #[case] units: f64,
    ) {
        assert_eq!(reads(operation, &body, &answer), units);
    }
}
