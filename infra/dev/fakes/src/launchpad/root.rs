//! The root of the web service and its description (WADL), which launchpadlib requests first.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::api_root::ApiRoot;
use super::reply::JSON;
use crate::state::Shared;

const WADL_TYPE: &str = "application/vnd.sun.wadl+xml";
/// Root URL in the WADL of launchpadlib.
const WADL_ROOT: &str = "https://api.launchpad.test/1.0/";
/// Version that the WADL of launchpadlib describes.
const WADL_VERSION: &str = "1.0";

/// `GET /1.0/`: links of the web service, or the WADL by `Accept`.
pub(super) async fn root(State(shared): State<Shared>, Path(version): Path<String>, headers: HeaderMap) -> Response {
    let Some(api_root) = ApiRoot::of(&headers, &version) else { return StatusCode::NOT_FOUND.into_response() };
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.contains(WADL_TYPE) {
        shared.lock().counts.count_launchpad_kind("wadl");
        return match shared.wadl().filter(|_| api_root.version() == WADL_VERSION) {
            Some(wadl) => {
                ([(header::CONTENT_TYPE, WADL_TYPE)], wadl.replace(WADL_ROOT, api_root.base())).into_response()
            }
            None => (StatusCode::NOT_ACCEPTABLE, "started without --wadl, or another version").into_response(),
        };
    }
    shared.lock().counts.count_launchpad_kind("root");
    let root = json!({
        "people_collection_link": api_root.path("people"),
        "me_link": api_root.path("people/+me"),
        "resource_type_link": api_root.kind("service-root"),
    });
    ([(header::CONTENT_TYPE, JSON)], root.to_string()).into_response()
}
