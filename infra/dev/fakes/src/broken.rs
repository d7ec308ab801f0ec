//! Responses that end too early.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};

/// Closes the connection in the middle of the body.
pub(crate) fn truncate(body: &str) -> Response {
    let half = Bytes::copy_from_slice(&body.as_bytes()[..body.len() / 2]);
    let start = stream::once(async { Ok::<_, io::Error>(half) });
    // The delay flushes the first half; without it, the client would receive no response at all.
    let end = stream::once(async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(io::ErrorKind::ConnectionReset.into())
    });
    ([(header::CONTENT_LENGTH, body.len())], Body::from_stream(start.chain(end))).into_response()
}

/// Closes the connection without a response: a body that fails immediately prevents the head from being sent.
pub(crate) fn disconnect() -> Response {
    Body::from_stream(stream::once(async { Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionReset)) }))
        .into_response()
}
