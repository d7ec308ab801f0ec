//! What can go wrong with the table, by what a caller can do about it.

use std::error::Error;

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};

use crate::sealing::SealError;

/// The table did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Out of reach, throttled or failing: try again.
    #[error("the table cannot be reached: {0}")]
    Unavailable(String),
    /// Others changed the same item over and over: try again.
    #[error("others changed the same item at the same time")]
    Conflict,
    /// A later decision on the same item is recorded, and counts.
    #[error("a later decision was made meanwhile, by another clock or another operator: look again")]
    Superseded,
    /// The request is wrong, or not allowed: an operator looks at the deployment.
    #[error("the table refuses the request: {0}")]
    Refused(String),
    /// What is sealed was sealed by another master secret, or changed since: newer keys may open it.
    #[error(transparent)]
    Sealed(#[from] SealError),
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

    /// Whether keys that are newer can help.
    pub fn is_unopened(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }

    pub(crate) fn refused(cause: &dyn Error) -> Self {
        Self::Refused(chain(cause, None))
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
        let text = chain(&error, error.meta().extra("aws_request_id"));
        match error.code().unwrap_or_default() {
            "TransactionConflictException" | "TransactionInProgressException" => Self::Conflict,
            // A caller that expects a condition to fail looks for it first: here, what must be there is not.
            "ValidationException"
            | "AccessDeniedException"
            | "ResourceNotFoundException"
            | "ConditionalCheckFailedException" => Self::Refused(text),
            _ => Self::Unavailable(text),
        }
    }
}

/// The causes one after the other, as they display themselves. Never their `Debug`: the SDK's holds the raw answer,
/// and so items of members.
fn chain(error: &dyn Error, request: Option<&str>) -> String {
    let mut causes = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if causes.last() != Some(&text) {
            causes.push(text);
        }
        next = cause.source();
    }
    let causes = causes.join(": ");
    request.map_or_else(|| causes.clone(), |id| format!("{causes} (request {id})"))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::http::HttpResponse;
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::get_item::GetItemError;

    use super::*;

    fn answer() -> HttpResponse {
        HttpResponse::new(200.try_into().unwrap(), "alice.private".into())
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_not_shown() {
        let cause = std::io::Error::other("cut off");
        let error: StoreError = SdkError::<GetItemError, _>::response_error(cause, answer()).into();
        assert!(error.is_retryable());
        assert!(error.to_string().ends_with("response error: cut off"), "{error}");
        assert!(!format!("{error:?}").contains("alice.private"));
    }

    #[rstest::rstest]
    #[case::conflict("TransactionConflictException", true)]
    #[case::throttled("ProvisionedThroughputExceededException", true)]
    #[case::failing("InternalServerError", true)]
    #[case::not_allowed("AccessDeniedException", false)]
    #[case::no_table("ResourceNotFoundException", false)]
    #[case::not_valid("ValidationException", false)]
    #[case::not_there("ConditionalCheckFailedException", false)]
    fn only_what_can_pass_is_tried_again(#[case] code: &str, #[case] retryable: bool) {
        let meta = ErrorMetadata::builder().code(code).message("why").custom("aws_request_id", "r-1").build();
        let error: StoreError = SdkError::service_error(GetItemError::generic(meta), answer()).into();
        assert_eq!(error.is_retryable(), retryable);
        let text = error.to_string();
        assert!(matches!(error, StoreError::Conflict) || text.ends_with("(request r-1)"), "{text}");
        assert!(!format!("{error:?}").contains("alice.private"));
    }
}
