//! The state parameter of a sign-in. It is valid once, for [`LIFETIME`], in the browser that started the sign-in, which
//! prevents login CSRF: an attacker cannot complete their own sign-in in another person's browser.
//!
//! Nonce and PKCE verifier of OpenID Connect are derived from the state, the browser secret and the master secret, so that
//! nothing is stored before the provider answers.

use std::fmt;

use cookie::SameSite;
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use membermail_core::random::{self, Random};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::keyed::{from_text, from_text_of_any_length, tag, to_text};
use crate::session::SessionHash;
use crate::site_cookie::SiteCookie;

/// Maximum duration of a sign-in.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// `SameSite=None`, because the provider may return by a cross-site POST, which carries no `Lax` cookie. The cookie alone
/// grants no access.
const COOKIE: SiteCookie = SiteCookie { name: "sign-in", same_site: SameSite::None, max_age: 3600 };

/// Id (16 bytes), time (8 bytes), tag (32 bytes).
const BYTES: usize = 56;
/// The hash of a session, before the tag.
const SESSION_BYTES: usize = 32;
/// The purpose of a state that names its issuer, first.
const SIGNS_IN: u8 = 0;
const LINKS: u8 = 1;

/// Signs and verifies states.
pub struct StateKey(Zeroizing<[u8; 32]>);

impl StateKey {
    /// Derives the key from the master secret.
    pub fn derive(master: &[u8]) -> Self {
        Self(Zeroizing::new(tag(master, b"membermail/1/sign-in-state")))
    }
}

/// A secret in a cookie of the browser that started the sign-in.
pub struct BrowserSecret(Zeroizing<[u8; 32]>);

impl BrowserSecret {
    /// Generates a secret.
    pub fn new(random: &dyn Random) -> Self {
        Self(Zeroizing::new(random::bytes(random)))
    }
}

impl fmt::Debug for BrowserSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BrowserSecret([redacted])")
    }
}

/// Where a sign-in goes, and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purpose<'a> {
    /// The issuer, to which alone the state is valid. None for the community's OpenID 2.0 provider, whose assertions name it.
    pub issuer: Option<&'a str>,
    /// Whether the identity is added to the member of the session, instead of signing in. Needs an issuer.
    pub is_link: bool,
}

impl Purpose<'_> {
    /// A sign-in at the community's OpenID 2.0 provider.
    pub const OPENID2: Purpose<'static> = Purpose { issuer: None, is_link: false };

    /// The purpose as signed: of fixed length, or nothing.
    fn signed(self) -> Vec<u8> {
        let kind = if self.is_link { LINKS } else { SIGNS_IN };
        self.issuer.map(|issuer| [&[kind], Sha256::digest(issuer).as_slice()].concat()).unwrap_or_default()
    }
}

/// An issued state, for the request to the provider.
pub struct Issued {
    /// The state parameter.
    pub token: String,
    /// Nonce and PKCE verifier, for OpenID Connect.
    pub secrets: Secrets,
}

/// A verified state.
#[derive(Debug)]
pub struct State {
    /// The id of the state as base64url, so that it can be consumed.
    pub id: String,
    /// The session of the browser when the sign-in started; it ends when the sign-in completes. The session cookie is `Lax`,
    /// so a cross-site POST from the provider does not carry it.
    pub previous_session: Option<SessionHash>,
    /// Whether the identity is added to the member of the session.
    pub is_link: bool,
    /// Nonce and PKCE verifier, for OpenID Connect.
    pub secrets: Secrets,
}

/// The values that bind a response of an OpenID Connect provider to the browser that started the sign-in.
pub struct Secrets {
    /// The nonce (Core 1.0, 3.1.2.1).
    pub nonce: String,
    /// The code verifier (RFC 7636, 4.1).
    pub verifier: Zeroizing<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets([redacted])")
    }
}

impl Secrets {
    fn derive(key: &StateKey, browser: &BrowserSecret, id: &[u8]) -> Self {
        let browser = Sha256::digest(browser.0.as_slice());
        let derive = |label: &[u8]| to_text(&tag(key.0.as_slice(), &[label, id, browser.as_slice()].concat()));
        Self { nonce: derive(b"membermail/1/nonce"), verifier: Zeroizing::new(derive(b"membermail/1/verifier")) }
    }
}

