//! Codes, token responses and UserInfo.

use membermail_identity::openid_connect::{ProviderError, RedeemError, Refusal};

use super::super::scene::{Scene, challenge};
use super::{LAST_WINS, NO_LIMIT, Ours, Peer, Row, accepted, failed, refused};

pub(super) fn rows() -> Vec<Row> {
    let error = |name, error, change| Row { name, ours: Ours::Refuses(error), peer: Peer::Same, change };
    vec![
        error("replayed code", RedeemError::Code, |s| s.code_used = true),
        error("code of another sign-in", RedeemError::Code, |s| s.challenge = Some(challenge("of an attacker"))),
        error("PKCE downgrade: code without a challenge", RedeemError::Code, |s| s.challenge = None),
        error("injected code", RedeemError::Code, |s| s.respond("code", "code-of-eve")),
        error("unknown client secret", RedeemError::Client, |s| s.secret = "another".into()),
        error("unknown client secret, in other words", RedeemError::Client, |s| {
            s.answer("token", 401, "application/json", r#"{"error":"unauthorized_client"}"#);
        }),
        error("unknown client secret, without a word", RedeemError::Client, |s| {
            s.answer("token", 401, "text/html", "")
        }),
        error("client without a right", RedeemError::Request, |s| {
            s.answer("token", 400, "application/json", r#"{"error":"unauthorized_client"}"#);
        }),
        failed("token endpoint is unavailable", ProviderError::Unavailable("503 Service Unavailable".into()), |s| {
            s.answer("token", 503, "text/html", "busy");
        }),
        failed("token endpoint limits requests", ProviderError::Unavailable("429 Too Many Requests".into()), |s| {
            s.answer("token", 429, "application/json", "{}");
        }),
        failed("token endpoint redirects", ProviderError::Redirect, |s| s.redirect("token")),
        failed("token response is a page", ProviderError::Malformed("token response"), |s| {
            s.answer("token", 200, "text/html", "<p>Hello</p>");
        }),
        failed("token response is a list", ProviderError::Malformed("token response"), |s| {
            s.answer("token", 200, "application/json", "[]");
        }),
        failed("oversized token response", ProviderError::Oversized, |s| {
            s.token_response["padding"] = "x".repeat(260 * 1024).into();
        })
        .differs(NO_LIMIT),
        failed("no access token", ProviderError::Malformed("token response"), |s| {
            s.token_response["access_token"] = ().into();
        }),
        failed("ID token twice", ProviderError::Malformed("token response"), |s| {
            let tokens = s.tokens().to_string().replacen('{', r#"{"id_token":"x","#, 1);
            s.answer("token", 200, "application/json", &tokens);
        })
        .differs(LAST_WINS),
        refused("no ID token", Refusal::NoIdToken, |s| s.token_response["id_token"] = ().into()),
        refused("access token of another type", Refusal::TokenType, |s| s.token_response["token_type"] = "mac".into()),
        accepted("token type in lower case", |s| s.token_response["token_type"] = "bearer".into()),
        accepted("user info", without_email),
        refused("user info about another person", Refusal::ForeignUserInfo, |s| {
            without_email(s);
            s.user_info["sub"] = "1002".into();
        }),
        refused("user info without a subject", Refusal::MissingClaim("sub"), |s| {
            without_email(s);
            s.user_info["sub"] = ().into();
        }),
        refused("user info with a subject twice", Refusal::DuplicateClaim("sub"), |s| {
            without_email(s);
            s.answer("userinfo", 200, "application/json", r#"{"sub":"1002","sub":"1001"}"#);
        })
        .differs(LAST_WINS),
        failed("user info is refused", ProviderError::Malformed("user info"), |s| {
            without_email(s);
            s.answer("userinfo", 401, "application/json", "{}");
        }),
        failed("user info redirects", ProviderError::Redirect, |s| {
            without_email(s);
            s.redirect("userinfo");
        }),
        failed("user info is unavailable", ProviderError::Unavailable("502 Bad Gateway".into()), |s| {
            without_email(s);
            s.answer("userinfo", 502, "text/html", "");
        }),
        failed("signed user info", ProviderError::Malformed("user info"), |s| {
            without_email(s);
            s.answer("userinfo", 200, "application/jwt", "a.b.c");
        }),
        failed("oversized user info", ProviderError::Oversized, |s| {
            without_email(s);
            s.user_info["padding"] = "x".repeat(260 * 1024).into();
        })
        .differs(NO_LIMIT),
        accepted("no address anywhere", |s| {
            without_email(s);
            s.user_info["email"] = ().into();
        }),
        accepted("no user info and no address", |s| {
            without_email(s);
            s.metadata["userinfo_endpoint"] = ().into();
        }),
    ]
}

/// Leads to a request for user info.
fn without_email(scene: &mut Scene) {
    scene.unclaim("email");
}
