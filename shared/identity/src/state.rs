//! The state of a sign-in: it goes to the provider and comes back, and is good once, for a quarter of an hour, in the
//! browser that it was made for. So nobody can finish their own sign-in in somebody else's browser.

use std::fmt;

use cookie::SameSite;
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use membermail_core::random::{self, Random};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::keyed::{from_text, tag, to_text};
use crate::session::SessionHash;
use crate::site_cookie::SiteCookie;

/// How long a sign-in may take.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// The provider may come back by POST, and a form sent from another site carries no `Lax` cookie. So this one is
/// `None`; it opens nothing by itself.
const COOKIE: SiteCookie = SiteCookie { name: "sign-in", same_site: SameSite::None, max_age: 3600 };

/// Id (16 bytes), time (8 bytes), tag (32 bytes).
const BYTES: usize = 56;
/// The same with the hash of a session (32 bytes) before the tag.
const BYTES_WITH_SESSION: usize = 88;

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

/// A state that came back in its own browser and in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Names the state.
    pub id: StateId,
    /// The session that the browser had when the sign-in began; it ends when the sign-in completes. The session cookie
    /// does not tell: it is `Lax`, so a POST from the provider's site does not carry it.
    pub previous_session: Option<SessionHash>,
}

/// A state for this browser, from now on.
pub fn issue(
    key: &StateKey,
    browser: &BrowserSecret,
    previous_session: Option<&SessionHash>,
    now: Timestamp,
    random: &dyn Random,
) -> String {
    let id: [u8; 16] = random::bytes(random);
    let time = now.as_second().to_be_bytes();
    let session = previous_session.map(SessionHash::bytes).unwrap_or_default();
    let tag = sign(key, browser, &id, &time, session);
    to_text(&[id.as_slice(), &time, session, &tag].concat())
}

/// Checks a state that came back with this browser.
pub fn verify(key: &StateKey, text: &str, browser: &BrowserSecret, now: Timestamp) -> Result<State, StateError> {
    let bytes = from_text::<BYTES>(text).map(Vec::from);
    let bytes = bytes.or_else(|| from_text::<BYTES_WITH_SESSION>(text).map(Vec::from)).ok_or(StateError::Malformed)?;
    let (id, rest) = bytes.split_at(16);
    let (time, rest) = rest.split_at(8);
    let (session, given) = rest.split_at(rest.len() - 32);
    if !bool::from(sign(key, browser, id, time, session).ct_eq(given)) {
        return Err(StateError::OtherBrowser);
    }
    let time = <[u8; 8]>::try_from(time).map_err(|_| StateError::Malformed)?;
    let issued = Timestamp::from_second(i64::from_be_bytes(time)).map_err(|_| StateError::Malformed)?;
    if now.duration_since(issued) >= LIFETIME {
        return Err(StateError::Expired);
    }
    // Without a session there are no bytes of one.
    let previous_session = <[u8; 32]>::try_from(session).ok().map(SessionHash::of);
    Ok(State { id: StateId(to_text(id)), previous_session })
}

/// Only the last part has a length of its own, so no two states give the same message.
fn sign(key: &StateKey, browser: &BrowserSecret, id: &[u8], time: &[u8], session: &[u8]) -> [u8; 32] {
    let browser = Sha256::digest(browser.0.as_slice());
    tag(key.0.as_slice(), &[id, time, browser.as_slice(), session].concat())
}

/// The `Set-Cookie` header of a browser's secret.
pub fn cookie(browser: &BrowserSecret, https: bool) -> String {
    COOKIE.set(&to_text(browser.0.as_slice()), https)
}

/// The `Set-Cookie` header that takes it away.
pub fn clearing_cookie(https: bool) -> String {
    COOKIE.clear(https)
}

/// The secret among the `Cookie` headers of a request.
pub fn read_cookie(headers: &HeaderMap, https: bool) -> Option<BrowserSecret> {
    COOKIE.read(headers, https, |text| from_text(text).map(|bytes| BrowserSecret(Zeroizing::new(bytes))))
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
    use crate::session::SessionId;

    fn session() -> SessionHash {
        SessionId::new(&CountingRandom::default()).hash()
    }

    #[rstest::rstest]
    #[case::without_a_session(None)]
    #[case::with_a_session(Some(session()))]
    fn state_is_good_in_its_browser(#[case] previous: Option<SessionHash>) {
        let random = CountingRandom::default();
        let key = StateKey::derive(b"master");
        let (browser, other) = (BrowserSecret::new(&random), BrowserSecret::new(&random));
        let now = Timestamp::UNIX_EPOCH;
        let state = issue(&key, &browser, previous.as_ref(), now, &random);
        let verified = verify(&key, &state, &browser, now + LIFETIME - SignedDuration::from_secs(1)).unwrap();
        assert_eq!(verified.previous_session, previous);
        assert_eq!(verify(&key, &state, &other, now), Err(StateError::OtherBrowser));
        assert_eq!(verify(&StateKey::derive(b"another"), &state, &browser, now), Err(StateError::OtherBrowser));
        assert_eq!(verify(&key, &state, &browser, now + LIFETIME), Err(StateError::Expired));
        for garbage in ["", "x", &state[1..], &state[2..], "ä"] {
            assert_eq!(verify(&key, garbage, &browser, now), Err(StateError::Malformed));
        }
    }

    #[rstest::rstest]
    #[case::without_a_session(None)]
    #[case::with_a_session(Some(session()))]
    fn every_character_of_a_state_counts(#[case] previous: Option<SessionHash>) {
        let random = CountingRandom::default();
        let (key, browser) = (StateKey::derive(b"master"), BrowserSecret::new(&random));
        let state = issue(&key, &browser, previous.as_ref(), Timestamp::UNIX_EPOCH, &random);
        for place in 0..state.len() {
            let mut changed = state.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(verify(&key, &changed, &browser, Timestamp::UNIX_EPOCH).is_err(), "place {place}");
        }
    }

    /// The session can neither be taken out of a state nor put into one.
    #[test]
    fn session_of_a_state_is_signed() {
        let random = CountingRandom::default();
        let (key, browser) = (StateKey::derive(b"master"), BrowserSecret::new(&random));
        let now = Timestamp::UNIX_EPOCH;
        let with: [u8; BYTES_WITH_SESSION] = from_text(&issue(&key, &browser, Some(&session()), now, &random)).unwrap();
        let without: [u8; BYTES] = from_text(&issue(&key, &browser, None, now, &random)).unwrap();
        let cut = [&with[..24], &with[56..]].concat();
        let filled = [&without[..24], session().bytes(), &without[24..]].concat();
        for changed in [cut, filled] {
            assert_eq!(verify(&key, &to_text(&changed), &browser, now), Err(StateError::OtherBrowser));
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
