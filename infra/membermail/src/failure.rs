//! Why a command did not do what it was asked for, as an exit code that a script can act on.

use std::error::Error;
use std::process::ExitCode;

use membermail_runtime::batch::chain;
use membermail_runtime::queue::QueueError;
use membermail_store::StoreError;

/// Why not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The operator asks otherwise.
    #[error("{0}")]
    Usage(String),
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(String),
    /// Somebody decides first, or has decided already.
    #[error("{0}")]
    Held(String),
    /// Others are at it, or it has not ended yet: try again.
    #[error("{0}")]
    Busy(String),
    /// AWS does not do what is asked for: the text says which service and why.
    #[error("{service}: {cause}")]
    Aws {
        /// Which part of it.
        service: &'static str,
        /// Why, with the request's id where there is one.
        cause: String,
    },
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Nobody reads, or the disk is full.
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// For an error of an SDK: the causes as they display themselves, since its `Debug` holds raw answers.
    pub(crate) fn aws(service: &'static str, error: &dyn Error) -> Self {
        Self::Aws { service, cause: chain(error) }
    }

    /// What the process ends with; `docs/membermail.md` lists them.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.number())
    }

    /// One word, for programs.
    pub(crate) fn kind(&self) -> &'static str {
        match self.number() {
            2 => "usage",
            3 => "not-found",
            4 => "held",
            5 => "busy",
            _ => "failed",
        }
    }

    /// Whoever reads our output has seen enough: `membermail audit | head`.
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
    use super::*;

    #[test]
    fn each_kind_has_the_code_that_the_manual_says() {
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
    fn a_reader_who_has_seen_enough_is_no_failure() {
        let closed = Failure::Output(std::io::ErrorKind::BrokenPipe.into());
        assert_eq!((closed.number(), closed.is_closed_pipe()), (0, true));
    }
}
