//! The OpenID Connect provider: discovery, keys, the code flow with PKCE, and UserInfo. Instead of asking for a password, it
//! lets the browser choose a user.
//!
//! GitLab has no `end_session_endpoint`, no back-channel logout and no `iss` in authorization responses (its version of
//! `doorkeeper-openid_connect` has no such code, or is not configured for it).
//!
//! Not GitLab's: the scope `openid2` with the claim `openid2_id` (OpenID 2.0 to OpenID Connect Migration 1.0), so that a
//! community that moves from the fake of Ubuntu One can be tried. GitLab would refuse the scope.

mod authorize;
mod choose;
mod claims;
mod client;
mod discovery;
mod grants;
mod key;
mod token;
mod user_info;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::fault::OAuth;
use crate::state::Shared;

pub use client::Application;
pub(super) use grants::Grants;
pub(super) use key::SigningKey;

/// The scopes of a token that the fake gives out (`lib/gitlab/auth.rb` has more).
const SCOPES: [&str; 6] = ["openid", "profile", "email", "read_user", "read_api", "openid2"];

/// All routes. `doorkeeper-openid_connect`, `lib/doorkeeper/openid_connect/rails/routes.rb`, and `config/routes.rb`.
pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery::configuration))
        .route("/oauth/discovery/keys", get(discovery::keys))
        .route("/oauth/authorize", get(authorize::request))
        .route("/oauth/authorize/sign-in-as", get(authorize::sign_in_as))
        .route("/oauth/token", post(token::token))
        .route("/oauth/userinfo", get(user_info::user_info).post(user_info::user_info))
}

/// Counts a direct request to this endpoint; the error is the response of a fault that is set for it, or for all.
async fn count_and_fail(shared: &Shared, endpoint: &'static str) -> Result<(), Response> {
    let fault = {
        let mut state = shared.lock();
        state.counts.count_gitlab_oauth(endpoint);
        state.gitlab.oauth_faults.next_if(endpoint, |fault| !fault.is_indirect())
    };
    let Some(fault) = fault else { return Ok(()) };
    tokio::time::sleep(fault.delay()).await;
    match fault {
        OAuth::Status { status } => {
            Err(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response())
        }
        OAuth::Malformed => Err("<html>Timeout</html>".into_response()),
        OAuth::Slow { .. } | OAuth::Cancel | OAuth::Error => Ok(()),
    }
}
