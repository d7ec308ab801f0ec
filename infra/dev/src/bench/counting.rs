//! Stands between the functions and AWS and counts what they ask for, by service and operation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

/// Calls so far, by `service.Operation`.
pub(crate) type Counts = BTreeMap<String, u64>;

/// The counts, which go on.
#[derive(Clone)]
pub(crate) struct Counting {
    to: Arc<str>,
    client: reqwest::Client,
    counts: Arc<Mutex<Counts>>,
}

impl Counting {
    /// Passes everything on to `to` until the process ends.
    pub(crate) fn start(listener: TcpListener, to: &str) -> Result<Self> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let counting = Self { to: to.into(), client, counts: Arc::default() };
        let app = Router::new().fallback(pass).with_state(counting.clone());
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(counting)
    }

    /// What was asked for since the last look.
    pub(crate) fn take(&self) -> Counts {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
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

async fn pass(State(counting): State<Counting>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(call) = call(&headers) {
        *counting.lock().entry(call).or_default() += 1;
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

#[cfg(test)]
mod tests {
    use super::*;

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
