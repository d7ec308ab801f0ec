//! AWS for `write-aliases` on loopback: the table is DynamoDB Local's, the master secret is always the same, and what is sent
//! to a queue is taken.

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use serde_json::json;
use tokio::net::TcpListener;

use super::table::MASTER;

/// The content type of AWS.
const JSON: &str = "application/x-amz-json-1.0";

/// It answers until the process ends.
pub(super) struct Aws {
    /// What `AWS_ENDPOINT_URL` is set to.
    pub(super) url: String,
}

#[derive(Clone)]
struct Table {
    client: reqwest::Client,
    url: String,
}

impl Aws {
    pub(super) async fn start(dynamodb: u16) -> Result<Self> {
        let table = Table {
            client: reqwest::Client::builder().no_proxy().build()?,
            url: format!("http://127.0.0.1:{dynamodb}/"),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = Router::new().fallback(answer).with_state(table);
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { url })
    }
}

async fn answer(State(table): State<Table>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let own = match target.rsplit_once('.') {
        Some((service, _)) if service.starts_with("DynamoDB") => None,
        Some((_, "GetSecretValue")) => Some(json!({ "SecretString": MASTER })),
        _ => Some(json!({ "MessageId": "1" })),
    };
    match own {
        Some(own) => ([(header::CONTENT_TYPE, JSON)], own.to_string()).into_response(),
        None => {
            let passed = pass(&table, headers, body).await;
            passed.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response())
        }
    }
}

async fn pass(table: &Table, mut headers: HeaderMap, body: Bytes) -> Result<Response> {
    headers.remove(header::HOST);
    let answer = table.client.post(&table.url).headers(headers).body(body).send().await?;
    let status = answer.status();
    // The checksum is of the body, which passes unchanged.
    let checksum = answer.headers().get("x-amz-crc32").cloned();
    let mut response = (status, [(header::CONTENT_TYPE, JSON)], answer.bytes().await?).into_response();
    if let Some(checksum) = checksum {
        response.headers_mut().insert("x-amz-crc32", checksum);
    }
    Ok(response)
}
