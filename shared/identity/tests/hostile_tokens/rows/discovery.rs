//! Metadata and keys.

use membermail_identity::openid_connect::{ProviderError, Refusal};
use serde_json::json;

use super::{NO_LIMIT, Row, accepted, failed, refused};

pub(super) fn rows() -> Vec<Row> {
    vec![
        failed("metadata redirect", ProviderError::Redirect, |s| s.redirect("metadata")),
        failed("metadata of another issuer", ProviderError::Issuer, |s| {
            s.metadata["issuer"] = "https://evil.example".into();
        }),
        failed("metadata of an issuer with a slash", ProviderError::Issuer, |s| {
            s.metadata["issuer"] = format!("{}/", s.issuer).into();
        }),
        failed("oversized metadata", ProviderError::Oversized, |s| {
            s.metadata["padding"] = "x".repeat(260 * 1024).into();
        })
        .differs(NO_LIMIT),
        failed("no metadata", ProviderError::Malformed("metadata"), |s| s.answer("metadata", 404, "text/html", "")),
        failed("metadata are a page", ProviderError::Malformed("metadata"), |s| {
            s.answer("metadata", 200, "text/html", &s.metadata.to_string());
        })
        .differs("it does not look at the media type of metadata"),
        failed("metadata are a list", ProviderError::Malformed("metadata"), |s| s.metadata = json!([])),
        failed("metadata are unavailable", ProviderError::Unavailable("500 Internal Server Error".into()), |s| {
            s.answer("metadata", 500, "text/html", "");
        }),
        failed("no token endpoint", ProviderError::Missing("token_endpoint"), |s| {
            s.metadata["token_endpoint"] = ().into();
        }),
        failed("no keys", ProviderError::Malformed("metadata"), |s| s.metadata["jwks_uri"] = ().into()),
        failed("token endpoint without https", ProviderError::Insecure("token_endpoint"), |s| {
            s.metadata["token_endpoint"] = "http://192.0.2.1/token".into();
        }),
        failed("keys without https", ProviderError::Insecure("jwks_uri"), |s| {
            s.metadata["jwks_uri"] = "http://login.invalid/jwks".into();
        }),
        failed("authorization endpoint that is a script", ProviderError::Insecure("authorization_endpoint"), |s| {
            s.metadata["authorization_endpoint"] = "javascript:alert(1)".into();
        })
        .differs("it builds no request in this test"),
        failed("logout endpoint without https", ProviderError::Insecure("end_session_endpoint"), |s| {
            s.metadata["end_session_endpoint"] = "http://login.invalid/end".into();
        })
        .differs("it checks an endpoint when it uses it"),
        failed("PKCE with plain verifiers only", ProviderError::Unsupported("PKCE with S256"), |s| {
            s.metadata["code_challenge_methods_supported"] = json!(["plain"]);
        })
        .differs("it leaves the question to the application (supportsPKCE)"),
        accepted("no methods of PKCE listed", |s| s.metadata["code_challenge_methods_supported"] = ().into()),
        failed("key set redirect", ProviderError::Redirect, |s| s.redirect("jwks")),
        failed("oversized key set", ProviderError::Oversized, |s| {
            s.jwks["padding"] = "x".repeat(260 * 1024).into();
        })
        .differs(NO_LIMIT),
        failed("key set is a page", ProviderError::Malformed("key set"), |s| s.answer("jwks", 200, "text/html", "")),
        failed("key set is unavailable", ProviderError::Unavailable("503 Service Unavailable".into()), |s| {
            s.answer("jwks", 503, "text/html", "");
        }),
        accepted("key set with its own media type", |s| {
            s.answer("jwks", 200, "application/jwk-set+json", &s.jwks.to_string());
        }),
        refused("empty key set", Refusal::UnknownKey, |s| s.jwks = json!({ "keys": [] })),
    ]
}
