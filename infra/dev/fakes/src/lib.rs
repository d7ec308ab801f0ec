//! Fakes for offline development and tests, each with the parts that Membermail uses: Ubuntu One (an OpenID 2.0 provider)
//! and Launchpad (a web service) share one invented community; GitLab (an OpenID Connect provider and a REST API) has its
//! own users and groups, with the names of the same people. They listen on loopback only.
//!
//! A fake implements only documented behaviour and cites the source: `launchpad.md`, `openid.md` and `oidc.md`, with their
//! sections, are the fact sheets, and files of GitLab are cited by their paths. Undocumented behaviour is marked as a
//! guess, or as needed by launchpadlib.

mod broken;
pub mod community;
pub mod control;
pub mod counts;
pub mod faults;
pub mod gitlab;
pub mod launchpad;
pub mod openid;
pub mod provider;
pub mod shifts;
pub mod state;
#[cfg(test)]
mod testing;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, header};
use axum::routing::get;

use crate::state::Shared;

/// All routes, with this state.
pub fn router(shared: Shared) -> Router {
    Router::new()
        .route("/health", get(|| async { "ok" }))
        .merge(provider::router())
        .merge(launchpad::router(&shared))
        .merge(gitlab::router())
        .layer(DefaultBodyLimit::max(64 * 1024))
        .nest("/control", control::router())
        .with_state(shared)
}

/// The root URL of a request, for links in its response.
fn root(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    format!("http://{host}")
}
