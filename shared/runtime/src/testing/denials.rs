use std::sync::{Arc, Mutex, PoisonError};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use serde::Serialize;
use serde_json::{Value, json};

use super::{FakeAws, Response, sqs_event};

/// An AWS that denies operations, and records for how long failed messages are hidden.
#[derive(Clone, Debug, Default)]
pub struct Denials(Arc<Mutex<Vec<u32>>>);

impl Denials {
    /// The fake: `respond` may return an error for an operation; changes of the visibility timeout always succeed.
    pub fn aws(&self, respond: impl Fn(&str, &Value) -> Response + Send + Sync + 'static) -> FakeAws {
        let hidden = Arc::clone(&self.0);
        FakeAws::new(move |operation, request| {
            if operation != "ChangeMessageVisibility" {
                return respond(operation, request);
            }
            let seconds: Option<u32> =
                request["VisibilityTimeout"].as_u64().and_then(|seconds| seconds.try_into().ok());
            hidden.lock().unwrap_or_else(PoisonError::into_inner).extend(seconds);
            Response::Ok(json!({}))
        })
    }

    /// Delivers a message until its queue would move it to the dead-letter queue. Returns the seconds until then; zero if a
    /// delivery succeeds.
    ///
    /// # Errors
    /// If the message cannot be serialized.
    pub async fn seconds_to_dead_letter(
        &self,
        message: &impl Serialize,
        max_receives: u32,
        handle: impl AsyncFn(SqsEvent) -> SqsBatchResponse,
    ) -> serde_json::Result<u32> {
        for receives in 1..max_receives {
            let mut event = sqs_event(message)?;
            for record in &mut event.records {
                record.attributes.insert("ApproximateReceiveCount".to_owned(), receives.to_string());
            }
            if handle(event).await.batch_item_failures.is_empty() {
                return Ok(0);
            }
        }
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().sum())
    }
}
