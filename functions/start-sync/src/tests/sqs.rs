//! A fake SQS queue that keeps all messages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use membermail_core::message::SyncTeam;
use membermail_runtime::queue::Queue;
use membermail_runtime::testing::{FakeAws, Response};
use serde_json::{Value, json};

/// How the queue reacts to requests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Behavior {
    /// Accepts every message.
    #[default]
    AcceptAll,
    /// Refuses every request.
    RefuseAll,
    /// Refuses the first message of every request.
    RefuseFirst,
    /// Accepts every message, but sends no response after this number of requests.
    StopAnsweringAfter(usize),
}

#[derive(Default)]
struct State {
    behavior: Behavior,
    requests: usize,
    messages: Vec<SyncTeam>,
}

#[derive(Clone, Default)]
pub(crate) struct Sqs(Arc<Mutex<State>>);

impl Sqs {
    pub(crate) fn queue(&self) -> Queue {
        let state = Arc::clone(&self.0);
        FakeAws::new(move |_, request| state.lock().unwrap().handle(request)).queue("sync")
    }

    pub(crate) fn set_behavior(&self, behavior: Behavior) {
        self.0.lock().unwrap().behavior = behavior;
    }

    /// The number of requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.0.lock().unwrap().requests
    }

    /// The messages so far.
    pub(crate) fn messages(&self) -> Vec<SyncTeam> {
        self.0.lock().unwrap().messages.clone()
    }

    /// The number of messages per domain so far.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for message in &self.0.lock().unwrap().messages {
            *counts.entry(message.domain.to_string()).or_default() += 1;
        }
        counts
    }
}

impl State {
    fn handle(&mut self, request: &Value) -> Response {
        self.requests += 1;
        if matches!(self.behavior, Behavior::RefuseAll) {
            let error = json!({ "__type": "com.amazonaws.sqs#AccessDenied", "message": "not allowed" });
            return Response::Error(403, error);
        }
        let mut accepted = Vec::new();
        let mut refused = Vec::new();
        for (index, entry) in request["Entries"].as_array().unwrap().iter().enumerate() {
            if index == 0 && matches!(self.behavior, Behavior::RefuseFirst) {
                refused.push(json!({ "Id": entry["Id"], "Code": "InternalError", "SenderFault": false }));
                continue;
            }
            self.messages.push(serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap());
            accepted.push(json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "-" }));
        }
        match self.behavior {
            Behavior::StopAnsweringAfter(limit) if self.requests > limit => Response::Never,
            _ => Response::Ok(json!({ "Successful": accepted, "Failed": refused })),
        }
    }
}