/// Issues a state for this browser.
pub fn issue(
    key: &StateKey,
    browser: &BrowserSecret,
    purpose: Purpose<'_>,
    previous_session: Option<&SessionHash>,
    now: Timestamp,
    random: &dyn Random,
) -> Issued {
    let id: [u8; 16] = random::bytes(random);
    let time = now.as_second().to_be_bytes();
    let session = previous_session.map(SessionHash::bytes).unwrap_or_default();
    let signed = purpose.signed();
    let kind = signed.first().copied();
    let tag = sign(key, browser, [&id, &time, session, &signed]);
    let token = to_text(&[kind.as_slice(), &id, &time, session, &tag].concat());
    Issued { token, secrets: Secrets::derive(key, browser, &id) }
}

/// Verifies a state that this browser returned from `issuer`.
pub fn verify(
    key: &StateKey,
    text: &str,
    browser: &BrowserSecret,
    issuer: Option<&str>,
    now: Timestamp,
) -> Result<State, StateError> {
    let bytes = from_text_of_any_length(text).ok_or(StateError::Malformed)?;
    let (is_link, bytes) = match (bytes.len(), bytes.split_first()) {
        (length, Some((kind, rest))) if length % 2 == 1 && matches!(*kind, SIGNS_IN | LINKS) => (*kind == LINKS, rest),
        (length, _) if length % 2 == 0 => (false, bytes.as_slice()),
        _ => return Err(StateError::Malformed),
    };
    if bytes.len() != BYTES && bytes.len() != BYTES + SESSION_BYTES {
        return Err(StateError::Malformed);
    }
    let (id, rest) = bytes.split_at(16);
    let (time, rest) = rest.split_at(8);
    let (session, given) = rest.split_at(rest.len() - 32);
    let signed = Purpose { issuer, is_link }.signed();
    if !bool::from(sign(key, browser, [id, time, session, &signed]).ct_eq(given)) {
        return Err(StateError::OtherBrowser);
    }
    let time = <[u8; 8]>::try_from(time).map_err(|_| StateError::Malformed)?;
    let issued = Timestamp::from_second(i64::from_be_bytes(time)).map_err(|_| StateError::Malformed)?;
    if now.duration_since(issued) >= LIFETIME {
        return Err(StateError::Expired);
    }
    // Empty without a session.
    let previous_session = <[u8; 32]>::try_from(session).ok().map(SessionHash::from_bytes);
    Ok(State { id: to_text(id), previous_session, is_link, secrets: Secrets::derive(key, browser, id) })
}

/// The parts have fixed lengths or are absent, and no two combinations have the same sum.
fn sign(key: &StateKey, browser: &BrowserSecret, [id, time, session, purpose]: [&[u8]; 4]) -> [u8; 32] {
    let browser = Sha256::digest(browser.0.as_slice());
    tag(key.0.as_slice(), &[id, time, browser.as_slice(), session, purpose].concat())
}

/// The `Set-Cookie` header that sets the browser secret.
pub fn cookie(browser: &BrowserSecret, https: bool) -> String {
    COOKIE.set(&to_text(browser.0.as_slice()), https)
}

/// The `Set-Cookie` header that deletes it.
pub fn clearing_cookie(https: bool) -> String {
    COOKIE.clear(https)
}

/// The browser secret in the `Cookie` headers of a request.
pub fn read_cookie(headers: &HeaderMap, https: bool) -> Option<BrowserSecret> {
    COOKIE.read(headers, https, |text| from_text(text).map(|bytes| BrowserSecret(Zeroizing::new(bytes))))
}

/// Why a state is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Missing or malformed.
    #[error("the state is missing or malformed")]
    Malformed,
    /// Signed for another browser or under another key.
    #[error("the state belongs to another browser")]
    OtherBrowser,
    /// Issued more than [`LIFETIME`] ago.
    #[error("the state has expired")]
    Expired,
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
