//! Error responses (launchpad.md, section 6).

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

pub(super) const OOPS: HeaderName = HeaderName::from_static("x-lazr-oopsid");
const OOPS_ID: HeaderValue = HeaderValue::from_static("OOPS-0123456789abcdef0123456789abcdef");
const PLAIN: &str = "text/plain";
const PLAIN_UTF8: &str = "text/plain;charset=utf-8";
const HTML: &str = "text/html;charset=utf-8";

/// 404: unknown name, private team, placeholder, or old name after a rename or merge. `name` includes the tilde.
pub(super) fn not_found(name: &str) -> Response {
    let body = format!("Object: <lp.systemhomes.WebServiceApplication object at 0x7f2a4c0d1e80>, name: '{name}'");
    text(StatusCode::NOT_FOUND, PLAIN, body)
}

/// 400: `ws.size` over 300, unknown operation, or missing parameter.
pub(super) fn bad_request(line: String) -> Response {
    text(StatusCode::BAD_REQUEST, PLAIN_UTF8, line)
}

/// 401: the request requires a login. Guess: the text.
pub(super) fn login_needed() -> Response {
    text(StatusCode::UNAUTHORIZED, PLAIN, "This needs a login.".to_owned())
}

/// 410: the page of a suspended person, and all paths below it.
pub(super) fn gone() -> Response {
    text(StatusCode::GONE, HTML, page("Error: Page gone"))
}

/// 301: a name with upper-case letters.
pub(super) fn moved(location: &str) -> Response {
    let location = HeaderValue::try_from(location);
    location.map_or_else(
        |_| StatusCode::NOT_FOUND.into_response(),
        |location| (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, location)]).into_response(),
    )
}

/// 500: an unhandled exception in Launchpad; the body is its name.
pub(super) fn oops() -> Response {
    with_oops(text(StatusCode::INTERNAL_SERVER_ERROR, PLAIN, "AssertionError".to_owned()))
}

/// 503: request timeout. `Retry-After` is constant.
pub(super) fn timed_out() -> Response {
    let mut response = with_oops(text(StatusCode::SERVICE_UNAVAILABLE, HTML, page("Error: Timeout")));
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("900"));
    response
}

/// 503: the database is unavailable. Guess: the title.
pub(super) fn database_unavailable() -> Response {
    with_oops(text(StatusCode::SERVICE_UNAVAILABLE, HTML, page("Error: Database unavailable")))
}

/// 403, 500, 502, 503 or 504 of a front-end server, without OOPS and `Retry-After`.
pub(super) fn front_end(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    text(status, HTML, page(status.canonical_reason().unwrap_or("Error")))
}

/// The status of an injected fault.
pub(super) fn status(status: u16, retry_after: Option<u32>) -> Response {
    let mut response = match status {
        404 => not_found("~elsewhere"),
        410 => gone(),
        503 => with_oops(front_end(status)),
        _ => front_end(status),
    };
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn with_oops(mut response: Response) -> Response {
    response.headers_mut().insert(OOPS, OOPS_ID);
    response
}

fn text(status: StatusCode, content_type: &'static str, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

fn page(title: &str) -> String {
    format!("<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n")
}
