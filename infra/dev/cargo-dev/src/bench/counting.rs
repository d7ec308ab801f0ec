//! A proxy between functions and AWS that counts calls by operation, written items by kind, and read partitions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use membermail_toolbox::proxy::{self, Forwarder};
use serde_json::Value;
use tokio::net::TcpListener;

/// Counts by name.
pub(crate) type Counts = BTreeMap<String, u64>;

/// The counts since the last reset.
#[derive(Default)]
pub(crate) struct Counted {
    /// Calls by `service.Operation`.
    pub(crate) calls: Counts,
    /// Written items by the first word of both keys: `SYNC/RUN`. Each item of a transaction or batch counts.
    pub(crate) items: Counts,
    /// Queries by the first word of partition and sort key: `DOMAIN/ALIAS`. Only the first page of a query counts.
    pub(crate) queries: Counts,
}

/// A running proxy.
#[derive(Clone)]
pub(crate) struct Counting {
    upstream: Arc<str>,
    forwarder: Forwarder,
    counted: Arc<Mutex<Counted>>,
}

impl Counting {
    /// Forwards all requests to `upstream` until the process exits.
    pub(crate) fn start(listener: TcpListener, upstream: &str) -> Result<Self> {
        let counting = Self { upstream: upstream.into(), forwarder: Forwarder::new()?, counted: Arc::default() };
        proxy::serve(listener, Router::new().fallback(count_and_forward).with_state(counting.clone()));
        Ok(counting)
    }

    /// Resets the counters and returns the counts so far.
    pub(crate) fn reset(&self) -> Counted {
        std::mem::take(&mut *self.counted())
    }

