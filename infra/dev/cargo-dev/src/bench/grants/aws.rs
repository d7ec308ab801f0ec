//! AWS for `write-aliases` on loopback: DynamoDB Local, a constant master secret, and queues that discard messages.

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Response};
use membermail_toolbox::proxy::{self, Forwarder};
use serde_json::{Value, json};

use super::table::MASTER_SECRET;

#[derive(Clone)]
struct Aws {
    forwarder: Forwarder,
    dynamodb: String,
}

/// Serves until the process exits; returns the value of `AWS_ENDPOINT_URL`.
pub(super) async fn start(dynamodb: u16) -> Result<String> {
    let aws = Aws { forwarder: Forwarder::new()?, dynamodb: format!("http://127.0.0.1:{dynamodb}/") };
    proxy::serve_on_free_port(Router::new().fallback(respond).with_state(aws)).await
}

async fn respond(State(aws): State<Aws>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    match target.rsplit_once('.') {
        Some((service, _)) if service.starts_with("DynamoDB") => {
            aws.forwarder.forward_or_502(Method::POST, &aws.dynamodb, headers, body).await
        }
        Some((_, "GetSecretValue")) => json_response(&json!({ "SecretString": MASTER_SECRET })),
        _ => json_response(&json!({ "MessageId": "1" })),
    }
}

fn json_response(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/x-amz-json-1.0")], value.to_string()).into_response()
}
