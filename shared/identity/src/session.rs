//! Sessions: a random id in a cookie; the table stores only its hash.

use std::fmt;

use cookie::SameSite;
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use membermail_core::random::{self, Random};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::keyed::{from_text, to_text};
use crate::site_cookie::SiteCookie;

/// Idle timeout of a session.
pub const IDLE: SignedDuration = SignedDuration::from_hours(12);
/// Absolute timeout of a session.
pub const ABSOLUTE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Minimum time between two updates of the last use, so that not every page view causes a write.
const TOUCH_INTERVAL: SignedDuration = SignedDuration::from_mins(5);

const COOKIE: SiteCookie = SiteCookie { name: "session", same_site: SameSite::Lax, max_age: 7 * 24 * 3600 };

/// A session id of 256 random bits.
#[derive(Clone)]
pub struct SessionId(Zeroizing<[u8; 32]>);

impl SessionId {
    /// Generates an id.
    pub fn new(random: &dyn Random) -> Self {
        Self(Zeroizing::new(random::bytes(random)))
    }

    /// Parses the value of a cookie.
    pub fn parse(text: &str) -> Option<Self> {
        from_text(text).map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// The hash that the table stores, so that a reader of the table cannot hijack a session.
    pub fn hash(&self) -> SessionHash {
        SessionHash::from_bytes(Sha256::digest(self.0.as_slice()).into())
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

/// The SHA-256 hash of a session id. It identifies a session without granting access, so it is not secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionHash {
    bytes: [u8; 32],
    text: String,
}

impl SessionHash {
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { bytes, text: to_text(&bytes) }
    }

    /// The hash as base64url.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Whether neither timeout has passed.
pub fn is_live(created: Timestamp, last_seen: Timestamp, now: Timestamp) -> bool {
    now.duration_since(created) < ABSOLUTE && now.duration_since(last_seen) < IDLE
}

/// Whether to update the time of the last use.
pub fn is_touch_due(last_seen: Timestamp, now: Timestamp) -> bool {
    now.duration_since(last_seen) >= TOUCH_INTERVAL
}

/// The time when a session that starts now can be deleted.
pub fn expires(now: Timestamp) -> Timestamp {
    now.saturating_add(ABSOLUTE).unwrap_or(Timestamp::MAX)
}

/// The `Set-Cookie` header that sets the session id.
pub fn cookie(id: &SessionId, https: bool) -> String {
    COOKIE.set(&to_text(id.bytes()), https)
}

/// The `Set-Cookie` header that deletes it.
pub fn clearing_cookie(https: bool) -> String {
    COOKIE.clear(https)
}

/// The session id in the `Cookie` headers of a request.
pub fn read_cookie(headers: &HeaderMap, https: bool) -> Option<SessionId> {
    COOKIE.read(headers, https, SessionId::parse)
}

#[cfg(test)]
mod tests {
    use membermail_core::random::CountingRandom;

    use super::*;

    #[test]
    fn session_cookie_is_host_only() {
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
    #[case::almost_idle(24, 13, true)]
    #[case::idle(24, 12, false)]
    #[case::old_but_used(168, 168, false)]
    #[case::almost_old_and_used(167, 167, true)]
    fn session_has_two_timeouts(#[case] age_hours: i64, #[case] seen_after_hours: i64, #[case] live: bool) {
        let created = Timestamp::UNIX_EPOCH;
        let seen = created + SignedDuration::from_hours(seen_after_hours);
        assert_eq!(is_live(created, seen, created + SignedDuration::from_hours(age_hours)), live);
    }

    #[test]
    fn last_use_updates_every_five_minutes() {
        let seen = Timestamp::UNIX_EPOCH;
        assert!(!is_touch_due(seen, seen + SignedDuration::from_secs(299)));
        assert!(is_touch_due(seen, seen + SignedDuration::from_secs(300)));
    }

    #[test]
    fn clearing_cookie_is_empty_and_expired() {
        let header = clearing_cookie(true);
        assert!(header.starts_with("__Host-session=;") && header.contains("Max-Age=0") && header.contains("Path=/"));
        assert!(header.contains("Secure") && header.contains("HttpOnly"));
        assert!(clearing_cookie(false).starts_with("session=;"));
    }
}
