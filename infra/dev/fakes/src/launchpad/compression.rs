//! Headers of compressed responses.

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::reply::with_gzip;

/// launchpad.md, 5: the ETag of a compressed entry has `-gzip` before its closing quote; `Vary` stays `Accept`.
pub(super) async fn adjust_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if headers.contains_key(header::VARY) {
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    }
    if headers.contains_key(header::CONTENT_ENCODING)
        && let Some(etag) = headers.get(header::ETAG).and_then(|etag| etag.to_str().ok())
        && let Ok(etag) = HeaderValue::try_from(with_gzip(etag))
    {
        headers.insert(header::ETAG, etag);
    }
    response
}
