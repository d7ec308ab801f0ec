//! A fake table, queue and secret, and a server that is the provider. The table supports one kind of condition: that an item
//! does not exist. It is not the table in memory, since the tests count the requests to DynamoDB.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use membermail_runtime::testing::{FakeAws, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

/// How the provider responds to a direct verification.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Verification {
    #[default]
    Confirm,
    Deny,
    Garbage,
    Status(u16),
    /// Responds after the timeout.
    Late,
}

#[derive(Clone)]
pub(crate) struct Cloud {
    pub(crate) root: Url,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    verification: Verification,
    verifications: usize,
    last_verification: String,
    number: usize,
    items: BTreeMap<String, Value>,
    messages: Vec<Value>,
    calls: Vec<String>,
    client_secrets: [Option<String>; 2],
}

pub(crate) async fn start() -> (Cloud, Url) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let cloud = Cloud { root: root.clone(), inner: Arc::default() };
    let app = Router::new().fallback(verify).with_state(cloud.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (cloud, root)
}

impl Cloud {
    /// The table, the queue and the secret.
    pub(crate) fn aws(&self) -> FakeAws {
        let cloud = self.clone();
        FakeAws::new(move |operation, request| cloud.inner().respond(operation, request))
    }

    pub(crate) fn set_verification(&self, verification: Verification) {
        self.inner().verification = verification;
    }

    /// Number of direct verifications.
    pub(crate) fn verifications(&self) -> usize {
        self.inner().verifications
    }

    /// The form of the last direct verification.
    pub(crate) fn last_verification(&self) -> String {
        self.inner().last_verification.clone()
    }

    /// The current and the previous version of the client secret.
    pub(crate) fn set_client_secrets(&self, current: &str, previous: Option<&str>) {
        self.inner().client_secrets = [Some(current.to_owned()), previous.map(str::to_owned)];
    }

    /// Messages on the verify queue.
    pub(crate) fn messages(&self) -> Vec<Value> {
        self.inner().messages.clone()
    }

    /// The operations on the table and the queue since the last call.
    pub(crate) fn drain_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.inner().calls)
    }

    /// A different number on each call.
    pub(crate) fn next_number(&self) -> usize {
        let mut inner = self.inner();
        inner.number += 1;
        inner.number
    }

    /// Sets an attribute of all items whose key starts with `kind`.
    pub(crate) fn change(&self, kind: &str, field: &str, value: &Value) {
        for (key, item) in &mut self.inner().items {
            if key.starts_with(kind) {
                item[field] = value.clone();
            }
        }
    }

    /// Removes all items whose key starts with `kind`.
    pub(crate) fn remove(&self, kind: &str) {
        self.inner().items.retain(|key, _| !key.starts_with(kind));
    }

    /// Number of items whose key starts with `kind`.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.inner().items.keys().filter(|key| key.starts_with(kind)).count()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

async fn verify(State(cloud): State<Cloud>, form: String) -> axum::response::Response {
    let verification = {
        let mut inner = cloud.inner();
        inner.verifications += 1;
        inner.last_verification = form;
        inner.verification
    };
    match verification {
        Verification::Confirm => validity(true),
        Verification::Deny => validity(false),
        Verification::Garbage => "<html>".into_response(),
        Verification::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Verification::Late => {
            tokio::time::sleep(Duration::from_secs(2)).await;
            validity(true)
        }
    }
}

fn validity(is_valid: bool) -> axum::response::Response {
    format!("ns:http://specs.openid.net/auth/2.0\nis_valid:{is_valid}\n").into_response()
}

fn key(item: &Value) -> String {
    format!("{}|{}", item["pk"]["S"].as_str().unwrap(), item["sk"]["S"].as_str().unwrap())
}

impl Inner {
    fn respond(&mut self, operation: &str, request: &Value) -> Response {
        // Not counted, because secrets are cached.
        if operation != "GetSecretValue" {
            self.calls.push(operation.to_owned());
        }
        let body = match operation {
            "GetSecretValue" if request["SecretId"] == "client-secret" => {
                let version = usize::from(!request["VersionStage"].is_null());
                match &self.client_secrets[version] {
                    Some(text) => json!({ "SecretString": text }),
                    None => return Response::Error(400, json!({ "__type": "ResourceNotFoundException" })),
                }
            }
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
            // No test depends on updates of a profile.
            "UpdateItem" => json!({ "Attributes": self.items.get(&key(&request["Key"])) }),
            "TransactWriteItems" => return self.transact(request["TransactItems"].as_array().unwrap()),
            _ => return Response::error("UnknownOperationException"),
        };
        Response::Ok(body)
    }

    fn transact(&mut self, writes: &[Value]) -> Response {
        let failed: Vec<_> = writes.iter().map(|write| self.fails(&write["Put"])).collect();
        if failed.contains(&true) {
            let codes = failed.iter().map(|failed| if *failed { "ConditionalCheckFailed" } else { "None" });
            let reasons: Vec<_> = codes.map(|code| json!({ "Code": code })).collect();
            let error = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
            return Response::Error(400, json!({ "__type": error, "CancellationReasons": reasons }));
        }
        for item in writes.iter().filter_map(|write| write["Put"].get("Item")) {
            self.items.insert(key(item), item.clone());
        }
        Response::Ok(json!({}))
    }

    fn fails(&self, put: &Value) -> bool {
        put["ConditionExpression"].is_string() && self.items.contains_key(&key(&put["Item"]))
    }
}
