//! A session: a random id that only the browser has; the table keeps its hash.

use std::fmt;

use cookie::SameSite;
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use membermail_core::random::{self, Random};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::keyed::{from_text, to_text};
use crate::site_cookie::SiteCookie;

/// A session that is not used for so long is over.
pub const IDLE: SignedDuration = SignedDuration::from_hours(12);
/// A session is over after so long, used or not.
pub const ABSOLUTE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Its last use is known to within so long: not every page view is a write.
const TOUCH: SignedDuration = SignedDuration::from_mins(5);

const COOKIE: SiteCookie = SiteCookie { name: "session", same_site: SameSite::Lax, max_age: 7 * 24 * 3600 };

/// The id: 256 random bits.
#[derive(Clone)]
pub struct SessionId(Zeroizing<[u8; 32]>);

impl SessionId {
    /// A new one.
    pub fn new(random: &dyn Random) -> Self {
        Self(Zeroizing::new(random::bytes(random)))
    }

    /// Reads the value of a cookie.
    pub fn parse(text: &str) -> Option<Self> {
        from_text(text).map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// What the table keeps: who reads the table cannot take over a session.
    pub fn hash(&self) -> SessionHash {
        SessionHash::of(Sha256::digest(self.0.as_slice()).into())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId([redacted])")
    }
}

/// The SHA-256 hash of an id. It names a session and opens none, so it may leave the browser and the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionHash {
    bytes: [u8; 32],
    text: String,
}

impl SessionHash {
    pub(crate) fn of(bytes: [u8; 32]) -> Self {
        Self { bytes, text: to_text(&bytes) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Whether a session of these times is still good.
pub fn is_live(created: Timestamp, last_seen: Timestamp, now: Timestamp) -> bool {
    now.duration_since(created) < ABSOLUTE && now.duration_since(last_seen) < IDLE
}

/// Whether its use is to be noted.
pub fn touch_due(last_seen: Timestamp, now: Timestamp) -> bool {
    now.duration_since(last_seen) >= TOUCH
}

/// When a session that begins now can be forgotten.
pub fn expires(now: Timestamp) -> Timestamp {
    now.saturating_add(ABSOLUTE).unwrap_or(Timestamp::MAX)
}

/// The `Set-Cookie` header of a session.
pub fn cookie(id: &SessionId, https: bool) -> String {
    COOKIE.set(&to_text(id.bytes()), https)
}

/// The `Set-Cookie` header that ends it in the browser.
pub fn clearing_cookie(https: bool) -> String {
    COOKIE.clear(https)
}

/// The session among the `Cookie` headers of a request.
pub fn read_cookie(headers: &HeaderMap, https: bool) -> Option<SessionId> {
    COOKIE.read(headers, https, SessionId::parse)
}

#[cfg(test)]
mod tests {
    use membermail_core::random::CountingRandom;

    use super::*;

    #[test]
    fn the_cookie_is_the_hosts_own_and_reads_back() {
        let id = SessionId::new(&CountingRandom::default());
        let header = cookie(&id, true);
        assert!(header.starts_with("__Host-session="), "{header}");
        for part in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=604800"] {
            assert!(header.split("; ").any(|attribute| attribute == part), "{part} in {header}");
        }
        assert!(!header.contains("Domain"));
        let pair = header.split(';').next().unwrap();
        let sent = HeaderMap::from_iter([(http::header::COOKIE, format!("theme=dark; {pair}").parse().unwrap())]);
        assert_eq!(read_cookie(&sent, true).unwrap().hash(), id.hash());
        assert!(read_cookie(&sent, false).is_none());
        assert!(!cookie(&id, false).contains("Secure"));
        assert_eq!(format!("{id:?}"), "SessionId([redacted])");
    }

    #[rstest::rstest]
    #[case::new(0, 0, true)]
    #[case::idle_almost(24, 13, true)]
    #[case::idle(24, 12, false)]
    #[case::used_but_old(168, 168, false)]
    #[case::used_and_almost_old(167, 167, true)]
    fn sessions_end(#[case] age_hours: i64, #[case] seen_after_hours: i64, #[case] live: bool) {
        let created = Timestamp::UNIX_EPOCH;
        let at = |hours| created + SignedDuration::from_hours(hours);
        assert_eq!(is_live(created, at(seen_after_hours), at(age_hours)), live);
    }

    #[test]
    fn a_use_is_noted_every_five_minutes() {
        let seen = Timestamp::UNIX_EPOCH;
        assert!(!touch_due(seen, seen + SignedDuration::from_secs(299)));
        assert!(touch_due(seen, seen + SignedDuration::from_secs(300)));
    }

    #[test]
    fn the_clearing_cookie_is_the_same_one_with_nothing_in_it() {
        let header = clearing_cookie(true);
        assert!(header.starts_with("__Host-session=;") && header.contains("Max-Age=0") && header.contains("Path=/"));
        assert!(header.contains("Secure") && header.contains("HttpOnly"));
        assert!(clearing_cookie(false).starts_with("session=;"));
    }
}
