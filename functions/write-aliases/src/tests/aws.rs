//! AWS as far as a count of calls needs it: each operation has one answer, and those without one fail the test.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The answers by operation, and the operations that were called.
#[derive(Clone, Default)]
pub(crate) struct Aws(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    answers: HashMap<&'static str, Value>,
    calls: Vec<String>,
}

impl Aws {
    /// From now on this operation is answered so.
    pub(crate) fn answer(&self, operation: &'static str, answer: Value) {
        self.0.lock().unwrap().answers.insert(operation, answer);
    }

    /// Calls since the last look, but for secrets: they are read once every few minutes.
    pub(crate) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().calls)
    }

    /// Serves, and gives what clients need.
    pub(crate) async fn serve(&self) -> SdkConfig {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "a test"))
            .endpoint_url(url)
            .load()
            .await
    }
}

async fn answer(State(aws): State<Aws>, headers: HeaderMap) -> Response {
    let operation = headers["x-amz-target"].to_str().unwrap().rsplit('.').next().unwrap();
    let mut inside = aws.0.lock().unwrap();
    if operation != "GetSecretValue" {
        inside.calls.push(operation.to_owned());
    }
    let answer = inside.answers.get(operation).cloned().unwrap_or_else(|| panic!("{operation}"));
    ([(CONTENT_TYPE, "application/x-amz-json-1.0")], answer.to_string()).into_response()
}

/// A value as an item of the table.
pub(crate) fn item(pk: &str, sk: &str, value: &Value) -> Value {
    let mut item = attribute(value)["M"].take();
    (item["pk"], item["sk"]) = (json!({ "S": pk }), json!({ "S": sk }));
    item
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
