//! The queue for the steps of a plan.

use async_trait::async_trait;
use membermail_core::message::{ApplySteps, WriteAliases};
use membermail_runtime::queue::{Queue, QueueError};

/// The queue of `write-aliases`, or a fake of it.
#[async_trait]
pub trait StepQueue: Sync {
    /// Enqueues all parts. After an error, some may have been sent; steps are idempotent, so sending them again is safe.
    async fn enqueue(&self, parts: Vec<ApplySteps>) -> Result<(), QueueError>;
}

#[async_trait]
impl StepQueue for Queue {
    async fn enqueue(&self, parts: Vec<ApplySteps>) -> Result<(), QueueError> {
        let messages: Vec<_> = parts.into_iter().map(WriteAliases::Apply).collect();
        self.send_all(&messages).await
    }
}
