//! Where steps go.

use async_trait::async_trait;
use membermail_core::message::{TakeSteps, WriteAliases};
use membermail_runtime::queue::{Queue, QueueError};

/// Takes the steps of a plan to be done: the queue of `write-aliases`, or whatever stands for it.
#[async_trait]
pub trait Outlet: Sync {
    /// Takes them all. Where it fails, some may have been taken; steps that come twice do no harm.
    async fn hand_on(&self, parts: Vec<TakeSteps>) -> Result<(), QueueError>;
}

#[async_trait]
impl Outlet for Queue {
    async fn hand_on(&self, parts: Vec<TakeSteps>) -> Result<(), QueueError> {
        let messages: Vec<_> = parts.into_iter().map(WriteAliases::Take).collect();
        self.send_all(&messages).await
    }
}
