//! Why a response or token is refused, for the log.

use membermail_core::email::EmailError;
use strum::IntoStaticStr;

use crate::parameters::ParameterError;

/// Why a response or token is refused. Contains nothing of either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Refusal {
    /// The query is larger than any legitimate one.
    #[error("the response is oversized")]
    Oversized,
    /// A duplicate parameter, of which two parsers could pick different values.
    #[error("a parameter is duplicated")]
    Duplicate,
    /// A malformed escape, or invalid UTF-8.
    #[error("the encoding is malformed")]
    Encoding,
    /// A mandatory parameter is missing or empty.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// A code and an error in one response.
    #[error("the response has a code and an error")]
    CodeAndError,
    /// The provider always names itself (RFC 9207), but this response does not.
    #[error("the response names no issuer, although the provider does so")]
    NoIssuer,
    /// From another provider (RFC 9207, 2.4).
    #[error("the response is that of another issuer")]
    ForeignResponse,
    /// The person cancelled the sign-in (`access_denied`).
    #[error("the person cancelled the sign-in")]
    Cancelled,
    /// The provider reported an error, here with its code if it is a known one. Its description is not kept, because anyone
    /// can put personal data or tokens into it.
    #[error("the provider reported an error: {0}")]
    ProviderError(&'static str),
    /// The token response has no ID token: the scope `openid` was not granted.
    #[error("the token response has no ID token")]
    NoIdToken,
    /// The token response has an access token of another type than `Bearer` (Core 1.0, 3.1.3.3).
    #[error("the access token is not a bearer token")]
    TokenType,
    /// The token is larger than any legitimate one.
    #[error("the token is oversized")]
    TokenOversized,
    /// Not three parts in base64url, for example because it is encrypted.
    #[error("the token is not a signed JWT")]
    TokenForm,
    /// The header is not a JSON object with the members of a JWS.
    #[error("the header of the token is malformed")]
    Header,
    /// The header has critical extensions; we know none (RFC 7515, 4.1.11).
    #[error("the token has critical extensions")]
    Critical,
    /// A token for another purpose (RFC 8725, 3.11).
    #[error("the token has another type")]
    Type,
    /// Not an algorithm of the community file.
    #[error("the algorithm of the token is not allowed")]
    Algorithm,
    /// No key of the provider has the token's key id and fits its algorithm.
    #[error("the provider has no such key")]
    UnknownKey,
    /// Several keys fit the token.
    #[error("the token does not say which of several keys signed it")]
    AmbiguousKey,
    /// The signature is wrong, or the key unusable.
    #[error("the signature is invalid")]
    Signature,
    /// The payload is not a JSON object.
    #[error("the claims are not a JSON object")]
    Claims,
    /// A claim occurs twice, so that two parsers could read different values.
    #[error("the claim {0} is duplicated")]
    DuplicateClaim(&'static str),
    /// A mandatory claim is missing.
    #[error("the claim {0} is missing")]
    MissingClaim(&'static str),
    /// A claim has another type than it should have.
    #[error("the claim {0} is malformed")]
    MalformedClaim(&'static str),
    /// The issuer of the token is another one.
    #[error("the token is of another issuer")]
    Issuer,
    /// The token is for another client.
    #[error("the token is for another client")]
    Audience,
    /// The token is for other clients too.
    #[error("the token is for several clients")]
    SeveralAudiences,
    /// The token was issued to another client (`azp`).
    #[error("the token was issued to another client")]
    AuthorizedParty,
    /// Past its `exp`.
    #[error("the token has expired")]
    Expired,
    /// Before its `nbf`.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Its `iat` is too long ago.
    #[error("the token was issued too long ago")]
    IssuedLongAgo,
    /// Its `iat` is in the future.
    #[error("the token was issued in the future")]
    IssuedInFuture,
    /// The nonce of another sign-in.
    #[error("the token is of another sign-in")]
    Nonce,
    /// A subject that is empty, longer than 255 characters, or not visible ASCII.
    #[error("the subject is invalid")]
    Subject,
    /// The access token is not the one that came with the ID token (Core 1.0, 3.1.3.6).
    #[error("the access token does not belong to the ID token")]
    AccessTokenHash,
    /// UserInfo about another person (Core 1.0, 5.3.2).
    #[error("the user info is about another person")]
    ForeignUserInfo,
    /// Not a deliverable address.
    #[error("the e-mail address is unusable")]
    BadEmail(#[source] EmailError),
    /// Not a logout token: it lacks the event (Back-Channel Logout 1.0, 2.4).
    #[error("the token has no logout event")]
    NoLogoutEvent,
    /// A logout token with a nonce, which only ID tokens have.
    #[error("the logout token has a nonce")]
    LogoutNonce,
    /// A logout token with only a session id; we keep no session ids of the provider.
    #[error("the logout token names a session and no person")]
    SessionOnly,
}

impl Refusal {
    /// The reason in kebab case, for logs and metrics.
    pub fn code(&self) -> &'static str {
        self.into()
    }
}

impl From<ParameterError> for Refusal {
    fn from(error: ParameterError) -> Self {
        match error {
            ParameterError::Oversized => Self::Oversized,
            ParameterError::Duplicate => Self::Duplicate,
            ParameterError::Encoding => Self::Encoding,
        }
    }
}
