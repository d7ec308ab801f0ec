//! Why a request failed on our side.

use membermail_runtime::checks::CheckError;
use membermail_runtime::queue::QueueError;
use membermail_store::StoreError;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("accessing the table failed")]
    Store(#[from] StoreError),
    #[error("sending a message failed")]
    Queue(#[from] QueueError),
    #[error("the export cannot be written")]
    Export(#[from] serde_json::Error),
    #[error("requesting a check failed")]
    Check(#[from] CheckError),
}
