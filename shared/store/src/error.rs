//! Errors of the store, by what a caller can do about them.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};

use crate::aws_error::AwsError;
use crate::sealing::SealError;

/// A failed operation of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB is unreachable, throttles or fails; retry later.
    #[error("the table cannot be reached: {0}")]
    Unavailable(String),
    /// Concurrent transactions changed the same item in each attempt; retry later.
    #[error("others changed the same item at the same time")]
    Conflict,
    /// A later decision on the same item is stored, and counts.
    #[error("a later decision was made meanwhile, by another clock or another operator: look again")]
    Superseded,
    /// DynamoDB rejects the request as invalid: a defect of the code.
    #[error("the table refuses the request: {0}")]
    Refused(String),
    /// A permission or the table is missing. A changed deployment takes effect without a change of the code, and IAM applies
    /// changes with a delay, so a retry can succeed.
    #[error("the deployment lacks a permission or the table: {0}")]
    Misconfigured(String),
    /// The data was sealed with another master secret, or was changed; newer keys can open it.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// An item does not have the expected format.
    #[error("the item {key} is not as it must be: {cause}")]
    Corrupt {
        /// The kind of item: keys can contain personal data.
        key: String,
        /// The reason.
        cause: String,
    },
}

impl StoreError {
    /// Whether a retry can succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Misconfigured(_) | Self::Conflict)
    }

    /// Whether a retry within seconds can succeed. A missing permission takes an operator.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Conflict)
    }

    /// Whether a retry with newer keys can succeed.
    pub fn is_unopened(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }

    /// A permanent error: an item leads to a member who does not exist.
    pub(crate) fn missing_member() -> Self {
        Self::corrupt("MEMBER", "it leads to a member who does not exist")
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

impl<E> From<SdkError<E, HttpResponse>> for StoreError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let text = AwsError::from(&error).to_string();
        match error.code().unwrap_or_default() {
            "TransactionConflictException" | "TransactionInProgressException" => Self::Conflict,
            "AccessDeniedException" | "ResourceNotFoundException" => Self::Misconfigured(text),
            // Callers that expect a failed condition handle it before this conversion.
            "ValidationException" | "ConditionalCheckFailedException" => Self::Refused(text),
            _ => Self::Unavailable(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::get_item::GetItemError;

    use super::*;

    fn answer() -> HttpResponse {
        HttpResponse::new(200.try_into().unwrap(), "alice.private".into())
    }

    #[test]
    fn unreadable_response_is_not_printed() {
        let cause = std::io::Error::other("alice.private");
        let error: StoreError = SdkError::<GetItemError, _>::response_error(cause, answer()).into();
        assert!(error.is_retryable());
        assert!(!format!("{error} {error:?}").contains("alice.private"), "{error}");
    }

    #[rstest::rstest]
    #[case::conflict("TransactionConflictException", true)]
    #[case::throttled("ProvisionedThroughputExceededException", true)]
    #[case::failing("InternalServerError", true)]
    #[case::not_allowed("AccessDeniedException", true)]
    #[case::no_table("ResourceNotFoundException", true)]
    #[case::no_key("KMSAccessDeniedException", true)]
    #[case::not_valid("ValidationException", false)]
    #[case::not_there("ConditionalCheckFailedException", false)]
    fn transient_errors_are_retryable(#[case] code: &str, #[case] retryable: bool) {
        let meta = ErrorMetadata::builder().code(code).message("alice.private").custom("aws_request_id", "r-1").build();
        let error: StoreError = SdkError::service_error(GetItemError::generic(meta), answer()).into();
        assert_eq!(error.is_retryable(), retryable);
        let text = error.to_string();
        assert!(matches!(error, StoreError::Conflict) || text.ends_with(", request r-1)"), "{text}");
        assert!(!format!("{text} {error:?}").contains("alice.private"));
    }
}
