//! Answers as JSON, with their tags, and how they go wrong.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use serde_json::Value;

use super::at::At;
use super::entry::{self, Entry};
use super::membership::{self, Held};
use super::page::Page;
use crate::faults::Launchpad;

pub(super) const JSON: &str = "application/json";
const OOPS: HeaderName = HeaderName::from_static("x-lazr-oopsid");

/// What is answered when nothing goes wrong.
pub(super) enum Answer {
    Json {
        body: String,
        etag: Option<String>,
    },
    /// A suspended account.
    Gone,
}

impl Answer {
    pub(super) fn entry(entry: &Entry<'_>, at: &At) -> Self {
        if entry.is_gone() {
            return Self::Gone;
        }
        let shown = entry::Shown { entry: *entry, at };
        Self::Json { body: text(&shown), etag: Some(entry.etag(at)) }
    }

    pub(super) fn membership(held: &Held<'_>, at: &At) -> Self {
        Self::Json { body: text(&membership::Shown { held: *held, at }), etag: Some(held.etag(at)) }
    }

    pub(super) fn page(page: &Page<'_>) -> Self {
        Self::Json { body: text(page), etag: None }
    }

    /// The result of an operation, which has no tag of its own.
    pub(super) fn untagged(self) -> Self {
        match self {
            Self::Json { body, .. } => Self::Json { body, etag: None },
            Self::Gone => Self::Gone,
        }
    }

    pub(super) fn value(value: &Value) -> Self {
        Self::Json { body: value.to_string(), etag: None }
    }
}

/// No key of these values is anything but text, so none fails.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Answers, in the way that the fault has it.
pub(super) async fn respond(answer: Answer, fault: Option<Launchpad>, headers: &HeaderMap, at: &At) -> Response {
    if let Some(fault) = &fault {
        tokio::time::sleep(fault.delay()).await;
    }
    let (body, etag) = match answer {
        Answer::Json { body, etag } => (body, etag),
        Answer::Gone => return StatusCode::GONE.into_response(),
    };
    match fault {
        Some(Launchpad::Status { status, retry_after }) => failure(status, retry_after),
        Some(Launchpad::Malformed) => "<html>Timeout</html>".into_response(),
        Some(Launchpad::Redirect) => Redirect::temporary(&at.path("elsewhere")).into_response(),
        Some(Launchpad::CutShort) => cut_short(&body),
        Some(Launchpad::Down) => down(),
        Some(Launchpad::MissingFlag) => json(without_flag(&body)),
        _ => match etag {
            Some(etag) if is_known(headers, &etag) => {
                (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response()
            }
            Some(etag) => ([(header::ETAG, etag)], json(body)).into_response(),
            None => json(body),
        },
    }
}

fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, JSON), (header::VARY, "Accept")], body).into_response()
}

/// Whether the reader has it as it is (RFC 9110, 13.1.2).
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known.flat_map(|list| list.split(',')).map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == etag)
}

fn failure(status: u16, retry_after: Option<u32>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = status.into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(OOPS, header::HeaderValue::from_static("OOPS-0123456789abcdef"));
    }
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// More is announced than comes: the server ends the connection within the body.
fn cut_short(body: &str) -> Response {
    let half = Bytes::copy_from_slice(&body.as_bytes()[..body.len() / 2]);
    let begin = stream::once(async { Ok::<_, io::Error>(half) });
    // The beginning must be on its way before the end comes, or nothing of it is sent.
    let end = stream::once(async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(io::ErrorKind::ConnectionReset.into())
    });
    ([(header::CONTENT_LENGTH, body.len())], Body::from_stream(begin.chain(end))).into_response()
}

/// The server ends the connection instead: a body that fails at once takes its head along, which was not sent yet.
fn down() -> Response {
    Body::from_stream(stream::once(async { Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionReset)) }))
        .into_response()
}

fn without_flag(body: &str) -> String {
    let mut value: Value = serde_json::from_str(body).unwrap_or_default();
    let remove = |value: &mut Value| {
        value.as_object_mut().and_then(|object| object.remove("is_valid"));
    };
    remove(&mut value);
    value["entries"].as_array_mut().into_iter().flatten().for_each(remove);
    value.to_string()
}
