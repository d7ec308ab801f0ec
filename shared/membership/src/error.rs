//! Errors of lookups, the same for every source. No message contains a name, an address, an identifier or text of a response.

use std::time::Duration;

/// Why a lookup failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection, or one that was lost before the response headers.
    #[error("the membership source is unreachable")]
    Unreachable,
    /// Timeout of a request or of the whole lookup.
    #[error("the request to the membership source timed out")]
    TimedOut,
    /// A status other than 200.
    #[error("the membership source returned status {code}{}", .oops.as_deref().map(|id| format!(" ({id})")).unwrap_or_default())]
    Status {
        /// The HTTP status.
        code: u16,
        /// The server's id of the failure (Launchpad: `X-Lazr-OopsId`).
        oops: Option<String>,
    },
    /// Rate limit: status 429 with a `Retry-After` beyond the time budget of the lookup.
    #[error("the membership source throttled the request; retry after {} s", .retry_after.as_secs())]
    Busy {
        /// The requested wait, at most a day.
        retry_after: Duration,
    },
    /// A truncated or corrupt body.
    #[error("the response of the membership source is truncated")]
    CutShort,
    /// A field is missing, redacted or of another type.
    #[error("the response of the membership source is malformed: {what}")]
    Malformed {
        /// The part of the response.
        what: &'static str,
    },
    /// A body beyond the size limit.
    #[error("the response of the membership source is too large")]
    TooLarge,
    /// A redirect, which is never followed.
    #[error("the membership source returned a redirect")]
    Redirected,
    /// A link to another scheme, host or port than the configured one.
    #[error("the response of the membership source links to another host")]
    ForeignLink,
    /// A page links to itself or to one before it.
    #[error("a page of the list links backwards")]
    RepeatedLink,
    /// More pages than any list can have.
    #[error("the list has too many pages")]
    TooManyPages,
    /// A page that contradicts its own total or the request.
    #[error("a page of the list contradicts its own total")]
    TotalMismatch,
    /// No team or group that we can see has this name: it was renamed, merged or made private. Retrying with the same name
    /// cannot succeed.
    #[error("the membership source has no team of this name")]
    NoSuchTeam,
    /// The server refused our token (401 or 403), or the token may not read this. Only an operator can help; it says nothing
    /// about a person.
    #[error("the membership source refused our token (status {code}); it must be valid and have the scope read_api")]
    TokenRefused {
        /// The HTTP status.
        code: u16,
    },
    /// The secret with our token cannot be read.
    #[error("the token of the membership source cannot be read: {why}")]
    NoToken {
        /// The reason, without the secret.
        why: String,
    },
}

impl Error {
    /// Whether the same lookup may succeed later, so that the queue should retry it.
    ///
    /// That includes 404 and 410 below a person: they were renamed or suspended between two requests, and the next lookup
    /// starts from the identity again.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Status { code, .. } => matches!(code, 404 | 410 | 429 | 500..=599),
            Self::Unreachable
            | Self::TimedOut
            | Self::Busy { .. }
            | Self::CutShort
            | Self::Malformed { .. }
            | Self::TotalMismatch
            | Self::TokenRefused { .. }
            | Self::NoToken { .. } => true,
            Self::TooLarge
            | Self::Redirected
            | Self::ForeignLink
            | Self::RepeatedLink
            | Self::TooManyPages
            | Self::NoSuchTeam => false,
        }
    }

    /// The wait that the source requested (`Retry-After`).
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// Whether the source limits the rate of our requests, so that further ones would fail too.
    pub fn is_throttled(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Status { code: 429, .. })
    }

    /// Whether the same request may succeed within seconds.
    ///
    /// A 500 with an id of the failure is a bug in Launchpad that a retry does not avoid. A malformed response stays malformed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Status { code: 500, oops } => oops.is_none(),
            Self::Status { code, .. } => matches!(code, 429 | 501..=599),
            Self::Unreachable | Self::TimedOut | Self::Busy { .. } | Self::CutShort => true,
            _ => false,
        }
    }

    /// Whether the source was too slow, so that a smaller page may help.
    pub(crate) fn is_slow(&self) -> bool {
        matches!(self, Self::TimedOut | Self::Status { code: 503 | 504, .. })
    }

    /// Whether the object does not exist (404 or 410).
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Status { code: 404 | 410, .. })
    }
}

/// Why the settings are invalid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The root URL has another scheme, credentials, a query or a fragment.
    #[error("the root URL of the membership source must be an http or https URL with only host and path")]
    Api,
    /// The User-Agent is empty or not a valid header.
    #[error("the User-Agent is empty or not a valid header")]
    UserAgent,
    /// The community has another membership source.
    #[error("the community has another membership source")]
    OtherSource,
    /// TLS cannot be set up on this machine.
    #[error("building the HTTP client failed")]
    Http(#[source] reqwest::Error),
}
