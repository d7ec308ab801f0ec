//! Answers to a browser, each with the headers that keep a page to itself.

use askama::Template;
use lambda_http::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, LOCATION};
use lambda_http::http::{HeaderValue, StatusCode};
use lambda_http::{Body, Response};
use serde::Serialize;
use tracing::error;

use crate::assets::Asset;

/// Nothing loads from elsewhere, nothing runs inline, nobody frames us.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (HeaderName::from_static("content-security-policy"), CONTENT_SECURITY_POLICY),
    (HeaderName::from_static("strict-transport-security"), "max-age=63072000"),
    (HeaderName::from_static("x-content-type-options"), "nosniff"),
    (HeaderName::from_static("referrer-policy"), "no-referrer"),
    (HeaderName::from_static("permissions-policy"), "interest-cohort=()"),
];

/// A page. It is the member's own, so that nobody keeps it.
pub fn page(status: StatusCode, page: &impl Template) -> Response<Body> {
    match page.render() {
        Ok(html) => with(status, "text/html; charset=utf-8", "no-store", html.into()),
        Err(cause) => {
            error!(cause = %cause, "a page could not be made");
            with(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", "no-store", Body::Empty)
        }
    }
}

/// For a program. It is true now, so that nobody keeps it.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    match serde_json::to_string(value) {
        Ok(text) => with(status, "application/json", "no-store", text.into()),
        Err(cause) => {
            error!(cause = %cause, "an answer could not be made");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// The browser goes on by GET (RFC 9110, 15.4.4).
pub fn see_other(location: &str) -> Response<Body> {
    let mut response = with(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "no-store", Body::Empty);
    match HeaderValue::from_str(location) {
        Ok(value) => drop(response.headers_mut().insert(LOCATION, value)),
        Err(cause) => {
            error!(cause = %cause, "a redirect to a URL that is none");
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
    }
    response
}

/// A status and nothing else.
pub fn empty(status: StatusCode) -> Response<Body> {
    with(status, "text/plain; charset=utf-8", "no-store", Body::Empty)
}

/// A file that never changes under its name.
pub fn asset(asset: Asset) -> Response<Body> {
    with(StatusCode::OK, asset.media_type, "public, max-age=31536000, immutable", asset.text.into())
}

/// A file under a name that does not tell its version.
pub fn changing_asset(asset: Asset) -> Response<Body> {
    with(StatusCode::OK, asset.media_type, "public, max-age=86400", asset.text.into())
}

/// Says which methods would have been right (RFC 9110, 15.5.6).
pub fn allow(mut response: Response<Body>, methods: &'static str) -> Response<Body> {
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}

/// The answer to HEAD: the same without content (RFC 9110, 9.3.2).
pub fn headers_only(response: Response<Body>) -> Response<Body> {
    response.map(|_| Body::Empty)
}

fn with(status: StatusCode, media_type: &'static str, cache: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}
