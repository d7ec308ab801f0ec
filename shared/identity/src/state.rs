//! The state of a sign-in: it goes to the provider and comes back, and is good once, for a quarter of an hour, in the
//! browser that it was made for. So nobody can finish their own sign-in in somebody else's browser.

use std::fmt;

use cookie::SameSite;
use jiff::{SignedDuration, Timestamp};
use membermail_core::random::{self, Random};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::keyed::{from_text, tag, to_text};
use crate::site_cookie::SiteCookie;

/// How long a sign-in may take.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// The provider may come back by POST, and a form sent from another site carries no `Lax` cookie. So this one is
/// `None`; it opens nothing by itself.
const COOKIE: SiteCookie = SiteCookie { name: "sign-in", same_site: SameSite::None, max_age: 3600 };

/// Id (16 bytes), time (8 bytes), tag (32 bytes).
const BYTES: usize = 56;

/// Makes and checks states.
pub struct StateKey(Zeroizing<[u8; 32]>);

impl StateKey {
    /// The key for states, out of the master secret.
    pub fn derive(master: &[u8]) -> Self {
        Self(Zeroizing::new(tag(master, b"membermail/1/sign-in-state")))
    }
}

/// What only the browser has that began the sign-in.
pub struct BrowserSecret(Zeroizing<[u8; 32]>);

impl BrowserSecret {
    /// A new one.
    pub fn new(random: &dyn Random) -> Self {
        Self(Zeroizing::new(random::bytes(random)))
    }
}

impl fmt::Debug for BrowserSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BrowserSecret([redacted])")
    }
}

/// Names a state, to use it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateId(String);

impl StateId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A state for this browser, from now on.
pub fn issue(key: &StateKey, browser: &BrowserSecret, now: Timestamp, random: &dyn Random) -> String {
    let id: [u8; 16] = random::bytes(random);
    let time = now.as_second().to_be_bytes();
    to_text(&[id.as_slice(), &time, &sign(key, browser, &id, time)].concat())
}

/// Checks a state that came back with this browser.
pub fn verify(key: &StateKey, text: &str, browser: &BrowserSecret, now: Timestamp) -> Result<StateId, StateError> {
    let bytes: [u8; BYTES] = from_text(text).ok_or(StateError::Malformed)?;
    let (id, rest) = bytes.split_at(16);
    let (time, given) = rest.split_at(8);
    let time = <[u8; 8]>::try_from(time).map_err(|_| StateError::Malformed)?;
    if !bool::from(sign(key, browser, id, time).ct_eq(given)) {
        return Err(StateError::OtherBrowser);
    }
    let issued = Timestamp::from_second(i64::from_be_bytes(time)).map_err(|_| StateError::Malformed)?;
    if now.duration_since(issued) >= LIFETIME {
        return Err(StateError::Expired);
    }
    Ok(StateId(to_text(id)))
}

fn sign(key: &StateKey, browser: &BrowserSecret, id: &[u8], time: [u8; 8]) -> [u8; 32] {
    let browser = Sha256::digest(browser.0.as_slice());
    tag(key.0.as_slice(), &[id, &time, browser.as_slice()].concat())
}

/// The `Set-Cookie` header of a browser's secret.
pub fn cookie(browser: &BrowserSecret, https: bool) -> String {
    COOKIE.set(&to_text(browser.0.as_slice()), https)
}

/// The secret among the `Cookie` headers of a request.
pub fn read_cookie<'a>(headers: impl Iterator<Item = &'a str>, https: bool) -> Option<BrowserSecret> {
    COOKIE.read(headers, https).and_then(|text| from_text(&text)).map(|bytes| BrowserSecret(Zeroizing::new(bytes)))
}

/// Why a state is refused. The member begins again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// No state, or not one of ours.
    #[error("there is no readable state")]
    Malformed,
    /// Made for another browser, or by somebody else.
    #[error("the state is not of this browser")]
    OtherBrowser,
    /// More than [`LIFETIME`] ago.
    #[error("the state is too old")]
    Expired,
}

#[cfg(test)]
mod tests {
    use membermail_core::random::CountingRandom;

    use super::*;

    #[test]
    fn a_state_is_good_in_its_browser_for_a_quarter_of_an_hour() {
        let random = CountingRandom::default();
        let key = StateKey::derive(b"master");
        let (browser, other) = (BrowserSecret::new(&random), BrowserSecret::new(&random));
        let now = Timestamp::UNIX_EPOCH;
        let state = issue(&key, &browser, now, &random);
        assert!(verify(&key, &state, &browser, now).is_ok());
        assert_eq!(verify(&key, &state, &other, now), Err(StateError::OtherBrowser));
        assert_eq!(verify(&StateKey::derive(b"another"), &state, &browser, now), Err(StateError::OtherBrowser));
        assert_eq!(verify(&key, &state, &browser, now + LIFETIME), Err(StateError::Expired));
        for garbage in ["", "x", &state[1..], "ä"] {
            assert_eq!(verify(&key, garbage, &browser, now), Err(StateError::Malformed));
        }
    }

    #[test]
    fn every_character_of_a_state_counts() {
        let random = CountingRandom::default();
        let (key, browser) = (StateKey::derive(b"master"), BrowserSecret::new(&random));
        let state = issue(&key, &browser, Timestamp::UNIX_EPOCH, &random);
        for place in 0..state.len() {
            let mut changed = state.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(verify(&key, &changed, &browser, Timestamp::UNIX_EPOCH).is_err(), "place {place}");
        }
    }

    #[test]
    fn the_cookie_survives_a_form_from_the_provider() {
        let header = cookie(&BrowserSecret::new(&CountingRandom::default()), true);
        assert!(header.starts_with("__Host-sign-in=") && header.contains("SameSite=None") && header.contains("Secure"));
        // Without `Secure` there is no `None`: a browser would drop the cookie.
        let plain = cookie(&BrowserSecret::new(&CountingRandom::default()), false);
        assert!(plain.starts_with("sign-in=") && plain.contains("SameSite=Lax") && !plain.contains("Secure"));
    }
}
