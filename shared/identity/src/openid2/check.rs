//! All checks of an assertion that need no request to the provider (section 11, in its order).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use membermail_core::member::{Identity, Subject};
use url::Url;

use super::registration::{self, Registration};
use super::{IndirectResponse, NS, Provider, Refusal, RelyingParty};

/// Maximum clock skew of the provider and delay of its response.
const NONCE_WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// Maximum characters of a provider's error message.
const ERROR_LIMIT: usize = 200;
/// The fields that must be signed (10.1).
const REQUIRED_SIGNED: [&str; 6] =
    ["op_endpoint", "return_to", "response_nonce", "assoc_handle", "claimed_id", "identity"];

/// A valid assertion for this site, not yet confirmed by the provider.
#[derive(Clone)]
pub struct Checked {
    pub(super) response: IndirectResponse,
    pub(super) identity: Identity,
    pub(super) registration: Registration,
    pub(super) nonce: String,
}

impl Checked {
    /// The nonce (10.1) as the provider sent it; consume it before the call to [`RelyingParty::confirm`].
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// The provider, within which the nonce is unique.
    pub fn issuer(&self) -> &str {
        &self.identity.issuer
    }
}

impl RelyingParty {
    /// Checks a response that arrived at `callback` (our URL without a query) now.
    pub fn check(&self, response: IndirectResponse, callback: &Url, now: Timestamp) -> Result<Checked, Refusal> {
        if response.required("ns")? != NS {
            return Err(Refusal::Namespace);
        }
        match response.required("mode")? {
            "id_res" => {}
            "cancel" => return Err(Refusal::Cancelled),
            "setup_needed" => return Err(Refusal::SetupNeeded),
            "error" => return Err(Refusal::ProviderError(error_message(&response))),
            _ => return Err(Refusal::Mode),
        }
        if !is_return_to(response.required("return_to")?, callback, &response) {
            return Err(Refusal::ReturnTo);
        }
        if response.required("op_endpoint")? != self.provider.endpoint.as_str() {
            return Err(Refusal::Endpoint);
        }
        let subject = claimed_identifier(&response, &self.provider)?;
        let nonce = parse_nonce(response.required("response_nonce")?, now)?;
        let handle = response.required("assoc_handle")?;
        response.required("sig")?;
        if response.field("invalidate_handle") == Some(handle) {
            return Err(Refusal::AssociationConfusion);
        }
        let signed = signed_fields(&response)?;
        let registration = registration::read(&response, &signed)?;
        let identity = Identity { issuer: self.provider.endpoint.to_string(), subject };
        Ok(Checked { identity, registration, nonce, response })
    }
}

/// The provider's error message (5.2.3), truncated and escaped for the log.
fn error_message(response: &IndirectResponse) -> String {
    response.field("error").unwrap_or_default().chars().take(ERROR_LIMIT).flat_map(char::escape_debug).collect()
}

/// Whether `return_to` is the URL that the response arrived at (11.1): the same callback and the same own parameters.
fn is_return_to(return_to: &str, callback: &Url, response: &IndirectResponse) -> bool {
    let Ok(url) = Url::parse(return_to) else { return false };
    let mut base = url.clone();
    base.set_query(None);
    let Ok(sent) = IndirectResponse::from_query(url.query().unwrap_or_default()) else { return false };
    // We sent it in normalized form, so it must come back unchanged, not merely equivalent.
    url.as_str() == return_to
        && base == *callback
        && sent.own_parameters() == response.own_parameters()
        && sent.fields().next().is_none()
}

/// The claimed identifier, if this provider is authoritative for it (11.2).
fn claimed_identifier(response: &IndirectResponse, provider: &Provider) -> Result<Subject, Refusal> {
    let claimed = response.required("claimed_id")?;
    if response.required("identity")? != claimed {
        return Err(Refusal::IdentityDiffers);
    }
    // Compared as text: Launchpad does not know an equivalent URL as the same identifier.
    let word = claimed.strip_prefix(provider.identifier_root.as_str()).ok_or(Refusal::ForeignIdentifier)?;
    if word.is_empty() || !word.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(Refusal::ForeignIdentifier);
    }
    Subject::parse(claimed).map_err(|_| Refusal::ForeignIdentifier)
}

/// Parses a nonce: a UTC time in seconds, and a unique suffix (10.1).
fn parse_nonce(text: &str, now: Timestamp) -> Result<String, Refusal> {
    let (time, _) = text.split_at_checked(20).ok_or(Refusal::NonceForm)?;
    let has_shape = time.bytes().zip(*b"dddd-dd-ddTdd:dd:ddZ").all(|(b, shape)| match shape {
        b'd' => b.is_ascii_digit(),
        shape => b == shape,
    });
    if text.len() > 255 || !text.bytes().all(|b| b.is_ascii_graphic()) || !has_shape {
        return Err(Refusal::NonceForm);
    }
    let created: Timestamp = time.parse().map_err(|_| Refusal::NonceForm)?;
    let age = now.duration_since(created);
    if age > NONCE_WINDOW {
        Err(Refusal::NonceOld)
    } else if -age > NONCE_WINDOW {
        Err(Refusal::NonceFuture)
    } else {
        Ok(text.to_owned())
    }
}

/// The names of the signed fields: unique, present, and with all required ones among them.
fn signed_fields(response: &IndirectResponse) -> Result<BTreeSet<&str>, Refusal> {
    let mut names = BTreeSet::new();
    for name in response.required("signed")?.split(',') {
        // A colon in a name could split a signed line (4.1.1) elsewhere than the provider did, because `signed` itself need
        // not be signed.
        if name.is_empty() || name.contains(':') || !names.insert(name) {
            return Err(Refusal::SignedForm);
        }
    }
    if let Some(missing) = REQUIRED_SIGNED.into_iter().find(|name| !names.contains(name)) {
        return Err(Refusal::Unsigned(missing));
    }
    if names.iter().any(|name| response.field(name).is_none()) {
        return Err(Refusal::SignedAbsent);
    }
    Ok(names)
}
