//! The claims of ID tokens.

use membermail_core::email::EmailError;
use membermail_identity::openid_connect::Refusal;
use serde_json::json;

use super::super::scene::{ACCESS_TOKEN, CLIENT_ID, access_token_hash};
use super::{LAST_WINS, NOT_READ, Row, accepted, refused};

pub(super) fn rows() -> Vec<Row> {
    parties().into_iter().chain(times()).chain(person()).chain(unneeded()).collect()
}

fn parties() -> Vec<Row> {
    vec![
        refused("claims are a list", Refusal::Claims, |s| s.claims = json!(["sub"])),
        refused("claims are no JSON", Refusal::Claims, |s| s.payload = Some("sub=1001".into())),
        refused("no issuer", Refusal::MissingClaim("iss"), |s| s.unclaim("iss")),
        refused("another issuer", Refusal::Issuer, |s| s.claims["iss"] = "https://evil.example".into()),
        refused("issuer with a slash more", Refusal::Issuer, |s| s.claims["iss"] = format!("{}/", s.issuer).into()),
        refused("no audience", Refusal::MissingClaim("aud"), |s| s.unclaim("aud")),
        refused("another audience", Refusal::Audience, |s| s.claims["aud"] = "other".into()),
        refused("no audience in the list", Refusal::Audience, |s| s.claims["aud"] = json!([])),
        refused("audience that is a number", Refusal::Audience, |s| s.claims["aud"] = 1.into()),
        accepted("one audience in the list", |s| s.claims["aud"] = json!([CLIENT_ID])),
        refused("two audiences", Refusal::SeveralAudiences, |s| s.claims["aud"] = json!([CLIENT_ID, "other"])),
        refused("two audiences, issued to us", Refusal::SeveralAudiences, |s| {
            s.claims["aud"] = json!([CLIENT_ID, "other"]);
            s.claims["azp"] = CLIENT_ID.into();
        })
        .differs("it trusts azp; we know no other client, and Core 1.0 refuses audiences that are not trusted"),
        refused("issued to another client", Refusal::AuthorizedParty, |s| s.claims["azp"] = "other".into())
            .differs("it looks at azp only if there are several audiences"),
        accepted("issued to us", |s| s.claims["azp"] = CLIENT_ID.into()),
        refused("no nonce", Refusal::MissingClaim("nonce"), |s| s.unclaim("nonce")),
        refused("nonce of another sign-in", Refusal::Nonce, |s| s.claims["nonce"] = "other".into()),
        refused("nonce that is a number", Refusal::MalformedClaim("nonce"), |s| s.claims["nonce"] = 1.into()),
    ]
}

fn times() -> Vec<Row> {
    vec![
        refused("no expiry", Refusal::MissingClaim("exp"), |s| s.unclaim("exp")),
        refused("expired", Refusal::Expired, |s| s.claims["exp"] = (s.now - 75).into()),
        accepted("expired within the clock skew", |s| s.claims["exp"] = (s.now - 45).into()),
        refused("expiry that is a string", Refusal::MalformedClaim("exp"), |s| {
            s.claims["exp"] = (s.now + 60).to_string().into();
        }),
        refused("expiry beyond all time", Refusal::MalformedClaim("exp"), |s| s.claims["exp"] = 1e300.into())
            .differs("to it, any number is a time"),
        accepted("expiry in a hundred years", |s| s.claims["exp"] = (s.now + 3_155_760_000_i64).into()),
        refused("valid later", Refusal::NotYetValid, |s| s.claims["nbf"] = (s.now + 75).into()),
        accepted("valid later within the clock skew", |s| s.claims["nbf"] = (s.now + 45).into()),
        refused("no time of issue", Refusal::MissingClaim("iat"), |s| s.unclaim("iat")),
        refused("issued in a year", Refusal::IssuedInFuture, |s| s.claims["iat"] = (s.now + 31_557_600).into())
            .differs(ANY_IAT),
        refused("issued in the future", Refusal::IssuedInFuture, |s| s.claims["iat"] = (s.now + 75).into())
            .differs(ANY_IAT),
        accepted("issued in the future within the clock skew", |s| s.claims["iat"] = (s.now + 45).into()),
        refused("issued ten years ago", Refusal::IssuedLongAgo, |s| s.claims["iat"] = (s.now - 315_576_000).into())
            .differs(ANY_IAT),
        refused("issued twelve minutes ago", Refusal::IssuedLongAgo, |s| s.claims["iat"] = (s.now - 720).into())
            .differs(ANY_IAT),
        accepted("issued nine minutes ago", |s| s.claims["iat"] = (s.now - 540).into()),
        accepted("issued at a fraction of a second", |s| s.claims["iat"] = json!(1e0 * (s.now as f64) + 0.25)),
    ]
}

