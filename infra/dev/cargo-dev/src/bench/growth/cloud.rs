//! A fake of AWS that counts usage: DynamoDB Local with request units, queues that keep sent messages, and two secrets.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use membermail_toolbox::proxy::{self, Forwarder, bad_gateway};
use serde_json::{Value, json};

use super::capacity::{read, size, write};
use super::usage::Usage;
use crate::bench::figures::float;

/// SQS bills each 64 KB of a payload as one request.
const CHUNK: usize = 64 * 1024;
const TARGET: &str = "x-amz-target";

/// A message sent by a function.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// Logical id of the queue: the last part of its URL.
    pub(crate) queue: String,
    pub(crate) body: String,
    pub(crate) is_delayed: bool,
}

/// The running fake; it serves until the process exits.
#[derive(Clone)]
pub(crate) struct Cloud {
    pub(crate) url: String,
    forwarder: Forwarder,
    dynamodb: Arc<str>,
    mail_settings: Arc<str>,
    counted: Arc<Mutex<Counted>>,
}

/// Usage since the last reset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) usage: Usage,
    /// Calls to all services.
    pub(crate) calls: f64,
    /// Write units of checkpoints; short syncs write none.
    pub(crate) checkpoints: f64,
    pub(crate) sent: Vec<Sent>,
}

impl Cloud {
    pub(crate) async fn start(dynamodb: u16, mail_settings: &str) -> Result<Self> {
        let mut cloud = Self {
            url: String::new(),
            forwarder: Forwarder::new()?,
            dynamodb: format!("http://127.0.0.1:{dynamodb}/").into(),
            mail_settings: mail_settings.into(),
            counted: Arc::default(),
        };
        cloud.url = proxy::serve_on_free_port(Router::new().fallback(respond).with_state(cloud.clone())).await?;
        Ok(cloud)
    }

    /// Resets the counters and returns the usage so far.
    pub(crate) fn reset(&self) -> Counted {
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
        let response = match operation {
            "GetSecretValue" => self.secret(body),
            "SendMessage" => self.send(body),
            "SendMessageBatch" => self.send_all(body),
            _ => {
                self.counted().usage.add("messages", 1.0);
                json!({})
            }
        };
        Ok((StatusCode::OK, response))
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
        for (index, entry) in entries.iter().enumerate() {
            self.keep(&body["QueueUrl"], entry, usize::from(index == 0));
        }
        let successful: Vec<_> = entries.iter().map(|entry| json!({ "Id": entry["Id"], "MessageId": "m" })).collect();
        json!({ "Successful": successful, "Failed": [] })
    }

    /// Stores a message. `requests` is 0 for all but the first message of a batch.
    fn keep(&self, queue: &Value, message: &Value, requests: usize) {
        let url = queue.as_str().unwrap_or_default();
        let body = message["MessageBody"].as_str().unwrap_or_default();
        let queue = url.rsplit('/').next().unwrap_or_default().to_owned();
        let is_delayed = message["DelaySeconds"].as_u64().is_some_and(|seconds| seconds > 0);
        let mut counted = self.counted();
        let chunks = if requests == 0 { body.len() / CHUNK } else { body.len().div_ceil(CHUNK) };
        counted.usage.add("messages", float(chunks));
        counted.sent.push(Sent { queue, body: body.to_owned(), is_delayed });
    }

    async fn dynamodb(&self, operation: &str, headers: &HeaderMap, body: &Value) -> Result<(StatusCode, Value)> {
        let writes = writes(operation, body);
        let mut before = Vec::new();
        for write in &writes {
            before.push(self.item(headers, write).await?);
        }
        let mut request = body.clone();
        request["ReturnConsumedCapacity"] = json!("TOTAL");
        let (status, response) = self.forward(operation, headers, &request).await?;
        let is_transaction = operation == "TransactWriteItems";
        for (item_write, before) in writes.iter().zip(&before) {
            let after = if item_write.is_check { before.clone() } else { self.item(headers, item_write).await? };
            // A condition check costs as much as a write to the table without its index.
            let units = if item_write.is_check {
                write(before.as_ref().map(without_index).as_ref(), None, true)
            } else {
                write(before.as_ref(), after.as_ref(), is_transaction)
            };
            let mut counted = self.counted();
            counted.usage.add("write units", units);
            if item_write.key["sk"]["S"].as_str().is_some_and(|sk| sk.starts_with("CHECKPOINT#")) {
                counted.checkpoints += units;
            }
        }
        self.counted().usage.add("read units", reads(operation, body, &response));
        Ok((status, response))
    }

