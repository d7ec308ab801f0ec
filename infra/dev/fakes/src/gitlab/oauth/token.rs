//! The token endpoint (RFC 6749, 4.1.3; Core 1.0, 3.1.3).

use anyhow::Result;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use membermail_core::clock::{Clock, SystemClock};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::client::{credentials, parameter, parameters};
use super::discovery::signing_key;
use super::grants::{Challenge, Grant, TOKEN_SECONDS, random_text};
use super::{claims, count_and_fail};
use crate::root;
use crate::state::{Shared, State as Everything};

/// `POST /oauth/token`: exchanges a code, once. The fake has no other grant.
pub(super) async fn token(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(failure) = count_and_fail(&shared, "token").await {
        return failure;
    }
    let form = parameters(&body);
    let now = SystemClock.now();
    let mut state = shared.lock();
    let grant = match redeem(&mut state, &headers, &form, now) {
        Ok(grant) => grant,
        Err(error) => return refuse(error),
    };
    match tokens(&mut state, &root(&headers), &grant, now) {
        // `doorkeeper`, `lib/doorkeeper/oauth/token_response.rb`.
        Ok(Some(tokens)) => {
            ([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(tokens)).into_response()
        }
        Ok(None) => refuse("invalid_grant"),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// `doorkeeper`, `lib/doorkeeper/oauth/authorization_code_request.rb`: client, grant, redirect URI and PKCE in this order.
fn redeem(
    state: &mut Everything,
    headers: &HeaderMap,
    form: &[(String, String)],
    now: Timestamp,
) -> Result<Grant, &'static str> {
    let application = &state.gitlab.application;
    match parameter(form, "grant_type") {
        None => return Err("invalid_request"),
        Some("authorization_code") => {}
        Some(_) => return Err("unsupported_grant_type"),
    }
    if !credentials(headers, form).is_some_and(|credentials| application.is(&credentials)) {
        return Err("invalid_client");
    }
    let code = parameter(form, "code").ok_or("invalid_request")?;
    let grant = state.gitlab.grants.take_code(code, now).ok_or("invalid_grant")?;
    if parameter(form, "redirect_uri") != Some(&grant.redirect_uri) {
        return Err("invalid_grant");
    }
    let Some(challenge) = &grant.challenge else { return Ok(grant) };
    let verifier = parameter(form, "code_verifier").ok_or("invalid_request")?;
    let is_right = match challenge {
        Challenge::Plain(challenge) => challenge == verifier,
        Challenge::S256(challenge) => *challenge == URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)),
    };
    if is_right { Ok(grant) } else { Err("invalid_grant") }
}

/// The response of a successful request; `None` if the user can no longer sign in.
fn tokens(state: &mut Everything, root: &str, grant: &Grant, now: Timestamp) -> Result<Option<Value>> {
    let Some(id_token) = claims::id_token(state, root, grant, now) else { return Ok(None) };
    let gitlab = &mut state.gitlab;
    let id_token = signing_key(gitlab)?.sign(&id_token)?;
    Ok(Some(json!({
        "access_token": gitlab.grants.issue_token(grant.access.clone(), now),
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
        "refresh_token": random_text(),
        "scope": grant.access.scopes.join(" "),
        "created_at": now.as_second(),
        "id_token": id_token,
    })))
}

/// `doorkeeper`, `lib/doorkeeper/oauth/error_response.rb`: 401 for `invalid_client`, otherwise 400.
fn refuse(error: &str) -> Response {
    let status = if error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
    let challenge = format!("Bearer realm=\"Doorkeeper\", error=\"{error}\"");
    let body = Json(json!({ "error": error, "error_description": "The request was refused." }));
    (status, [(header::CACHE_CONTROL, "no-store".to_owned()), (header::WWW_AUTHENTICATE, challenge)], body)
        .into_response()
}
