//! Checks of verified claims, without input or output (Core 1.0, 3.1.3.7; Back-Channel Logout 1.0, 2.6).

use jiff::{SignedDuration, Timestamp};
use membermail_core::clock::{earlier, later};
use membermail_core::member::Subject;
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::members::Members;
use super::{LogoutToken, Provider, Refusal};

/// Maximum difference of the clocks.
const SKEW: SignedDuration = SignedDuration::from_mins(1);
/// Maximum age of an ID token, which comes directly from the provider for a code that we have just redeemed.
const ID_TOKEN_AGE: SignedDuration = SignedDuration::from_mins(10);
/// Maximum age of a logout token (Back-Channel Logout 1.0, section 4, recommends two minutes).
const LOGOUT_TOKEN_AGE: SignedDuration = SignedDuration::from_mins(2);
/// Maximum characters of a `jti`.
const JTI_LIMIT: usize = 255;
/// The event of a logout token (Back-Channel Logout 1.0, 2.4).
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The claims of an ID token that we read. None is about groups: the membership source decides on membership.
pub(super) const ID_TOKEN: &[&str] = &[
    "at_hash",
    "aud",
    "azp",
    "email",
    "email_verified",
    "exp",
    "iat",
    "iss",
    "locale",
    "nbf",
    "nonce",
    "openid2_id",
    "sub",
];
/// The claims of a logout token that we read.
pub(super) const LOGOUT_TOKEN: &[&str] =
    &["aud", "azp", "events", "exp", "iat", "iss", "jti", "nbf", "nonce", "sid", "sub"];

/// Checks an ID token, and returns its subject.
pub(super) fn check_id_token(
    claims: &Members,
    provider: &Provider,
    nonce: &str,
    now: Timestamp,
) -> Result<Subject, Refusal> {
    check_parties(claims, provider)?;
    check_times(claims, ID_TOKEN_AGE, now)?;
    let given = claims.required_text("nonce")?;
    if !bool::from(given.as_bytes().ct_eq(nonce.as_bytes())) {
        return Err(Refusal::Nonce);
    }
    subject(claims)
}

/// Checks a logout token.
pub(super) fn check_logout_token(
    claims: &Members,
    provider: &Provider,
    now: Timestamp,
) -> Result<LogoutToken, Refusal> {
    check_parties(claims, provider)?;
    let issued_at = check_times(claims, LOGOUT_TOKEN_AGE, now)?;
    let jti = claims.required_text("jti")?;
    if jti.is_empty() || jti.len() > JTI_LIMIT {
        return Err(Refusal::MalformedClaim("jti"));
    }
    let event = claims.get("events").and_then(|events| events.get(LOGOUT_EVENT));
    if !event.is_some_and(Value::is_object) {
        return Err(Refusal::NoLogoutEvent);
    }
    // Otherwise an ID token could be used as a logout token.
    if claims.has("nonce") {
        return Err(Refusal::LogoutNonce);
    }
    if claims.get("sub").is_none() && claims.get("sid").is_some() {
        return Err(Refusal::SessionOnly);
    }
    Ok(LogoutToken { subject: subject(claims)?, jti: jti.to_owned(), issued_at })
}

fn check_parties(claims: &Members, provider: &Provider) -> Result<(), Refusal> {
    if claims.required_text("iss")? != provider.issuer.as_str() {
        return Err(Refusal::Issuer);
    }
    let audiences = match claims.get("aud").ok_or(Refusal::MissingClaim("aud"))? {
        Value::Array(audiences) => audiences.as_slice(),
        audience => std::slice::from_ref(audience),
    };
    if !audiences.iter().any(|audience| audience.as_str() == Some(&provider.client_id)) {
        return Err(Refusal::Audience);
    }
    if audiences.len() > 1 {
        return Err(Refusal::SeveralAudiences);
    }
    if claims.text("azp")?.is_some_and(|party| party != provider.client_id) {
        return Err(Refusal::AuthorizedParty);
    }
    Ok(())
}

/// Returns the time at which the token was issued.
fn check_times(claims: &Members, age: SignedDuration, now: Timestamp) -> Result<Timestamp, Refusal> {
    let expires = claims.required_time("exp")?;
    let issued_at = claims.required_time("iat")?;
    if later(expires, SKEW) <= now {
        return Err(Refusal::Expired);
    }
    if claims.time("nbf")?.is_some_and(|from| earlier(from, SKEW) > now) {
        return Err(Refusal::NotYetValid);
    }
    if earlier(issued_at, SKEW) > now {
        return Err(Refusal::IssuedInFuture);
    }
    if later(issued_at, age.saturating_add(SKEW)) < now {
        return Err(Refusal::IssuedLongAgo);
    }
    Ok(issued_at)
}

fn subject(claims: &Members) -> Result<Subject, Refusal> {
    Subject::parse(claims.required_text("sub")?).map_err(|_| Refusal::Subject)
}

/// The OpenID 2.0 identifier of the same person (OpenID 2.0 to OpenID Connect Migration 1.0), if the provider may assert it:
/// a word of ASCII letters and digits after the root, as in OpenID 2.0.
pub(super) fn openid2_identifier(claims: &Members, provider: &Provider) -> Option<Subject> {
    let root = provider.openid2_root.as_ref()?;
    let identifier = claims.get("openid2_id")?.as_str()?;
    let word = identifier.strip_prefix(root.as_str())?;
    let is_word = !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_word { Subject::parse(identifier).ok() } else { None }
}