/// Core 1.0 leaves the range of `iat` to the client.
const ANY_IAT: &str = "to it, iat is any number; Core 1.0 leaves its range to the client";

fn person() -> Vec<Row> {
    vec![
        refused("no subject", Refusal::MissingClaim("sub"), |s| s.unclaim("sub")),
        refused("subject is null", Refusal::MissingClaim("sub"), |s| s.claims["sub"] = ().into()),
        refused("empty subject", Refusal::Subject, |s| s.claims["sub"] = "".into()).differs(ANY_SUB),
        refused("subject of 300 characters", Refusal::Subject, |s| s.claims["sub"] = "1".repeat(300).into())
            .differs(ANY_SUB),
        accepted("subject of 255 characters", |s| s.claims["sub"] = "1".repeat(255).into()),
        refused("subject with a blank", Refusal::Subject, |s| s.claims["sub"] = "1001 ".into()).differs(ANY_SUB),
        refused("subject beyond ASCII", Refusal::Subject, |s| s.claims["sub"] = "１００１".into()).differs(ANY_SUB),
        refused("subject that is a number", Refusal::MalformedClaim("sub"), |s| s.claims["sub"] = 1001.into()),
        refused("subject twice", Refusal::DuplicateClaim("sub"), |s| {
            s.payload = Some(s.claims.to_string().replacen('{', r#"{"sub":"1","#, 1));
        })
        .differs(LAST_WINS),
        refused("another access token", Refusal::AccessTokenHash, |s| {
            s.claims["at_hash"] = access_token_hash("another").into();
        })
        .differs("it does not compute at_hash in the code flow, where Core 1.0 lets the client choose"),
        refused("access token hash that is a number", Refusal::MalformedClaim("at_hash"), |s| {
            s.claims["at_hash"] = 1.into();
        })
        .differs(NOT_READ),
        accepted("right access token", |s| s.claims["at_hash"] = access_token_hash(ACCESS_TOKEN).into()),
        refused("address without a domain", Refusal::BadEmail(EmailError::Syntax), |s| {
            s.claims["email"] = "ada".into();
        })
        .differs(NOT_READ),
        refused("address that is a list", Refusal::MalformedClaim("email"), |s| s.claims["email"] = json!(["ada"]))
            .differs(NOT_READ),
    ]
}

/// The limit is for what the provider may send (Core 1.0, section 2).
const ANY_SUB: &str = "to it, sub is any string";

fn unneeded() -> Vec<Row> {
    vec![
        accepted("one group as a string", |s| s.claims["groups"] = "admins".into()),
        accepted("groups as an object", |s| s.claims["groups"] = json!({ "admins": { "id": 1 } })),
        accepted("groups as a list of objects", |s| s.claims["groups"] = json!([{ "id": 1 }])),
        accepted("groups are null", |s| s.claims["groups"] = ().into()),
        accepted("too many groups for the token", |s| {
            s.claims["_claim_names"] = json!({ "groups": "src1" });
            s.claims["_claim_sources"] = json!({ "src1": { "endpoint": "https://graph.example/groups" } });
        }),
        accepted("five thousand groups", |s| {
            s.claims["groups"] = (0..5000).map(|number| format!("group-{number}")).collect();
        }),
        accepted("groups twice", |s| {
            s.payload = Some(s.claims.to_string().replacen('{', r#"{"groups":[],"groups":"x","#, 1));
        }),
        accepted("postal address as a string", |s| s.claims["address"] = "x".into()),
        accepted("verified address as a string", |s| s.claims["email_verified"] = "true".into()),
        accepted("language that is a number", |s| s.claims["locale"] = 1.into()),
        accepted("foreign identifier of OpenID 2.0", |s| s.claims["openid2_id"] = "https://evil.example/+id/x".into()),
    ]
}
