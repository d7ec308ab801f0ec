//! The provider's response by way of the browser (Core 1.0, 3.1.2.5 and 3.1.2.6). Anyone can send one.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{CheckError, Refusal, RelyingParty};
use crate::parameters;

/// Maximum bytes of a query.
const LIMIT: usize = 8 * 1024;
/// Errors that are kept by their name: RFC 6749, 4.1.2.1, and Core 1.0, 3.1.2.6.
const KNOWN_ERRORS: [&str; 15] = [
    "account_selection_required",
    "consent_required",
    "interaction_required",
    "invalid_request",
    "invalid_request_object",
    "invalid_request_uri",
    "invalid_scope",
    "login_required",
    "registration_not_supported",
    "request_not_supported",
    "request_uri_not_supported",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_response_type",
];

/// A code, not yet exchanged.
pub struct Code(pub(super) Zeroizing<String>);

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code([redacted])")
    }
}

/// A response, not yet checked.
pub struct AuthorizationResponse {
    state: String,
    issuer: Option<String>,
    result: Result<Code, Refusal>,
}

impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizationResponse([redacted])")
    }
}

impl AuthorizationResponse {
    /// Parses the query of a callback.
    ///
    /// # Errors
    /// If it is not a response. The response of a person who cancelled is one: [`RelyingParty::check_response`] refuses it.
    pub fn from_query(query: &str) -> Result<Self, Refusal> {
        let mut parameters = BTreeMap::new();
        parameters::parse(query, LIMIT, &mut parameters)?;
        let mut take = |name| parameters.remove(name).filter(|value| !value.is_empty());
        let state = take("state").ok_or(Refusal::Missing("state"))?;
        let issuer = take("iss");
        let result = match (take("code"), take("error")) {
            (Some(_), Some(_)) => return Err(Refusal::CodeAndError),
            (None, None) => return Err(Refusal::Missing("code")),
            (Some(code), None) => Ok(Code(Zeroizing::new(code))),
            (None, Some(error)) if error == "access_denied" => Err(Refusal::Cancelled),
            (None, Some(error)) => {
                let known = KNOWN_ERRORS.into_iter().find(|known| *known == error);
                Err(Refusal::ProviderError(known.unwrap_or("unknown")))
            }
        };
        Ok(Self { state, issuer, result })
    }

    /// The state, which the caller verifies and consumes.
    pub fn state(&self) -> &str {
        &self.state
    }
}

impl RelyingParty {
    /// Checks who sent a response whose state belongs to this browser and this provider (RFC 9207, 2.4), and returns its
    /// code. An error is believed only if its sender is right, too.
    ///
    /// # Errors
    /// If it is refused, reports an error, or cannot be checked because the provider's metadata cannot be read.
    pub async fn check_response(&self, response: AuthorizationResponse, now: Timestamp) -> Result<Code, CheckError> {
        let metadata = self.metadata(now).await?;
        match &response.issuer {
            Some(issuer) if issuer != self.provider.issuer.as_str() => return Err(Refusal::ForeignResponse.into()),
            None if metadata.additional_metadata().authorization_response_iss_parameter_supported => {
                return Err(Refusal::NoIssuer.into());
            }
            Some(_) | None => {}
        }
        Ok(response.result?)
    }
}
