//! A table, a queue, a secret and a provider in one server. The table knows conditions of one kind: that an item is not
//! there yet.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

/// What the provider says when it is asked about an assertion.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Says {
    Yes,
    No,
    Garbage,
    Status(u16),
    /// Its answer comes too late.
    Late,
}

#[derive(Clone)]
pub(crate) struct Cloud {
    pub(crate) root: Url,
    inside: Arc<Mutex<Inside>>,
}

struct Inside {
    says: Says,
    asked: usize,
    number: usize,
    items: BTreeMap<String, Value>,
    messages: Vec<Value>,
    calls: Vec<String>,
}

pub(crate) async fn start() -> (Cloud, Url) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let inside = Inside {
        says: Says::Yes,
        asked: 0,
        number: 0,
        items: BTreeMap::new(),
        messages: Vec::new(),
        calls: Vec::new(),
    };
    let cloud = Cloud { root: root.clone(), inside: Arc::new(Mutex::new(inside)) };
    let app = Router::new().fallback(answer).with_state(cloud.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (cloud, root)
}

macro_rules! client {
    ($cloud:expr, $sdk:ident) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .region(Region::new("us-east-1"))
                .credentials_provider(Credentials::new("test", "test", None, None, "a test"))
                .http_client(membermail_runtime::http::client().unwrap())
                .endpoint_url($cloud.root.as_str())
                .build(),
        )
    };
}

impl Cloud {
    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        client!(self, aws_sdk_dynamodb)
    }

    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        client!(self, aws_sdk_sqs)
    }

    pub(crate) fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        client!(self, aws_sdk_secretsmanager)
    }

    pub(crate) fn provider_says(&self, says: Says) {
        self.inside().says = says;
    }

    /// How often the provider was asked.
    pub(crate) fn asked(&self) -> usize {
        self.inside().asked
    }

    /// Messages on the verify queue.
    pub(crate) fn messages(&self) -> Vec<Value> {
        self.inside().messages.clone()
    }

    /// Calls to the table and the queue since the last look, by operation.
    pub(crate) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.inside().calls)
    }

    /// Another one each time.
    pub(crate) fn next_number(&self) -> usize {
        let mut inside = self.inside();
        inside.number += 1;
        inside.number
    }

    /// Changes a field of every item of a kind.
    pub(crate) fn change(&self, kind: &str, field: &str, value: &Value) {
        for (key, item) in &mut self.inside().items {
            if key.starts_with(kind) {
                item[field] = value.clone();
            }
        }
    }

    /// Takes away every item of a kind.
    pub(crate) fn remove(&self, kind: &str) {
        self.inside().items.retain(|key, _| !key.starts_with(kind));
    }

    /// How many items of a kind there are.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.inside().items.keys().filter(|key| key.starts_with(kind)).count()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }
}

async fn answer(State(cloud): State<Cloud>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    if uri.path() == "/+openid" {
        return verified(&cloud).await;
    }
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let operation = target.rsplit('.').next().unwrap_or_default();
    let (status, body) = cloud.inside().aws(operation, &serde_json::from_str(&body).unwrap());
    (status, [(CONTENT_TYPE, "application/x-amz-json-1.0")], body.to_string()).into_response()
}

async fn verified(cloud: &Cloud) -> Response {
    let says = {
        let mut inside = cloud.inside();
        inside.asked += 1;
        inside.says
    };
    let valid = |valid: bool| format!("ns:http://specs.openid.net/auth/2.0\nis_valid:{valid}\n").into_response();
    match says {
        Says::Yes => valid(true),
        Says::No => valid(false),
        Says::Garbage => "<html>".into_response(),
        Says::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Says::Late => {
            tokio::time::sleep(Duration::from_secs(2)).await;
            valid(true)
        }
    }
}

fn key(item: &Value) -> String {
    format!("{}|{}", item["pk"]["S"].as_str().unwrap(), item["sk"]["S"].as_str().unwrap())
}

impl Inside {
    fn aws(&mut self, operation: &str, request: &Value) -> (StatusCode, Value) {
        // Secrets are read once every few minutes, however many sign in.
        if operation != "GetSecretValue" {
            self.calls.push(operation.to_owned());
        }
        let done = match operation {
            "GetSecretValue" => json!({ "SecretString": "a master secret that is long enough for a test" }),
            "SendMessage" => {
                let body = request["MessageBody"].as_str().unwrap();
                self.messages.push(serde_json::from_str(body).unwrap());
                json!({ "MessageId": "m" })
            }
            "GetItem" => match self.items.get(&key(&request["Key"])) {
                Some(item) => json!({ "Item": item }),
                None => json!({}),
            },
            "PutItem" => {
                self.items.insert(key(&request["Item"]), request["Item"].clone());
                json!({})
            }
            "DeleteItem" => {
                self.items.remove(&key(&request["Key"]));
                json!({})
            }
            // These tests do not depend on updates of a profile.
            "UpdateItem" => json!({ "Attributes": self.items.get(&key(&request["Key"])) }),
            "TransactWriteItems" => return self.transact(request["TransactItems"].as_array().unwrap()),
            _ => return (StatusCode::BAD_REQUEST, json!({ "__type": "UnknownOperationException" })),
        };
        (StatusCode::OK, done)
    }

    fn transact(&mut self, writes: &[Value]) -> (StatusCode, Value) {
        let is_there = |write: &Value| {
            let put = &write["Put"];
            put["ConditionExpression"].is_string() && self.items.contains_key(&key(&put["Item"]))
        };
        if writes.iter().any(is_there) {
            let code = |write| if is_there(write) { "ConditionalCheckFailed" } else { "None" };
            let reasons: Vec<_> = writes.iter().map(|write| json!({ "Code": code(write) })).collect();
            let error = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
            return (StatusCode::BAD_REQUEST, json!({ "__type": error, "CancellationReasons": reasons }));
        }
        for item in writes.iter().filter_map(|write| write["Put"].get("Item")) {
            self.items.insert(key(item), item.clone());
        }
        (StatusCode::OK, json!({}))
    }
}
