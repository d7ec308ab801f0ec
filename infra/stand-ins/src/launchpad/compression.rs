//! What gzip changes in the headers of an answer.

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::answer::with_gzip;

/// launchpad.md, 5: the ETag of a compressed entry has `-gzip` before its closing quote; lists say `Vary: Accept`.
pub(super) async fn mark(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    if headers.contains_key(header::VARY) {
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    }
    if headers.contains_key(header::CONTENT_ENCODING)
        && let Some(etag) = headers.get(header::ETAG).and_then(|etag| etag.to_str().ok())
        && let Ok(etag) = HeaderValue::try_from(with_gzip(etag))
    {
        headers.insert(header::ETAG, etag);
    }
    answer
}
