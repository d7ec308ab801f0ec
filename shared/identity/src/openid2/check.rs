//! Everything that can be checked of an assertion without asking anybody (section 11, in its order).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use membermail_core::member::{ClaimedIdentifier, Identity};
use url::Url;

use super::registration::{self, Registration};
use super::{Answer, NS, Provider, Refusal, RelyingParty};

/// How far the provider's clock may be off, or its answer late.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// Characters of a provider's error at most.
const WORDS_LIMIT: usize = 200;
/// What must be signed (10.1).
const MUST_BE_SIGNED: [&str; 6] =
    ["op_endpoint", "return_to", "response_nonce", "assoc_handle", "claimed_id", "identity"];

/// An assertion that is whole and meant for us, but not yet confirmed by the provider.
#[derive(Clone)]
pub struct Checked {
    pub(super) answer: Answer,
    pub(super) identity: Identity,
    pub(super) registration: Registration,
    pub(super) nonce: ResponseNonce,
}

/// The nonce of an assertion (10.1), to be used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseNonce(String);

impl ResponseNonce {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Checked {
    /// The nonce, to be used up before the provider is asked.
    pub fn nonce(&self) -> &ResponseNonce {
        &self.nonce
    }

    /// The provider that the nonce is unique at.
    pub fn issuer(&self) -> &str {
        &self.identity.issuer
    }
}

impl RelyingParty {
    /// Checks an answer that came to `callback` (our URL, without a query) at this time.
    pub fn check(&self, answer: Answer, callback: &Url, now: Timestamp) -> Result<Checked, Refusal> {
        if answer.required("ns")? != NS {
            return Err(Refusal::Namespace);
        }
        match answer.required("mode")? {
            "id_res" => {}
            "cancel" => return Err(Refusal::Cancelled),
            "setup_needed" => return Err(Refusal::SetupNeeded),
            "error" => return Err(Refusal::ProviderError(words(&answer))),
            _ => return Err(Refusal::Mode),
        }
        if !came_to(answer.required("return_to")?, callback, &answer) {
            return Err(Refusal::ReturnTo);
        }
        if answer.required("op_endpoint")? != self.provider.endpoint.as_str() {
            return Err(Refusal::Endpoint);
        }
        let subject = claimed_identifier(&answer, &self.provider)?;
        let nonce = nonce(answer.required("response_nonce")?, now)?;
        let handle = answer.required("assoc_handle")?;
        answer.required("sig")?;
        if answer.field("invalidate_handle") == Some(handle) {
            return Err(Refusal::AssociationConfusion);
        }
        let signed = signed(&answer)?;
        let registration = registration::read(&answer, &signed)?;
        let identity = Identity { issuer: self.provider.endpoint.to_string(), subject };
        Ok(Checked { identity, registration, nonce, answer })
    }
}

/// What the provider says went wrong (5.2.3), short and without control characters, so that it is fit for a log.
fn words(answer: &Answer) -> String {
    answer.field("error").unwrap_or_default().chars().take(WORDS_LIMIT).flat_map(char::escape_debug).collect()
}

/// Whether `return_to` is the URL that this came to (11.1): the same place, and the same parameters of ours.
fn came_to(return_to: &str, callback: &Url, answer: &Answer) -> bool {
    let Ok(url) = Url::parse(return_to) else { return false };
    let mut place = url.clone();
    place.set_query(None);
    let Ok(asked) = Answer::from_query(url.query().unwrap_or_default()) else { return false };
    // We wrote it as a URL is written, so it comes back letter by letter, not just as an equal of it.
    url.as_str() == return_to && place == *callback && asked.ours() == answer.ours() && asked.fields().next().is_none()
}

/// The identifier, if this provider may speak for it (11.2).
fn claimed_identifier(answer: &Answer, provider: &Provider) -> Result<ClaimedIdentifier, Refusal> {
    let claimed = answer.required("claimed_id")?;
    if answer.required("identity")? != claimed {
        return Err(Refusal::IdentityDiffers);
    }
    // Compared as text: what a URL parser would make equal is not the identifier that Launchpad knows.
    let word = claimed.strip_prefix(provider.identifier_root.as_str()).ok_or(Refusal::ForeignIdentifier)?;
    if word.is_empty() || !word.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(Refusal::ForeignIdentifier);
    }
    ClaimedIdentifier::parse(claimed).map_err(|_| Refusal::ForeignIdentifier)
}

/// A nonce: a time in UTC, to the second, and what makes it unique (10.1).
fn nonce(text: &str, now: Timestamp) -> Result<ResponseNonce, Refusal> {
    let (time, _) = text.split_at_checked(20).ok_or(Refusal::NonceForm)?;
    let shape = |(place, b): (usize, u8)| match place {
        4 | 7 => b == b'-',
        10 => b == b'T',
        13 | 16 => b == b':',
        19 => b == b'Z',
        _ => b.is_ascii_digit(),
    };
    if text.len() > 255 || !text.bytes().all(|b| b.is_ascii_graphic()) || !time.bytes().enumerate().all(shape) {
        return Err(Refusal::NonceForm);
    }
    let made: Timestamp = time.parse().map_err(|_| Refusal::NonceForm)?;
    let age = now.duration_since(made);
    if age > WINDOW {
        Err(Refusal::NonceOld)
    } else if -age > WINDOW {
        Err(Refusal::NonceFuture)
    } else {
        Ok(ResponseNonce(text.to_owned()))
    }
}

/// The names of the signed fields: each once, each there, and all that must be among them.
fn signed(answer: &Answer) -> Result<BTreeSet<&str>, Refusal> {
    let mut names = BTreeSet::new();
    for name in answer.required("signed")?.split(',') {
        // A colon in a name could cut a signed line (4.1.1) elsewhere than the provider did: `signed` itself is not signed.
        if name.is_empty() || name.contains(':') || !names.insert(name) {
            return Err(Refusal::SignedForm);
        }
    }
    if let Some(missing) = MUST_BE_SIGNED.into_iter().find(|name| !names.contains(name)) {
        return Err(Refusal::Unsigned(missing));
    }
    if names.iter().any(|name| answer.field(name).is_none()) {
        return Err(Refusal::SignedAbsent);
    }
    Ok(names)
}
