//! What arrives by way of the browser. Anyone can send it.

use membermail_identity::openid_connect::Refusal;

use super::super::scene::STATE;
use super::{NO_LIMIT, Ours, Peer, Row, accepted, refused};

pub(super) fn rows() -> Vec<Row> {
    vec![
        accepted("valid sign-in", |_| {}),
        refused("no state", Refusal::Missing("state"), |s| s.omit("state")),
        Row { name: "swapped state", ours: Ours::State, peer: Peer::Same, change: |s| s.respond("state", "other") },
        refused("state twice", Refusal::Duplicate, |s| s.response.push(("state".into(), STATE.into()))),
        refused("code twice", Refusal::Duplicate, |s| s.response.push(("code".into(), "injected".into()))),
        refused("no code", Refusal::Missing("code"), |s| s.omit("code")),
        refused("empty code", Refusal::Missing("code"), |s| s.respond("code", "")),
        refused("code and error", Refusal::CodeAndError, |s| s.respond("error", "server_error")),
        refused("person cancels", Refusal::Cancelled, |s| {
            s.omit("code");
            s.respond("error", "access_denied");
        }),
        refused("provider reports an error", Refusal::ProviderError("server_error"), |s| {
            s.omit("code");
            s.respond("error", "server_error");
            s.respond("error_description", "ada@mail.example");
        }),
        refused("provider reports an unknown error", Refusal::ProviderError("unknown"), |s| {
            s.omit("code");
            s.respond("error", "ada@mail.example");
        }),
        refused("no iss, although announced", Refusal::NoIssuer, |s| s.omit("iss")),
        refused("iss of another provider", Refusal::ForeignResponse, |s| s.respond("iss", "https://evil.example")),
        refused("iss with a slash more", Refusal::ForeignResponse, |s| s.respond("iss", &format!("{}/", s.issuer))),
        refused("empty iss", Refusal::NoIssuer, |s| s.respond("iss", "")),
        refused("error of another provider", Refusal::ForeignResponse, |s| {
            s.omit("code");
            s.respond("error", "access_denied");
            s.respond("iss", "https://evil.example");
        }),
        accepted("no iss, not announced", |s| {
            s.omit("iss");
            s.metadata["authorization_response_iss_parameter_supported"] = false.into();
        }),
        refused("iss of another provider, not announced", Refusal::ForeignResponse, |s| {
            s.respond("iss", "https://evil.example");
            s.metadata["authorization_response_iss_parameter_supported"] = false.into();
        }),
        accepted("parameter of an extension", |s| s.respond("session_state", "x")),
        accepted("ID token in the response", |s| s.respond("id_token", "x"))
            .differs("it refuses the parameters of other flows; we ignore them, because only the code is read"),
        refused("line break in a parameter", Refusal::Encoding, |s| s.respond("x", "a\nb"))
            .differs("it decodes as browsers do"),
        refused("oversized response", Refusal::Oversized, |s| s.respond("x", &"x".repeat(8200))).differs(NO_LIMIT),
    ]
}
