//! Errors of commands, with exit codes for scripts.

use std::error::Error;
use std::fmt::Display;
use std::process::ExitCode;

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use membermail_runtime::queue::QueueError;
use membermail_store::{AwsError, StoreError};

/// A command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line is invalid, or the operator cancelled.
    #[error("{0}")]
    Usage(String),
    /// The named object does not exist.
    #[error("there is no {0}")]
    NotFound(String),
    /// A decision is needed first, or was made already.
    #[error("{0}")]
    Held(String),
    /// A concurrent change or a timeout; a retry can succeed.
    #[error("{0}")]
    Busy(String),
    /// A request to AWS failed.
    #[error("{service}: {cause}")]
    Aws {
        /// The AWS service.
        service: &'static str,
        /// What is known about it, with the request id if there is one.
        cause: AwsError,
    },
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] std::io::Error),
    /// Any other failure.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// Wraps an SDK error without its texts, which can hold a secret.
    pub(crate) fn aws<E>(service: &'static str, error: &SdkError<E>) -> Self
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        Self::Aws { service, cause: error.into() }
    }

    /// Wraps an error of SQS.
    pub(crate) fn sqs<E: Error + ProvideErrorMetadata + 'static>(error: SdkError<E>) -> Self {
        Self::aws("SQS", &error)
    }

    /// Wraps an error of Secrets Manager.
    pub(crate) fn secrets_manager<E: Error + ProvideErrorMetadata + 'static>(error: SdkError<E>) -> Self {
        Self::aws("Secrets Manager", &error)
    }

    /// Any other failure, in the words of its cause.
    pub(crate) fn other(cause: impl Display) -> Self {
        Self::Other(cause.to_string())
    }

    /// The exit code; `docs/membermail.md` lists them.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.number())
    }

    /// The `error` in JSON output.
    pub(crate) fn kind(&self) -> &'static str {
        match self.number() {
            2 => "usage",
            3 => "not-found",
            4 => "held",
            5 => "busy",
            _ => "failed",
        }
    }

    /// Whether the reader closed the pipe, as in `membermail audit | head`. This is no error.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(cause) if cause.kind() == std::io::ErrorKind::BrokenPipe)
    }

    fn number(&self) -> u8 {
        match self {
            _ if self.is_closed_pipe() => 0,
            Self::Usage(_) => 2,
            Self::NotFound(_) => 3,
            Self::Held(_) => 4,
            Self::Busy(_) | Self::Store(StoreError::Conflict | StoreError::Superseded) => 5,
            Self::Aws { .. } | Self::Store(_) | Self::Queue(_) | Self::Output(_) | Self::Other(_) => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_secretsmanager::config::http::HttpResponse;
    use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
    use membermail_runtime::batch::chain;

    use super::*;

    #[test]
    fn manual_lists_every_exit_code() {
        let manual = include_str!("../../../docs/membermail.md");
        for (failure, number) in [
            (Failure::Other(String::new()), 1),
            (Failure::Usage(String::new()), 2),
            (Failure::NotFound(String::new()), 3),
            (Failure::Held(String::new()), 4),
            (Failure::Store(StoreError::Conflict), 5),
        ] {
            assert_eq!(failure.number(), number);
            assert!(manual.contains(&format!("| {number} | `{}` |", failure.kind())), "{failure:?}");
        }
    }

    #[test]
    fn aws_failure_quotes_no_response() {
        let response = HttpResponse::new(200.try_into().unwrap(), "{\"SecretString\": hunter2".into());
        let unparsable = PutSecretValueError::unhandled("unexpected token `hunter2`");
        let failure = Failure::secrets_manager(SdkError::service_error(unparsable, response));
        assert_eq!(failure.to_string(), "Secrets Manager: the response cannot be read (status 200)");
        assert!(!format!("{failure:?} {}", chain(&failure)).contains("hunter2"));
    }

    #[test]
    fn closed_pipe_is_no_error() {
        let closed = Failure::Output(std::io::ErrorKind::BrokenPipe.into());
        assert_eq!((closed.number(), closed.is_closed_pipe()), (0, true));
    }
}