    /// Waits until no call was made for `quiet`.
    pub(crate) async fn wait_for_quiet(&self, quiet: Duration) {
        let total = || self.counted().calls.values().sum::<u64>();
        let mut before = None;
        while before != Some(total()) {
            before = Some(total());
            tokio::time::sleep(quiet).await;
        }
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn count_and_forward(
    State(counting): State<Counting>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(call) = call_name(&headers) {
        let mut counted = counting.counted();
        for kind in written_kinds(&call, &body) {
            *counted.items.entry(kind).or_default() += 1;
        }
        if let Some(partition) = queried_partition(&call, &body) {
            *counted.queries.entry(partition).or_default() += 1;
        }
        *counted.calls.entry(call).or_default() += 1;
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    counting.forwarder.forward_or_502(method, &format!("{}{path}", counting.upstream), headers, body).await
}

/// `dynamodb.GetItem` for the target header `DynamoDB_20120810.GetItem`.
fn call_name(headers: &HeaderMap) -> Option<String> {
    let (service, operation) = headers.get("x-amz-target")?.to_str().ok()?.rsplit_once('.')?;
    let service = match service.split_once('_').map_or(service, |(name, _)| name) {
        "AmazonSQS" => "sqs",
        "DynamoDB" => "dynamodb",
        other => other,
    };
    Some(format!("{service}.{operation}"))
}

/// The kind of each item that a call writes.
fn written_kinds(call: &str, body: &[u8]) -> Vec<String> {
    let body: Value = match call {
        "dynamodb.PutItem"
        | "dynamodb.UpdateItem"
        | "dynamodb.DeleteItem"
        | "dynamodb.TransactWriteItems"
        | "dynamodb.BatchWriteItem" => serde_json::from_slice(body).unwrap_or_default(),
        _ => return Vec::new(),
    };
    let parts = body["TransactItems"].as_array().into_iter().flatten();
    let transacted = parts.flat_map(|part| ["Put", "Update", "Delete"].map(|name| &part[name]));
    let requests = body["RequestItems"].as_object().into_iter().flat_map(|tables| tables.values());
    let batched = requests
        .flat_map(|requests| requests.as_array().into_iter().flatten())
        .flat_map(|part| ["PutRequest", "DeleteRequest"].map(|name| &part[name]));
    std::iter::once(&body).chain(transacted).chain(batched).filter_map(kind).collect()
}

/// The partition of a query's first page.
fn queried_partition(call: &str, body: &[u8]) -> Option<String> {
    if call != "dynamodb.Query" {
        return None;
    }
    let body: Value = serde_json::from_slice(body).ok()?;
    if !body["ExclusiveStartKey"].is_null() {
        return None;
    }
    let values = &body["ExpressionAttributeValues"];
    Some(format!("{}/{}", first_word(&values[":pk"])?, first_word(&values[":sk"]).unwrap_or_default()))
}

/// `SYNC/RUN` for the keys `SYNC#ubuntu.com` and `RUN#01K…`.
fn kind(write: &Value) -> Option<String> {
    let keys = [&write["Item"], &write["Key"]].into_iter().find(|keys| keys.is_object())?;
    Some(format!("{}/{}", first_word(&keys["pk"])?, first_word(&keys["sk"])?))
}

fn first_word(key: &Value) -> Option<&str> {
    key["S"].as_str()?.split('#').next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keys(pk: &str, sk: &str) -> Value {
        json!({ "pk": { "S": pk }, "sk": { "S": sk } })
    }

    #[test]
    fn each_written_item_counts() {
        let transaction = json!({ "TransactItems": [
            { "Put": { "Item": keys("SYNC#ubuntu.com", "RUN#1") } },
            { "Delete": { "Key": keys("SYNC#ubuntu.com", "LEASE") } },
            { "Update": { "Key": keys("DOMAIN#ubuntu.com", "ALIAS#alice") } },
            { "ConditionCheck": { "Key": keys("MEMBER#1", "PROFILE") } },
        ] });
        let batch = json!({ "RequestItems": { "table": [
            { "PutRequest": { "Item": keys("OUTBOX", "1") } },
            { "DeleteRequest": { "Key": keys("OUTBOX", "2") } },
        ] } });
        let put = json!({ "Item": keys("SYNC#ubuntu.com", "STEPS#1#000000") });
        for (operation, body, kinds) in [
            ("TransactWriteItems", &transaction, &["SYNC/RUN", "SYNC/LEASE", "DOMAIN/ALIAS"][..]),
            ("BatchWriteItem", &batch, &["OUTBOX/1", "OUTBOX/2"]),
            ("PutItem", &put, &["SYNC/STEPS"]),
            ("GetItem", &json!({ "Key": keys("SYNC#ubuntu.com", "LEASE") }), &[]),
        ] {
            let call = format!("dynamodb.{operation}");
            assert_eq!(written_kinds(&call, body.to_string().as_bytes()), kinds, "{operation}");
        }
    }

    #[test]
    fn queries_count_once_for_all_pages() {
        let mut query = json!({ "ExpressionAttributeValues": {
            ":pk": { "S": "DOMAIN#ubuntu.com" }, ":sk": { "S": "ALIAS#" },
        } });
        let first_page = query.to_string();
        assert_eq!(queried_partition("dynamodb.Query", first_page.as_bytes()).as_deref(), Some("DOMAIN/ALIAS"));
        query["ExclusiveStartKey"] = json!({ "pk": { "S": "DOMAIN#ubuntu.com" } });
        assert_eq!(queried_partition("dynamodb.Query", query.to_string().as_bytes()), None);
    }

    #[test]
    fn calls_are_named_by_operation() {
        for (target, name) in [
            ("DynamoDB_20120810.TransactWriteItems", "dynamodb.TransactWriteItems"),
            ("AmazonSQS.SendMessage", "sqs.SendMessage"),
            ("secretsmanager.GetSecretValue", "secretsmanager.GetSecretValue"),
        ] {
            let headers = HeaderMap::from_iter([("x-amz-target".parse().unwrap(), target.parse().unwrap())]);
            assert_eq!(call_name(&headers).as_deref(), Some(name));
        }
        assert_eq!(call_name(&HeaderMap::new()), None);
    }
}
