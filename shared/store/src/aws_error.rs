//! What is known about a failed request to AWS, without a word of the response.

use std::error::Error;
use std::{fmt, io};

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::RequestId;

/// Maximum length of a word that is taken from a response. A master secret is longer.
const MAX_LENGTH: usize = 60;

/// A failed request to AWS: where it failed, and the error code, HTTP status and request id if there was a response.
///
/// `Display` of the SDK's errors quotes what cannot be parsed, and `Debug` has the whole response, so both can hold a secret
/// or personal data. This keeps neither the error nor its causes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsError {
    kind: Kind,
    code: Option<String>,
    status: Option<u16>,
    request_id: Option<String>,
}

/// Where a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Nothing was sent.
    Construction,
    /// There was no response in time.
    Timeout,
    /// There was no response.
    Dispatch(Option<io::ErrorKind>),
    /// The response is incomplete or unreadable.
    Response,
    /// The service reports an error.
    Service,
}

impl<E> From<&SdkError<E, HttpResponse>> for AwsError
where
    E: Error + ProvideErrorMetadata + 'static,
{
    fn from(error: &SdkError<E, HttpResponse>) -> Self {
        let response = error.raw_response();
        let kind = match error {
            SdkError::ConstructionFailure(_) => Kind::Construction,
            SdkError::TimeoutError(_) => Kind::Timeout,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Kind::Timeout,
            SdkError::DispatchFailure(_) => Kind::Dispatch(io_error_kind(error)),
            // The SDK also reports a successful response that it cannot parse as an error of the service.
            SdkError::ServiceError(failure) if !failure.raw().status().is_success() => Kind::Service,
            _ => Kind::Response,
        };
        Self {
            kind,
            code: error.code().and_then(error_code),
            status: response.map(|response| response.status().as_u16()),
            request_id: error.request_id().or(error.meta().extra("aws_request_id")).and_then(request_id),
        }
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Construction => write!(f, "the request could not be built; check the region and the credentials")?,
            Kind::Timeout => write!(f, "the request timed out")?,
            Kind::Dispatch(None) => write!(f, "the request could not be sent")?,
            Kind::Dispatch(Some(kind)) => write!(f, "the request could not be sent: {kind}")?,
            Kind::Response => write!(f, "the response cannot be read")?,
            Kind::Service => write!(f, "the service reports {}", self.code.as_deref().unwrap_or("an error"))?,
        }
        match (self.status, &self.request_id) {
            (Some(status), Some(id)) => write!(f, " (status {status}, request {id})"),
            (Some(status), None) => write!(f, " (status {status})"),
            (None, Some(id)) => write!(f, " (request {id})"),
            (None, None) => Ok(()),
        }
    }
}

impl Error for AwsError {}

/// The code of an error, such as `AccessDeniedException`; none if the text of the response has another form.
pub fn error_code(code: &str) -> Option<String> {
    let is_code = code.len() <= MAX_LENGTH
        && code.starts_with(|letter: char| letter.is_ascii_uppercase())
        && code.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'.');
    is_code.then(|| code.to_owned())
}

fn request_id(id: &str) -> Option<String> {
    let is_id = id.len() <= MAX_LENGTH && id.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-');
    is_id.then(|| id.to_owned())
}

/// Why the connection failed, such as "connection refused". TLS errors can quote the peer, so only the kind is kept.
fn io_error_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let mut causes = std::iter::successors(Some(error), |&cause| cause.source());
    let kind = causes.find_map(|cause| Some(cause.downcast_ref::<io::Error>()?.kind()));
    kind.filter(|kind| *kind != io::ErrorKind::Other)
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::get_item::GetItemError;

    use super::*;

    type TestError = SdkError<GetItemError, HttpResponse>;

    const PLANTED: &str = "hunter2-and-more";

    fn response(status: u16) -> HttpResponse {
        let mut response = HttpResponse::new(status.try_into().unwrap(), PLANTED.into());
        response.headers_mut().insert("x-amzn-requestid", "r-1");
        response
    }

    fn service_error(code: &str, status: u16) -> TestError {
        let meta = ErrorMetadata::builder().code(code).message(PLANTED).build();
        SdkError::service_error(GetItemError::generic(meta), response(status))
    }

    fn unparsable(status: u16) -> TestError {
        SdkError::service_error(GetItemError::unhandled(PLANTED), response(status))
    }

    #[rstest::rstest]
    #[case::construction(
        SdkError::construction_failure(PLANTED),
        "the request could not be built; check the region and the credentials"
    )]
    #[case::timeout(SdkError::timeout_error(PLANTED), "the request timed out")]
    #[case::response(
        SdkError::response_error(PLANTED, response(200)),
        "the response cannot be read (status 200, request r-1)"
    )]
    #[case::unparsable(unparsable(200), "the response cannot be read (status 200, request r-1)")]
    #[case::error_page(unparsable(503), "the service reports an error (status 503, request r-1)")]
    #[case::service(
        service_error("AccessDeniedException", 400),
        "the service reports AccessDeniedException (status 400, request r-1)"
    )]
    #[case::queue_service(
        service_error("AWS.SimpleQueueService.NonExistentQueue", 400),
        "the service reports AWS.SimpleQueueService.NonExistentQueue (status 400, request r-1)"
    )]
    #[case::no_code(service_error(PLANTED, 400), "the service reports an error (status 400, request r-1)")]
    fn aws_error_quotes_no_response(#[case] error: TestError, #[case] expected: &str) {
        let error = AwsError::from(&error);
        assert_eq!(error.to_string(), expected);
        assert!(error.source().is_none() && !format!("{error:?}").contains(PLANTED), "{error:?}");
    }

    #[rstest::rstest]
    #[case::words("not a code")]
    #[case::lower_case("hunter2")]
    #[case::markup("<html>")]
    #[case::empty("")]
    #[case::long(&"A".repeat(64))]
    fn other_text_is_no_code(#[case] text: &str) {
        assert_eq!(error_code(text), None);
    }

    #[rstest::rstest]
    #[case::words("r 1")]
    #[case::long(&"a".repeat(64))]
    fn other_text_is_no_id(#[case] text: &str) {
        assert_eq!(request_id(text), None);
    }
}
