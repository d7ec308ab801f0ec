//! A queue at a server of the test's own, which keeps what it takes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use membermail_core::message::SyncTeam;
use membermail_runtime::queue::Queue;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the queue does from now on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Does {
    /// It takes everything.
    #[default]
    Takes,
    /// It refuses each request.
    RefusesAll,
    /// It refuses the first message of each request.
    RefusesFirst,
    /// It takes everything, and does not answer any more after this number of requests.
    TakesWithoutAnswerAfter(usize),
}

#[derive(Default)]
struct Inside {
    does: Does,
    requests: usize,
    messages: Vec<SyncTeam>,
}

#[derive(Clone, Default)]
pub(crate) struct Sqs(Arc<Mutex<Inside>>);

impl Sqs {
    pub(crate) async fn serve(&self) -> Queue {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let config = aws_sdk_sqs::Config::builder().behavior_version(BehaviorVersion::v2026_01_12());
        let config = config.endpoint_url(&url).region(Region::new("us-east-1"));
        let config = config.http_client(membermail_runtime::http::client().unwrap());
        let config = config.credentials_provider(Credentials::new("test", "test", None, None, "a test"));
        Queue::new(Client::from_conf(config.build()), format!("{url}sync"))
    }

    pub(crate) fn does(&self, does: Does) {
        self.0.lock().unwrap().does = does;
    }

    /// Requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.0.lock().unwrap().requests
    }

    /// The messages so far.
    pub(crate) fn messages(&self) -> Vec<SyncTeam> {
        self.0.lock().unwrap().messages.clone()
    }

    /// How many messages each domain has so far.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for message in &self.0.lock().unwrap().messages {
            *counts.entry(message.domain.to_string()).or_default() += 1;
        }
        counts
    }
}

async fn answer(State(Sqs(inside)): State<Sqs>, body: String) -> Response {
    let request: Value = serde_json::from_str(&body).unwrap();
    let (answers, response) = {
        let mut inside = inside.lock().unwrap();
        inside.requests += 1;
        let answers = !matches!(inside.does, Does::TakesWithoutAnswerAfter(most) if inside.requests > most);
        (answers, inside.take(&request))
    };
    if !answers {
        std::future::pending::<()>().await;
    }
    response
}

impl Inside {
    fn take(&mut self, request: &Value) -> Response {
        let json = [(CONTENT_TYPE, "application/x-amz-json-1.0")];
        if matches!(self.does, Does::RefusesAll) {
            let error = json!({ "__type": "com.amazonaws.sqs#AccessDenied", "message": "not allowed" });
            return (StatusCode::FORBIDDEN, json, error.to_string()).into_response();
        }
        let (mut taken, mut refused) = (Vec::new(), Vec::new());
        for (place, entry) in request["Entries"].as_array().unwrap().iter().enumerate() {
            if place == 0 && matches!(self.does, Does::RefusesFirst) {
                refused.push(json!({ "Id": entry["Id"], "Code": "InternalError", "SenderFault": false }));
                continue;
            }
            self.messages.push(serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap());
            taken.push(json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "-" }));
        }
        (json, json!({ "Successful": taken, "Failed": refused }).to_string()).into_response()
    }
}
