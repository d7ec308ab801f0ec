//! Why a response is refused, for the log.

use membermail_core::email::EmailError;
use strum::IntoStaticStr;

use crate::parameters::ParameterError;

/// Why a response is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Refusal {
    /// Larger than any legitimate response.
    #[error("the response is oversized")]
    Oversized,
    /// A duplicate parameter, of which two parsers could pick different values.
    #[error("a parameter is duplicated")]
    Duplicate,
    /// A malformed escape, or invalid UTF-8.
    #[error("the encoding is malformed")]
    Encoding,
    /// A POST body that is not a form.
    #[error("the body is not a form")]
    ContentType,
    /// Protocol fields in the URL of a POST, or our own parameters in its form (11.1).
    #[error("the response is split between URL and form")]
    SplitResponse,
    /// Not OpenID 2.0 (4.1.2).
    #[error("the namespace is not that of OpenID 2.0")]
    Namespace,
    /// The person cancelled the sign-in (10.2.2).
    #[error("the person cancelled the sign-in")]
    Cancelled,
    /// A response to `checkid_immediate`, which we never send (10.2.1).
    #[error("the provider needs to ask the person, although the request allowed it")]
    SetupNeeded,
    /// The provider reported an error (5.2.3), here with its bounded and escaped message. The error text omits it, because
    /// anyone can put personal data or tokens into it.
    #[error("the provider reported an error")]
    ProviderError(String),
    /// Not the mode of a response.
    #[error("the mode is unknown")]
    Mode,
    /// A mandatory field is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// For another URL than the one it arrived at (11.1).
    #[error("return_to differs from the requested URL")]
    ReturnTo,
    /// From another provider (11.2).
    #[error("op_endpoint is not the configured provider")]
    Endpoint,
    /// About an identifier that the provider is not authoritative for (11.2).
    #[error("the claimed identifier is not below the provider's root")]
    ForeignIdentifier,
    /// Two identifiers in one assertion.
    #[error("identity and claimed_id differ")]
    IdentityDiffers,
    /// Not in the format of 10.1.
    #[error("the nonce is malformed")]
    NonceForm,
    /// So old that its use may no longer be recorded.
    #[error("the nonce is too old")]
    NonceOld,
    /// Beyond the allowed clock skew.
    #[error("the nonce is from the future")]
    NonceFuture,
    /// An empty, duplicate or malformed name in `signed`.
    #[error("the list of signed fields is malformed")]
    SignedForm,
    /// A field that must be signed is not (10.1).
    #[error("{0} is not signed")]
    Unsigned(&'static str),
    /// `signed` names a missing field.
    #[error("a signed field is missing")]
    SignedAbsent,
    /// The response invalidates its own association handle (11.4.2.2).
    #[error("the response invalidates its own association handle")]
    AssociationConfusion,
    /// A reserved or malformed extension alias (12).
    #[error("an extension has a reserved or malformed alias")]
    BadAlias,
    /// Two aliases for one extension (12).
    #[error("an extension has two aliases")]
    SecondAlias,
    /// An unsigned field of Simple Registration.
    #[error("the {0} of Simple Registration is not signed")]
    UnsignedRegistration(&'static str),
    /// The person did not share their e-mail address.
    #[error("the e-mail address is missing")]
    NoEmail,
    /// Not a deliverable address.
    #[error("the e-mail address is unusable")]
    BadEmail(#[source] EmailError),
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
