//! Why a look-up fails. No message holds a name, an address, an identifier or text of an answer.

use std::time::Duration;

/// Why a look-up has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection, or one that broke before the head of the answer.
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
        /// Launchpad's own id of its failure, from `X-Lazr-OopsId`.
        oops: Option<String>,
    },
    /// Status 429 with a `Retry-After` that does not fit into the time of the look-up.
    #[error("Launchpad is busy and asks for a pause of {} s", .retry_after.as_secs())]
    Busy {
        /// The pause, at most a day.
        retry_after: Duration,
    },
    /// The body ended before its announced length, or its compression is broken.
    #[error("Launchpad's answer was cut short")]
    CutShort,
    /// The answer is not as the web service describes it: a field is missing, redacted or of another type.
    #[error("Launchpad's answer is malformed: {what}")]
    Malformed {
        /// The part of the answer.
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
    /// A page links to itself or to one before it.
    #[error("a page of a Launchpad list links backwards")]
    RepeatedLink,
    /// More pages than any list has.
    #[error("a Launchpad list has too many pages")]
    TooManyPages,
    /// A page that contradicts its own total or the request.
    #[error("a page of a Launchpad list contradicts its own total")]
    TotalMismatch,
    /// No public team has this name: it was renamed, merged or made private. A look-up at the same name cannot succeed.
    #[error("Launchpad has no public team of this name")]
    NoSuchTeam,
}

impl Error {
    /// Whether the same look-up may succeed later, so that the queue should deliver it again.
    ///
    /// That includes 404 and 410 below a person: a rename or a suspension came between two requests, and the next
    /// look-up asks by identity again.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Status { code, .. } => matches!(code, 404 | 410 | 429 | 500..=599),
            Self::Unreachable
            | Self::TimedOut
            | Self::Busy { .. }
            | Self::CutShort
            | Self::Malformed { .. }
            | Self::TotalMismatch => true,
            Self::TooLarge
            | Self::Redirected
            | Self::ForeignLink
            | Self::RepeatedLink
            | Self::TooManyPages
            | Self::NoSuchTeam => false,
        }
    }

    /// How long Launchpad asked to be left alone, where it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// Whether the same request may succeed within seconds.
    ///
    /// A 500 with an OOPS id is a bug in Launchpad that the next request meets again. A malformed answer stays malformed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Status { code: 500, oops } => oops.is_none(),
            Self::Status { code, .. } => matches!(code, 429 | 501..=599),
            Self::Unreachable | Self::TimedOut | Self::Busy { .. } | Self::CutShort => true,
            _ => false,
        }
    }

    /// Whether Launchpad ran out of time, so that a smaller page may help.
    pub(crate) fn is_slow(&self) -> bool {
        matches!(self, Self::TimedOut | Self::Status { code: 503 | 504, .. })
    }

    /// Whether the object is not there: not found or gone.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Status { code: 404 | 410, .. })
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
    /// TLS cannot be set up on this machine.
    #[error("the HTTP client could not be made")]
    Http(#[source] reqwest::Error),
}
