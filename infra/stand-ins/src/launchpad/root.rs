//! The root of the web service, which launchpadlib starts from, and its description (WADL).

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::answer::JSON;
use super::at::At;
use crate::state::Shared;

const WADL: &str = "application/vnd.sun.wadl+xml";
/// Where the description that launchpadlib carries says that the web service is, and its version.
const DESCRIBED: (&str, &str) = ("https://api.launchpad.test/1.0/", "1.0");

/// `GET /1.0/`.
pub(super) async fn root(State(shared): State<Shared>, Path(version): Path<String>, headers: HeaderMap) -> Response {
    let Some(at) = At::of(&headers, &version) else { return StatusCode::NOT_FOUND.into_response() };
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.contains(WADL) {
        shared.lock().counts.launchpad_kind("wadl");
        return match shared.wadl().filter(|_| at.version() == DESCRIBED.1) {
            Some(wadl) => ([(header::CONTENT_TYPE, WADL)], wadl.replace(DESCRIBED.0, at.base())).into_response(),
            None => (StatusCode::NOT_ACCEPTABLE, "started without --wadl, or another version").into_response(),
        };
    }
    shared.lock().counts.launchpad_kind("root");
    let root = json!({
        "people_collection_link": at.path("people"),
        "me_link": at.path("people/+me"),
        "resource_type_link": at.kind("service-root"),
    });
    ([(header::CONTENT_TYPE, JSON)], root.to_string()).into_response()
}
