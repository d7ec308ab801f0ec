//! Stands between the functions and AWS and counts what they ask for, by service and operation, the items that they write,
//! by their kind, and the partitions that they read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use serde_json::Value;
use tokio::net::TcpListener;

/// Calls so far, by `service.Operation`.
pub(crate) type Counts = BTreeMap<String, u64>;

/// The counts, which go on.
#[derive(Clone)]
pub(crate) struct Counting {
    to: Arc<str>,
    client: reqwest::Client,
    counts: Arc<Mutex<Counts>>,
    items: Arc<Mutex<Counts>>,
    partitions: Arc<Mutex<Counts>>,
}

impl Counting {
    /// Passes everything on to `to` until the process ends.
    pub(crate) fn start(listener: TcpListener, to: &str) -> Result<Self> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let (counts, items, partitions) = (Arc::default(), Arc::default(), Arc::default());
        let counting = Self { to: to.into(), client, counts, items, partitions };
        let app = Router::new().fallback(pass).with_state(counting.clone());
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(counting)
    }

    /// What was asked for since the last look.
    pub(crate) fn take(&self) -> Counts {
        std::mem::take(&mut *lock(&self.counts))
    }

    /// The items that were asked to be written since the last look, by the words that their keys begin with: `SYNC/RUN`.
    /// Each one within a transaction or a batch counts.
    pub(crate) fn take_items(&self) -> Counts {
        std::mem::take(&mut *lock(&self.items))
    }

    /// How often each partition was read from its beginning since the last look, by the words of its key and of the sort
    /// keys: `DOMAIN/ALIAS`. Further pages of the same reading do not count.
    pub(crate) fn take_partitions(&self) -> Counts {
        std::mem::take(&mut *lock(&self.partitions))
    }

    async fn pass(&self, method: Method, uri: &Uri, mut headers: HeaderMap, body: Bytes) -> Result<Response> {
        headers.remove(header::HOST);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let request = self.client.request(method, format!("{}{path}", self.to)).headers(headers).body(body);
        let answer = request.send().await?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        response.headers_mut().remove(header::TRANSFER_ENCODING);
        *response.body_mut() = Body::from(answer.bytes().await?);
        Ok(response)
    }
}

fn lock(counts: &Mutex<Counts>) -> MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass(State(counting): State<Counting>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(call) = call(&headers) {
        for kind in written(&call, &body) {
            *lock(&counting.items).entry(kind).or_default() += 1;
        }
        if let Some(partition) = read(&call, &body) {
            *lock(&counting.partitions).entry(partition).or_default() += 1;
        }
        *lock(&counting.counts).entry(call).or_default() += 1;
    }
    let passed = counting.pass(method, &uri, headers, body).await;
    passed.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response())
}

/// `DynamoDB_20120810.GetItem` of the target header is `dynamodb.GetItem`.
fn call(headers: &HeaderMap) -> Option<String> {
    let (service, operation) = headers.get("x-amz-target")?.to_str().ok()?.rsplit_once('.')?;
    let service = match service.split_once('_').map_or(service, |(name, _)| name) {
        "AmazonSQS" => "sqs",
        "DynamoDB" => "dynamodb",
        other => other,
    };
    Some(format!("{service}.{operation}"))
}

/// The kind of each item that a call writes.
fn written(call: &str, body: &[u8]) -> Vec<String> {
    let body: Value = match call {
        "dynamodb.PutItem"
        | "dynamodb.UpdateItem"
        | "dynamodb.DeleteItem"
        | "dynamodb.TransactWriteItems"
        | "dynamodb.BatchWriteItem" => serde_json::from_slice(body).unwrap_or_default(),
        _ => return Vec::new(),
    };
    let parts = || body["TransactItems"].as_array().into_iter().flatten();
    let transacted = parts().flat_map(|part| ["Put", "Update", "Delete"].map(|name| &part[name]));
    let requests = body["RequestItems"].as_object().into_iter().flat_map(|tables| tables.values());
    let batched = requests
        .flat_map(|requests| requests.as_array().into_iter().flatten())
        .flat_map(|part| ["PutRequest", "DeleteRequest"].map(|name| &part[name]));
    std::iter::once(&body).chain(transacted).chain(batched).filter_map(kind).collect()
}

/// The partition that a query reads from its beginning.
fn read(call: &str, body: &[u8]) -> Option<String> {
    if call != "dynamodb.Query" {
        return None;
    }
    let body: Value = serde_json::from_slice(body).ok()?;
    if !body["ExclusiveStartKey"].is_null() {
        return None;
    }
    let values = &body["ExpressionAttributeValues"];
    let word = |name: &str| values[name]["S"].as_str().and_then(|key| key.split('#').next());
    Some(format!("{}/{}", word(":pk")?, word(":sk").unwrap_or_default()))
}

/// `SYNC#ubuntu.com` and `RUN#01K…` are `SYNC/RUN`.
fn kind(write: &Value) -> Option<String> {
    let keys = [&write["Item"], &write["Key"]].into_iter().find(|keys| keys.is_object())?;
    let word = |name: &str| Some(keys[name]["S"].as_str()?.split('#').next().unwrap_or_default().to_owned());
    Some(format!("{}/{}", word("pk")?, word("sk")?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn items_are_counted_one_by_one() {
        let keys = |pk: &str, sk: &str| json!({ "pk": { "S": pk }, "sk": { "S": sk } });
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
        let one = json!({ "Item": keys("SYNC#ubuntu.com", "STEPS#1#000000") });
        for (operation, body, kinds) in [
            ("TransactWriteItems", &transaction, &["SYNC/RUN", "SYNC/LEASE", "DOMAIN/ALIAS"][..]),
            ("BatchWriteItem", &batch, &["OUTBOX/1", "OUTBOX/2"]),
            ("PutItem", &one, &["SYNC/STEPS"]),
            ("GetItem", &json!({ "Key": keys("SYNC#ubuntu.com", "LEASE") }), &[]),
        ] {
            let call = format!("dynamodb.{operation}");
            assert_eq!(written(&call, body.to_string().as_bytes()), kinds, "{operation}");
        }
    }

    #[test]
    fn readings_are_counted_without_further_pages() {
        let mut query = json!({ "ExpressionAttributeValues": {
            ":pk": { "S": "DOMAIN#ubuntu.com" }, ":sk": { "S": "ALIAS#" },
        } });
        let read = |query: &Value| read("dynamodb.Query", query.to_string().as_bytes());
        assert_eq!(read(&query).as_deref(), Some("DOMAIN/ALIAS"));
        query["ExclusiveStartKey"] = json!({ "pk": { "S": "DOMAIN#ubuntu.com" } });
        assert_eq!(read(&query), None);
    }

    #[test]
    fn calls_are_named_by_service_and_operation() {
        for (target, name) in [
            ("DynamoDB_20120810.TransactWriteItems", "dynamodb.TransactWriteItems"),
            ("AmazonSQS.SendMessage", "sqs.SendMessage"),
            ("secretsmanager.GetSecretValue", "secretsmanager.GetSecretValue"),
        ] {
            let headers = HeaderMap::from_iter([("x-amz-target".parse().unwrap(), target.parse().unwrap())]);
            assert_eq!(call(&headers).as_deref(), Some(name));
        }
        assert_eq!(call(&HeaderMap::new()), None);
    }
}
