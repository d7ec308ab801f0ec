//! Why a sign-in failed.

use membermail_identity::openid_connect::{self, ProviderError, RedeemError};
use membermail_identity::openid2::{ConfirmError, Refusal};
use membermail_identity::state::StateError;
use membermail_runtime::checks::CheckError;
use membermail_runtime::queue::QueueError;
use membermail_runtime::secret::SecretError;
use membermail_store::StoreError;

use crate::providers::CodeError;

/// Why a sign-in failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    #[error("the assertion is refused")]
    Refused(#[from] Refusal),
    #[error("the response is refused")]
    Response(#[from] openid_connect::Refusal),
    #[error("the provider sent no e-mail address")]
    NoEmail,
    #[error("the session to which the identity was to be added has ended")]
    SessionEnded,
    #[error("the session to which the identity was to be added is too old")]
    OldSession,
    #[error("the state is refused")]
    State(#[from] StateError),
    #[error("the provider did not confirm the assertion")]
    Confirm(#[from] ConfirmError),
    #[error("the provider did not exchange the code")]
    Code(#[from] CodeError),
    #[error("the provider's configuration is not available")]
    Provider(#[from] ProviderError),
    #[error("the assertion or the state was used before")]
    Replayed,
    #[error("reading the master secret failed")]
    Secret(#[from] SecretError),
    #[error("accessing the table failed")]
    Store(#[from] StoreError),
    #[error("sending the message failed")]
    Queue(#[from] QueueError),
}

impl SignInError {
    /// Why an OpenID Connect response or token is refused, if that is the cause.
    pub(crate) fn refusal(&self) -> Option<&openid_connect::Refusal> {
        match self {
            Self::Response(refusal) | Self::Code(CodeError::Redeem(RedeemError::Refused(refusal))) => Some(refusal),
            _ => None,
        }
    }

    /// Whether the state may be signed under another key.
    pub(crate) fn has_other_key(&self) -> bool {
        matches!(self, Self::State(StateError::OtherBrowser))
    }

    /// The outcome in the metric of sign-ins.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::Refused(Refusal::Cancelled) | Self::Response(openid_connect::Refusal::Cancelled) => "cancelled",
            Self::Refused(Refusal::NoEmail) | Self::NoEmail => "no-email",
            Self::Refused(Refusal::BadEmail(_)) => "bad-email",
            Self::Code(CodeError::Redeem(RedeemError::Refused(openid_connect::Refusal::BadEmail(_)))) => "bad-email",
            Self::State(StateError::Expired) | Self::Refused(Refusal::NonceOld) => "too-late",
            Self::Refused(_) | Self::Response(_) => "refused",
            Self::Code(CodeError::Redeem(RedeemError::Refused(_))) => "refused",
            Self::State(_) => "other-browser",
            Self::SessionEnded | Self::OldSession => "session-ended",
            Self::Confirm(ConfirmError::Forged) => "forged",
            // Used twice, or stolen.
            Self::Code(CodeError::Redeem(RedeemError::Code)) => "forged",
            Self::Code(CodeError::Redeem(RedeemError::Client | RedeemError::Request)) => "provider-rejected",
            Self::Provider(ProviderError::TimedOut)
            | Self::Code(CodeError::Redeem(RedeemError::Provider(ProviderError::TimedOut))) => "provider-timeout",
            Self::Provider(_) | Self::Code(CodeError::Redeem(RedeemError::Provider(_))) => "provider-failed",
            Self::Confirm(ConfirmError::Rejected) => "provider-rejected",
            Self::Confirm(ConfirmError::TimedOut) => "provider-timeout",
            Self::Confirm(ConfirmError::Unavailable(_) | ConfirmError::Malformed(_)) => "provider-failed",
            Self::Replayed => "replayed",
            Self::Secret(_)
            | Self::Store(_)
            | Self::Queue(_)
            | Self::Code(CodeError::Secret(_) | CodeError::Credential(_)) => "failed",
        }
    }
}

impl From<openid_connect::CheckError> for SignInError {
    fn from(error: openid_connect::CheckError) -> Self {
        match error {
            openid_connect::CheckError::Refused(refusal) => Self::Response(refusal),
            openid_connect::CheckError::Provider(cause) => Self::Provider(cause),
        }
    }
}

impl From<CheckError> for SignInError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Store(cause) => Self::Store(cause),
            CheckError::Queue(cause) => Self::Queue(cause),
        }
    }
}
