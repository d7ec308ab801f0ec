//! UserInfo (Core 1.0, 5.3).

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use membermail_core::clock::{Clock, SystemClock};
use serde_json::json;

use super::{claims, count_and_fail};
use crate::root;
use crate::state::Shared;

/// `GET` or `POST /oauth/userinfo`, with an access token that has the scope `openid`.
pub(super) async fn user_info(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    if let Err(failure) = count_and_fail(&shared, "userinfo").await {
        return failure;
    }
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = authorization.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let state = shared.lock();
    let access = state.gitlab.grants.access(token, SystemClock.now());
    let access = access.filter(|access| access.scopes.iter().any(|scope| scope == "openid"));
    let claims = access.and_then(|access| claims::user_info(&state.gitlab.directory, access, &root(&headers)));
    match claims {
        Some(claims) => Json(claims).into_response(),
        None => {
            let challenge = "Bearer realm=\"Doorkeeper\", error=\"invalid_token\"";
            let body = Json(json!({ "error": "invalid_token" }));
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)], body).into_response()
        }
    }
}
