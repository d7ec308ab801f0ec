//! HTTP responses with the security headers of all pages.

use askama::Template;
use lambda_http::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, LOCATION, SET_COOKIE, VARY,
};
use lambda_http::http::{HeaderValue, StatusCode};
use lambda_http::{Body, Response};
use serde::Serialize;
use tracing::error;

use crate::assets::Asset;

/// No third-party content, no inline scripts, no framing.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (HeaderName::from_static("content-security-policy"), CONTENT_SECURITY_POLICY),
    (HeaderName::from_static("strict-transport-security"), "max-age=63072000"),
    (HeaderName::from_static("x-content-type-options"), "nosniff"),
    (HeaderName::from_static("referrer-policy"), "no-referrer"),
    (HeaderName::from_static("permissions-policy"), "interest-cohort=()"),
];

/// An HTML page. It is not cached, because it contains personal data.
pub fn page(status: StatusCode, page: &impl Template) -> Response<Body> {
    match page.render() {
        Ok(html) => with(status, "text/html; charset=utf-8", "no-store", html.into()),
        Err(cause) => {
            error!(cause = %cause, "rendering a page failed");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// The response with a page or document that is the same for all visitors of a language: caches may keep it for a minute. A
/// failure is not cached.
pub fn public(mut response: Response<Body>) -> Response<Body> {
    if !response.status().is_success() {
        return response;
    }
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    headers.insert(VARY, HeaderValue::from_static("Accept-Language"));
    response
}

/// A JSON document. It is not cached, because it describes the current state.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    match serde_json::to_string(value) {
        Ok(text) => with(status, "application/json", "no-store", text.into()),
        Err(cause) => {
            error!(cause = %cause, "serializing a response failed");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// A document that the browser stores as a file of this name.
pub fn download(name: &'static str, media_type: &'static str, text: String) -> Response<Body> {
    let mut response = with(StatusCode::OK, media_type, "no-store", text.into());
    match HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        Ok(value) => drop(response.headers_mut().insert(CONTENT_DISPOSITION, value)),
        Err(cause) => error!(cause = %cause, "the file name is not a valid header"),
    }
    response
}

/// A redirect that the browser follows with GET (303, RFC 9110, 15.4.4).
pub fn see_other(location: &str) -> Response<Body> {
    let mut response = empty(StatusCode::SEE_OTHER);
    match HeaderValue::from_str(location) {
        Ok(value) => drop(response.headers_mut().insert(LOCATION, value)),
        Err(cause) => {
            error!(cause = %cause, "the redirect location is not a valid header");
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
    }
    response
}

/// A response without a body.
pub fn empty(status: StatusCode) -> Response<Body> {
    with(status, "text/plain; charset=utf-8", "no-store", Body::Empty)
}

/// A file with a hash of its content in its name; cached for a year.
pub fn asset(asset: Asset) -> Response<Body> {
    with(StatusCode::OK, asset.media_type, "public, max-age=31536000, immutable", asset.text.into())
}

/// A file with a fixed name; cached for a day.
pub fn changing_asset(asset: Asset) -> Response<Body> {
    with(StatusCode::OK, asset.media_type, "public, max-age=86400", asset.text.into())
}

/// Adds the allowed methods to a 405 response (RFC 9110, 15.5.6).
pub fn allow(mut response: Response<Body>, methods: &'static str) -> Response<Body> {
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}

/// Adds a cookie.
pub fn with_cookie(mut response: Response<Body>, cookie: &str) -> Response<Body> {
    match HeaderValue::from_str(cookie) {
        Ok(value) => drop(response.headers_mut().append(SET_COOKIE, value)),
        Err(cause) => error!(cause = %cause, "the cookie is not a valid header"),
    }
    response
}

/// The response to HEAD: the same without a body (RFC 9110, 9.3.2).
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
