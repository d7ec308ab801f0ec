use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::{FakeAws, Response};

/// A fake that has one fixed response per operation and records the calls. An operation without a response fails.
#[derive(Clone, Debug, Default)]
pub struct FixedResponses(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    responses: HashMap<&'static str, Value>,
    calls: Vec<String>,
}

impl FixedResponses {
    /// Sets the response of an operation.
    pub fn respond(&self, operation: &'static str, response: Value) {
        self.lock().responses.insert(operation, response);
    }

    /// Removes and returns the recorded calls. Reads of secrets are not recorded, since functions cache them.
    pub fn drain_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().calls)
    }

    /// The fake with these responses.
    pub fn aws(&self) -> FakeAws {
        let fixed = self.clone();
        FakeAws::new(move |operation, _| fixed.handle(operation))
    }

    fn handle(&self, operation: &str) -> Response {
        let mut state = self.lock();
        if operation != "GetSecretValue" {
            state.calls.push(operation.to_owned());
        }
        let response = state.responses.get(operation).cloned();
        response.map_or_else(|| Response::error("UnexpectedOperation"), Response::Ok)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
