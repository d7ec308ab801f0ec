//! What `check-status` requests of our own site, answered as by a site at which sign-in works.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

/// The paths that are requested.
pub(super) const HEALTH: &str = "/health";
pub(super) const SIGN_IN: &str = "/sign-in";

/// The response to a request of this path.
pub(super) fn respond(path: &str) -> Response {
    match path {
        HEALTH => StatusCode::OK.into_response(),
        SIGN_IN => Redirect::to("https://login.example.org/").into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
