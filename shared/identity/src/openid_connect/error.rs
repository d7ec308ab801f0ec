//! What failed, by what the caller does about it.

use strum::IntoStaticStr;

use super::Refusal;

/// The provider does not answer, or not as a provider does. Contains nothing of a response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum ProviderError {
    /// Timeout. A code may have been exchanged, so the member starts again.
    #[error("the request to the provider timed out")]
    TimedOut,
    /// Unreachable or failing (HTTP 5xx or 429); the member can try again later.
    #[error("the provider is unavailable; retry later: {0}")]
    Unavailable(String),
    /// A redirect, which is never followed: the response would be another server's.
    #[error("the provider redirects a request; check the configured issuer")]
    Redirect,
    /// The body is larger than any legitimate one.
    #[error("the provider's response is oversized")]
    Oversized,
    /// An endpoint without `https`. Only a provider on a loopback host may do without it, for development.
    #[error("the provider's {0} is not an https URL")]
    Insecure(&'static str),
    /// The metadata are those of another issuer (Discovery 1.0, 4.3).
    #[error("the provider's metadata name another issuer; check the configured issuer, a final slash counts")]
    Issuer,
    /// The metadata lack something that is needed.
    #[error("the provider's metadata lack {0}")]
    Missing(&'static str),
    /// The provider does not support what the community file asks for.
    #[error("the provider does not support {0}")]
    Unsupported(&'static str),
    /// Not the response of an OpenID Connect provider.
    #[error("the provider's {0} is invalid; check the configured issuer")]
    Malformed(&'static str),
    /// The caller's PKCE verifier has not the syntax of RFC 7636 (4.1).
    #[error("the code verifier is not one of 43 to 128 unreserved characters")]
    Verifier,
}

/// Why a response or a logout token is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// It is invalid.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It cannot be checked now.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

/// Why a code leads to no sign-in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedeemError {
    /// The ID token, or the person's data, are invalid.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The provider failed. The code may be used up, so the member starts again.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The provider refuses the code (`invalid_grant`): used before, expired, of another client, or with another PKCE
    /// verifier.
    #[error("the provider refused the code: used, expired, or of another sign-in")]
    Code,
    /// The provider refuses all our credentials (`invalid_client`), or there is none. An operator must register one.
    #[error("the provider refused our client credentials; check the client secret or key")]
    Client,
    /// The provider refuses the request for a reason that our registration has, such as `unauthorized_client`.
    #[error("the provider refused the token request; check the client's registration")]
    Request,
}

impl ProviderError {
    /// The reason in kebab case, for logs and metrics.
    pub fn code(&self) -> &'static str {
        self.into()
    }
}

impl CheckError {
    /// The reason in kebab case, for logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Provider(error) => error.code(),
        }
    }
}

impl RedeemError {
    /// The reason in kebab case, for logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Provider(error) => error.code(),
            Self::Code => "code",
            Self::Client => "client",
            Self::Request => "request",
        }
    }
}

impl From<CheckError> for RedeemError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Refused(refusal) => Self::Refused(refusal),
            CheckError::Provider(error) => Self::Provider(error),
        }
    }
}
