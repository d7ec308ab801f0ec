//! Why a request failed on our side.

use membermail_runtime::batch::chain;
use membermail_runtime::checks::CheckError;
use membermail_runtime::queue::QueueError;
use membermail_runtime::secret::{MasterSecret, SecretError};
use membermail_store::{SealError, Sealer, StoreError};
use tracing::warn;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("accessing the table failed")]
    Store(#[from] StoreError),
    #[error("reading the master secret failed")]
    Secret(#[from] SecretError),
    #[error("a destination cannot be opened")]
    Sealed(#[from] SealError),
    #[error("sending a message failed")]
    Queue(#[from] QueueError),
    #[error("requesting a check failed")]
    Check(#[from] CheckError),
    #[error("the export cannot be written")]
    Export(#[from] serde_json::Error),
}

impl Error {
    /// Whether a retry with newer keys can succeed.
    pub(crate) fn has_other_key(&self) -> bool {
        match self {
            Self::Sealed(_) => true,
            Self::Store(cause) => cause.is_unopened(),
            Self::Secret(_) | Self::Queue(_) | Self::Check(_) | Self::Export(_) => false,
        }
    }
}

/// Runs an operation with the cached keys, and once more with newer ones if they could make a difference.
pub(crate) async fn with_keys<T, F>(secret: &MasterSecret, run: impl Fn(Sealer) -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let keys = secret.keys().await?;
    match run(Sealer::of(&keys)).await {
        Err(cause) if cause.has_other_key() => match secret.fetch_newer_than(&keys).await? {
            Some(newer) => run(Sealer::of(&newer)).await,
            None => Err(cause),
        },
        result => result,
    }
}

/// Runs an operation on a code, once: each wrong code counts. The mail can have the code of a newer secret than the cached one, or
/// of the one before, so both are fetched first, as far as the forced refresh allows.
pub(crate) async fn with_newest_keys<T, F>(secret: &MasterSecret, run: impl FnOnce(Sealer) -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let keys = secret.keys().await?;
    let newer = match secret.fetch_newer_than(&keys).await {
        Ok(newer) => newer,
        Err(cause) => {
            warn!(cause = chain(&cause), "fetching the newest keys failed, using the cached ones");
            None
        }
    };
    run(Sealer::of(&newer.unwrap_or(keys))).await
}
