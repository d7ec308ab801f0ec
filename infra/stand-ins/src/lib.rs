//! Fakes of Ubuntu One and Launchpad to run against offline: an OpenID 2.0 provider and the part of the web service
//! that is read, over one made-up community. They speak on loopback only, and are for development and tests.
//!
//! A fake implements only what a source states, and cites it: `launchpad.md` and `openid.md`, with their sections, are
//! the sheets of facts on both services. What no source states is marked as a guess, or as launchpadlib's need.

pub mod community;
pub mod control;
pub mod counts;
pub mod faults;
pub mod launchpad;
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

/// Everything, over this state.
pub fn router(shared: Shared) -> Router {
    Router::new()
        .route("/health", get(|| async { "ok" }))
        .merge(provider::router())
        .merge(launchpad::router(&shared))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .nest("/control", control::router())
        .with_state(shared)
}

/// The address that a request came to, as links in its answer have it.
fn root(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    format!("http://{host}")
}
