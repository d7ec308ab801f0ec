//! Ubuntu One and Launchpad to run against offline: an OpenID 2.0 provider and the part of the web service that is
//! read, over one made-up community. It speaks on loopback only, and is for development and tests.

pub mod control;
pub mod launchpad;
pub mod people;
pub mod provider;
pub mod state;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, patch, put};

use crate::state::Shared;

/// Everything, over this state.
pub fn router(shared: Shared) -> Router {
    Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/+openid", get(provider::indirect).post(provider::direct))
        .route("/+openid/sign-in-as", get(provider::sign_in_as))
        .route("/control/faults/{name}", put(control::set_fault).delete(control::clear_fault))
        .route("/control/people/{name}", patch(control::change))
        .route("/control/counts", get(control::counts))
        .route("/{version}/people", get(launchpad::people))
        .route("/{version}/{name}", get(launchpad::entry))
        .route("/{version}/{name}/{collection}", get(launchpad::collection))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .with_state(shared)
}
