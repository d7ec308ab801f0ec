//! Why an answer is refused: one reason each, for the log. The member is told to begin again.

use membermail_core::email::EmailError;

/// A reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More than a browser or a provider would send.
    #[error("the answer is oversized")]
    Oversized,
    /// The same parameter twice: two readers could each believe another.
    #[error("a parameter stands twice")]
    Duplicate,
    /// A broken escape, or no text.
    #[error("the encoding is broken")]
    Encoding,
    /// A POST of something else than a form.
    #[error("the body is not a form")]
    ContentType,
    /// Fields of the protocol in the URL of a POST, or parameters of our own in its form (11.1).
    #[error("the answer is split between URL and form")]
    SplitAnswer,
    /// Not OpenID 2.0 (4.1.2).
    #[error("the namespace is not that of OpenID 2.0")]
    Namespace,
    /// The person said no (10.2.2).
    #[error("the person cancelled")]
    Cancelled,
    /// An answer to a question that we never ask (10.2.1).
    #[error("the provider wants to ask the person, which it could have done")]
    SetupNeeded,
    /// The provider reports an error (5.2.3), with its own words, bounded and escaped. Anybody can write them, an address
    /// or a token too, so the message that goes to the log leaves them out.
    #[error("the provider reports an error")]
    ProviderError(String),
    /// No mode that an answer can have.
    #[error("the mode is unknown")]
    Mode,
    /// A field that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Made for another URL than the one it came to (11.1).
    #[error("return_to is not where this came to")]
    ReturnTo,
    /// From another provider (11.2).
    #[error("op_endpoint is not the configured provider")]
    Endpoint,
    /// About an identifier that this provider may not assert (11.2).
    #[error("the claimed identifier does not lie under the provider's root")]
    ForeignIdentifier,
    /// Two persons in one assertion.
    #[error("identity and claimed_id differ")]
    IdentityDiffers,
    /// Not as 10.1 has it.
    #[error("the nonce is malformed")]
    NonceForm,
    /// Too old to be remembered as used.
    #[error("the nonce is too old")]
    NonceOld,
    /// Later than clocks can differ.
    #[error("the nonce is of the future")]
    NonceFuture,
    /// A name in `signed` twice, or none.
    #[error("the list of signed fields is malformed")]
    SignedForm,
    /// A field that must be signed is not (10.1).
    #[error("{0} is not signed")]
    Unsigned(&'static str),
    /// `signed` names a field that is not there.
    #[error("a signed field is absent")]
    SignedAbsent,
    /// The handle in use is called invalid in the same answer (11.4.2.2).
    #[error("the association is called invalid by its own answer")]
    AssociationConfusion,
    /// An alias that is reserved or malformed (12).
    #[error("an extension has a reserved or malformed alias")]
    BadAlias,
    /// Two aliases for one extension (12).
    #[error("an extension has two aliases")]
    SecondAlias,
    /// A field of an extension that the provider did not sign.
    #[error("the {0} of the person is not signed")]
    UnsignedRegistration(&'static str),
    /// The provider gave no address: the person unticked the field.
    #[error("there is no e-mail address")]
    NoEmail,
    /// Not an address that mail can be sent to.
    #[error("the e-mail address is unusable")]
    BadEmail(#[source] EmailError),
}

impl Refusal {
    /// A word for logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Oversized => "oversized",
            Self::Duplicate => "duplicate",
            Self::Encoding => "encoding",
            Self::ContentType => "content-type",
            Self::SplitAnswer => "split-answer",
            Self::Namespace => "namespace",
            Self::Cancelled => "cancelled",
            Self::SetupNeeded => "setup-needed",
            Self::ProviderError(_) => "provider-error",
            Self::Mode => "mode",
            Self::Missing(_) => "missing",
            Self::ReturnTo => "return-to",
            Self::Endpoint => "endpoint",
            Self::ForeignIdentifier => "foreign-identifier",
            Self::IdentityDiffers => "identity-differs",
            Self::NonceForm => "nonce-form",
            Self::NonceOld => "nonce-old",
            Self::NonceFuture => "nonce-future",
            Self::SignedForm => "signed-form",
            Self::Unsigned(_) => "unsigned",
            Self::SignedAbsent => "signed-absent",
            Self::AssociationConfusion => "association-confusion",
            Self::BadAlias => "bad-alias",
            Self::SecondAlias => "second-alias",
            Self::UnsignedRegistration(_) => "unsigned-registration",
            Self::NoEmail => "no-email",
            Self::BadEmail(_) => "bad-email",
        }
    }
}
