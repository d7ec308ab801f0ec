//! What can go wrong in a look-up. No message holds an address, a name or an identifier.

use std::time::Duration;

/// Why a look-up has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection, or one that broke before the head of the answer was there.
    #[error("Launchpad could not be reached")]
    Unreachable,
    /// No whole answer in time: of one request, or of the whole look-up.
    #[error("Launchpad did not answer in time")]
    TimedOut,
    /// An answer of another status than 200.
    #[error("Launchpad answered status {code}{}", .oops.as_deref().map(|id| format!(" ({id})")).unwrap_or_default())]
    Status {
        /// The HTTP status.
        code: u16,
        /// Launchpad's own id of its failure, from `X-Lazr-Oopsid`.
        oops: Option<String>,
    },
    /// Launchpad asked, by `Retry-After`, for a longer pause than the patience had left.
    #[error("Launchpad is busy and asks to come back in {} s", .retry_after.as_secs())]
    Busy {
        /// The pause that it asked for, at most a day.
        retry_after: Duration,
    },
    /// The body ended before its announced length.
    #[error("Launchpad's answer was cut short")]
    CutShort,
    /// The answer is not what the web service describes.
    #[error("Launchpad's answer is malformed: {what}")]
    Malformed {
        /// Which part of the answers.
        what: &'static str,
    },
    /// A body beyond the limit.
    #[error("Launchpad's answer is too large")]
    TooLarge,
    /// An answer that points elsewhere; redirects are never followed.
    #[error("Launchpad answered with a redirect")]
    Redirected,
    /// A link to another scheme, host or port than the configured one.
    #[error("Launchpad's answer links to another host")]
    ForeignLink,
    /// A page links to one that was read already.
    #[error("a list of Launchpad's links back to a page that was read")]
    RepeatedLink,
    /// More pages than any list of Launchpad's has.
    #[error("a list of Launchpad's has too many pages")]
    TooManyPages,
    /// A list that contradicts its own total, or changed while it was read, twice in a row.
    #[error("a list of Launchpad's does not match its total")]
    TotalMismatch,
}

impl Error {
    /// Whether the same look-up may succeed later: the queue should bring it again.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Status { code, .. } => matches!(code, 404 | 410 | 429 | 500..=599),
            Self::Unreachable
            | Self::TimedOut
            | Self::Busy { .. }
            | Self::CutShort
            | Self::Malformed { .. }
            | Self::TotalMismatch => true,
            Self::TooLarge | Self::Redirected | Self::ForeignLink | Self::RepeatedLink | Self::TooManyPages => false,
        }
    }

    /// How long Launchpad asked to be left alone, where it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The root of the web service is no http or https URL, or holds credentials, a query or a fragment.
    #[error("the root of the Launchpad web service is not a plain http or https URL")]
    Api,
    /// Empty, or not fit for a header.
    #[error("the User-Agent is empty or does not fit in a header")]
    UserAgent,
    /// No TLS to be had on this machine.
    #[error("the HTTP client could not be made")]
    Http(#[source] reqwest::Error),
}