    /// The current version of an item.
    async fn item(&self, headers: &HeaderMap, write: &Write) -> Result<Option<Value>> {
        let get = json!({ "TableName": write.table, "Key": write.key, "ConsistentRead": true });
        let (_, mut response) = self.forward("GetItem", headers, &get).await?;
        Ok(response.get_mut("Item").map(Value::take))
    }

    async fn forward(&self, operation: &str, headers: &HeaderMap, body: &Value) -> Result<(StatusCode, Value)> {
        let mut headers = headers.clone();
        headers.insert(TARGET, HeaderValue::from_str(&format!("DynamoDB_20120810.{operation}"))?);
        let body = body.to_string().into();
        let response = self.forwarder.forward(Method::POST, &self.dynamodb, headers, body).await?;
        let status = response.status();
        Ok((status, serde_json::from_slice(&to_bytes(response.into_body(), usize::MAX).await?)?))
    }
}

/// An item that a call writes, or checks within a transaction.
struct Write {
    table: Value,
    key: Value,
    is_check: bool,
}

impl Write {
    fn new(part: &Value, is_check: bool) -> Self {
        let keys = if part["Item"].is_object() { &part["Item"] } else { &part["Key"] };
        let key = json!({ "pk": keys["pk"], "sk": keys["sk"] });
        Self { table: part["TableName"].clone(), key, is_check }
    }
}

fn writes(operation: &str, body: &Value) -> Vec<Write> {
    match operation {
        "PutItem" | "UpdateItem" | "DeleteItem" => vec![Write::new(body, false)],
        "TransactWriteItems" => {
            let parts = body["TransactItems"].as_array().into_iter().flatten();
            parts
                .filter_map(|part| part.as_object()?.iter().next())
                .map(|(kind, part)| Write::new(part, kind == "ConditionCheck"))
                .collect()
        }
        "BatchWriteItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            let requests = tables
                .flat_map(|(table, all)| all.as_array().into_iter().flatten().map(move |request| (table, request)));
            requests
                .filter_map(|(table, request)| Some((table, request.as_object()?.values().next()?)))
                .map(|(table, part)| Write { table: json!(table), ..Write::new(part, false) })
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The item without its index key, as if the index did not contain it.
fn without_index(item: &Value) -> Value {
    let mut item = item.clone();
    item["address"] = Value::Null;
    item
}

/// Read units of a call.
fn reads(operation: &str, body: &Value, response: &Value) -> f64 {
    let consumed = response["ConsumedCapacity"]["CapacityUnits"].as_f64().unwrap_or_default();
    match operation {
        "GetItem" | "Query" | "Scan" => consumed.max(read(0, body["ConsistentRead"] == true)),
        "BatchGetItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            tables
                .map(|(table, request)| {
                    let is_consistent = request["ConsistentRead"] == true;
                    let found = response["Responses"][table].as_array().cloned().unwrap_or_default();
                    let missing = request["Keys"].as_array().map_or(0, Vec::len).saturating_sub(found.len());
                    let units = found.iter().map(|item| read(size(item), is_consistent)).sum::<f64>();
                    units + float(missing) * read(0, is_consistent)
                })
                .sum()
        }
        "TransactGetItems" => {
            let items = response["Responses"].as_array().into_iter().flatten();
            items.map(|entry| 2.0 * read(size(&entry["Item"]), true)).sum()
        }
        _ => 0.0,
    }
}

async fn respond(State(cloud): State<Cloud>, headers: HeaderMap, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match cloud.call(&headers, &body).await {
        Ok((status, response)) => {
            (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], response.to_string()).into_response()
        }
        Err(error) => bad_gateway(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(pk: &str) -> Value {
        json!({ "pk": { "S": pk }, "sk": { "S": "-" } })
    }

    #[test]
    fn transaction_items_are_counted() {
        let body = json!({ "TransactItems": [
            { "Put": { "TableName": "t", "Item": keys("a") } },
            { "ConditionCheck": { "TableName": "t", "Key": keys("b") } },
            { "Delete": { "TableName": "t", "Key": keys("c") } },
        ] });
        let writes = writes("TransactWriteItems", &body);
        let found: Vec<_> =
            writes.iter().map(|write| (write.key["pk"]["S"].as_str().unwrap(), write.is_check)).collect();
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
    fn reads_include_missing_items(
        #[case] operation: &str,
        #[case] body: Value,
        #[case] response: Value,
        #[case] units: f64,
    ) {
        assert_eq!(reads(operation, &body, &response), units);
    }
}
