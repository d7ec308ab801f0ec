//! What can go wrong with the table, by what a caller can do about it.

use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// The table did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Out of reach, throttled or failing: try again.
    #[error("the table cannot be reached: {0}")]
    Unavailable(String),
    /// Others changed the same item over and over: try again.
    #[error("others changed the same item at the same time")]
    Conflict,
    /// The request is wrong, or not allowed: an operator looks at the deployment.
    #[error("the table refuses the request: {0}")]
    Refused(String),
    /// An item is not as it was written: an operator looks at it.
    #[error("the item {key} is not as it must be: {cause}")]
    Corrupt {
        /// Its keys, or the kind of item where keys are personal.
        key: String,
        /// What does not fit.
        cause: String,
    },
}

impl StoreError {
    /// Whether the same request can succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Conflict)
    }

    pub(crate) fn corrupt(key: impl Into<String>, cause: impl ToString) -> Self {
        Self::Corrupt { key: key.into(), cause: cause.to_string() }
    }
}

impl From<BuildError> for StoreError {
    fn from(cause: BuildError) -> Self {
        Self::Refused(cause.to_string())
    }
}

impl<E, R> From<SdkError<E, R>> for StoreError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug,
{
    fn from(error: SdkError<E, R>) -> Self {
        let code = error.code().unwrap_or_default().to_owned();
        let text = DisplayErrorContext(&error).to_string();
        match code.as_str() {
            "TransactionConflictException" | "TransactionInProgressException" => Self::Conflict,
            "ValidationException" | "AccessDeniedException" | "ResourceNotFoundException" => Self::Refused(text),
            _ => Self::Unavailable(text),
        }
    }
}
