//! Metadata and keys (`app/controllers/doorkeeper/openid_connect/discovery_controller.rb`).

use std::sync::Arc;

use anyhow::Result;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::key::SigningKey;
use super::{SCOPES, count_and_fail};
use crate::gitlab::GitLab;
use crate::root;
use crate::state::Shared;

/// `GET /.well-known/openid-configuration`.
pub(super) async fn configuration(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    if let Err(failure) = count_and_fail(&shared, "discovery").await {
        return failure;
    }
    // `config/initializers/doorkeeper_openid_connect.rb`: the issuer is the URL of the server, without a final slash.
    let root = root(&headers);
    Json(json!({
        "issuer": root,
        "authorization_endpoint": format!("{root}/oauth/authorize"),
        "token_endpoint": format!("{root}/oauth/token"),
        "revocation_endpoint": format!("{root}/oauth/revoke"),
        "introspection_endpoint": format!("{root}/oauth/introspect"),
        "userinfo_endpoint": format!("{root}/oauth/userinfo"),
        "jwks_uri": format!("{root}/oauth/discovery/keys"),
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": ["authorization_code", "password", "client_credentials", "device_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claim_types_supported": ["normal"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "sub_legacy", "name", "nickname", "preferred_username", "email",
            "email_verified", "website", "profile", "picture", "groups", "groups_direct",
            "https://gitlab.org/claims/groups/owner", "https://gitlab.org/claims/groups/maintainer",
            "https://gitlab.org/claims/groups/developer",
        ],
        "code_challenge_methods_supported": ["plain", "S256"],
    }))
    .into_response()
}

/// `GET /oauth/discovery/keys`: one key, the current one.
pub(super) async fn keys(State(shared): State<Shared>) -> Response {
    if let Err(failure) = count_and_fail(&shared, "keys").await {
        return failure;
    }
    match signing_key(&mut shared.lock().gitlab) {
        Ok(key) => Json(json!({ "keys": [key.public()] })).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The signing key, generated for its first use.
pub(super) fn signing_key(gitlab: &mut GitLab) -> Result<Arc<SigningKey>> {
    if let Some(key) = &gitlab.key {
        return Ok(key.clone());
    }
    let key = Arc::new(SigningKey::generate()?);
    gitlab.key = Some(key.clone());
    Ok(key)
}
