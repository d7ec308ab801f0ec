use membermail_core::random::CountingRandom;

use super::*;
use crate::session::SessionId;

const ISSUER: &str = "https://gitlab.example.org";

fn session() -> SessionHash {
    SessionId::new(&CountingRandom::default()).hash()
}

fn at(issuer: &str, is_link: bool) -> Purpose<'_> {
    Purpose { issuer: Some(issuer), is_link }
}

struct World {
    random: CountingRandom,
    key: StateKey,
    browser: BrowserSecret,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let random = CountingRandom::default();
        let browser = BrowserSecret::new(&random);
        Self { key: StateKey::derive(b"master"), browser, random, now: Timestamp::UNIX_EPOCH }
    }

    fn issue(&self, purpose: Purpose<'_>, previous: Option<&SessionHash>) -> Issued {
        issue(&self.key, &self.browser, purpose, previous, self.now, &self.random)
    }

    fn verify(&self, token: &str, issuer: Option<&str>) -> Result<State, StateError> {
        verify(&self.key, token, &self.browser, issuer, self.now)
    }
}

#[rstest::rstest]
#[case::without_a_session(None, Purpose::OPENID2)]
#[case::with_a_session(Some(session()), Purpose::OPENID2)]
#[case::at_an_issuer(None, at(ISSUER, false))]
#[case::link_at_an_issuer(Some(session()), at(ISSUER, true))]
fn state_is_valid_in_its_browser(#[case] previous: Option<SessionHash>, #[case] purpose: Purpose<'_>) {
    let world = World::new();
    let issuer = purpose.issuer;
    let Issued { token, secrets } = world.issue(purpose, previous.as_ref());
    let almost = world.now + LIFETIME - SignedDuration::from_secs(1);
    let verified = verify(&world.key, &token, &world.browser, issuer, almost).unwrap();
    assert_eq!((verified.previous_session, verified.is_link), (previous, purpose.is_link));
    assert_eq!((&verified.secrets.nonce, &verified.secrets.verifier), (&secrets.nonce, &secrets.verifier));

    let other = BrowserSecret::new(&world.random);
    let error = |key: &StateKey, token: &str, browser, now| verify(key, token, browser, issuer, now).unwrap_err();
    assert_eq!(error(&world.key, &token, &other, world.now), StateError::OtherBrowser);
    assert_eq!(error(&StateKey::derive(b"another"), &token, &world.browser, world.now), StateError::OtherBrowser);
    assert_eq!(error(&world.key, &token, &world.browser, world.now + LIFETIME), StateError::Expired);
    for garbage in ["", "x", &token[2..], &token[4..], "ä"] {
        assert_eq!(error(&world.key, garbage, &world.browser, world.now), StateError::Malformed);
    }
}

/// The response of one provider is no response of another.
#[rstest::rstest]
#[case::other_issuer(at(ISSUER, false), Some("https://gitlab.example.org/"))]
#[case::from_openid2(Purpose::OPENID2, Some(ISSUER))]
#[case::to_openid2(at(ISSUER, false), None)]
#[case::link_to_openid2(at(ISSUER, true), None)]
fn state_belongs_to_one_issuer(#[case] purpose: Purpose<'_>, #[case] returned_by: Option<&str>) {
    let world = World::new();
    let token = world.issue(purpose, Some(&session())).token;
    assert_eq!(world.verify(&token, returned_by).unwrap_err(), StateError::OtherBrowser);
}

#[rstest::rstest]
#[case::without_a_session(None, Purpose::OPENID2)]
#[case::with_a_session(Some(session()), Purpose::OPENID2)]
#[case::sign_in_at_an_issuer(Some(session()), at(ISSUER, false))]
#[case::link_at_an_issuer(Some(session()), at(ISSUER, true))]
fn any_changed_character_is_refused(#[case] previous: Option<SessionHash>, #[case] purpose: Purpose<'_>) {
    let world = World::new();
    let token = world.issue(purpose, previous.as_ref()).token;
    for index in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(changed == token || world.verify(&changed, purpose.issuer).is_err(), "index {index}");
    }
}

/// A session can neither be removed from a state nor added to one, and a sign-in cannot become a link.
#[test]
fn session_and_purpose_are_signed() {
    let world = World::new();
    let bytes =
        |purpose, session: Option<&SessionHash>| from_text_of_any_length(&world.issue(purpose, session).token).unwrap();
    let with = bytes(Purpose::OPENID2, Some(&session()));
    let without = bytes(Purpose::OPENID2, None);
    let sign_in = bytes(at(ISSUER, false), Some(&session()));
    let cut = [&with[..24], &with[56..]].concat();
    let filled = [&without[..24], session().bytes(), &without[24..]].concat();
    let link = [&[LINKS], &sign_in[1..]].concat();
    for (changed, issuer) in [(cut, None), (filled, None), (link, Some(ISSUER)), (sign_in[1..].to_vec(), None)] {
        assert_eq!(world.verify(&to_text(&changed), issuer).unwrap_err(), StateError::OtherBrowser);
    }
}

/// RFC 7636, 4.1: 43 to 128 unreserved characters. Another browser or state has other values.
#[test]
fn secrets_are_fresh_for_each_state() {
    let world = World::new();
    let one = world.issue(at(ISSUER, false), None).secrets;
    let other = world.issue(at(ISSUER, false), None).secrets;
    assert!(one.nonce != other.nonce && one.verifier != other.verifier && one.nonce != *one.verifier);
    assert_eq!(one.verifier.len(), 43);
    assert!(one.verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    assert_eq!(format!("{one:?}"), "Secrets([redacted])");
}

#[test]
fn state_cookie_allows_cross_site_post() {
    let header = cookie(&BrowserSecret::new(&CountingRandom::default()), true);
    assert!(header.starts_with("__Host-sign-in=") && header.contains("SameSite=None") && header.contains("Secure"));
    // Browsers drop `SameSite=None` cookies without `Secure`.
    let plain = cookie(&BrowserSecret::new(&CountingRandom::default()), false);
    assert!(plain.starts_with("sign-in=") && plain.contains("SameSite=Lax") && !plain.contains("Secure"));
}
