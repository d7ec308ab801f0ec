//! Answers, with their ETags, and how they go wrong.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::at::At;
use super::entry::{self, Entry, REDACTED};
use super::errors;
use super::escape::json_text;
use super::membership::{self, Held};
use super::page::Page;
use crate::community::PageState;
use crate::faults::Launchpad;

pub(super) const JSON: &str = "application/json";

/// The answer if nothing goes wrong.
pub(super) enum Answer {
    Json { body: String, etag: Option<String> },
    NotFound(String),
    Gone,
    BadRequest(String),
    LoginNeeded,
}

impl Answer {
    /// A person's or team's page. launchpad.md, 5: entries have an ETag.
    pub(super) fn entry(entry: &Entry<'_>, at: &At) -> Self {
        let shown = || Self::Json { body: json_text(&entry::Shown { entry: *entry, at }), etag: Some(entry.etag(at)) };
        Self::blocked(entry).unwrap_or_else(shown)
    }

    /// The error of a page that does not show, and of everything below it.
    pub(super) fn blocked(entry: &Entry<'_>) -> Option<Self> {
        match entry.page() {
            PageState::Shown => None,
            PageState::Gone => Some(Self::Gone),
            PageState::Missing => Some(Self::NotFound(format!("~{}", entry.name()))),
        }
    }

    /// The result of an operation. launchpad.md, 4: the complete entry without an ETag header, for every state of the
    /// account.
    pub(super) fn result(entry: &Entry<'_>, at: &At) -> Self {
        Self::Json { body: json_text(&entry::Shown { entry: *entry, at }), etag: None }
    }

    pub(super) fn membership(held: &Held<'_>, at: &At) -> Self {
        Self::Json { body: json_text(&membership::Shown { held: *held, at }), etag: Some(held.etag(at)) }
    }

    /// launchpad.md, 5: no ETag for lists.
    pub(super) fn page(page: &Page<'_>) -> Self {
        Self::Json { body: json_text(page), etag: None }
    }

    pub(super) fn value(value: &Value) -> Self {
        Self::Json { body: value.to_string(), etag: None }
    }
}

/// Answers, in the way that the fault has it.
pub(super) async fn respond(answer: Answer, fault: Option<Launchpad>, headers: &HeaderMap, at: &At) -> Response {
    if let Some(fault) = &fault {
        tokio::time::sleep(fault.delay()).await;
    }
    if let Some(failure) = fault.as_ref().and_then(|fault| failure(fault, at)) {
        return failure;
    }
    let (body, etag) = match answer {
        Answer::Json { body, etag } => (body, etag),
        Answer::NotFound(name) => return errors::not_found(&name),
        Answer::Gone => return errors::gone(),
        Answer::BadRequest(line) => return errors::bad_request(line),
        Answer::LoginNeeded => return errors::login_needed(),
    };
    match fault {
        Some(Launchpad::CutShort) => cut_short(&body),
        Some(Launchpad::MissingFlag) => json(altered(&body, |entry| drop(entry.remove("is_valid")))),
        Some(Launchpad::Redacted { field }) => json(altered(&body, |entry| {
            entry.insert(field.clone(), REDACTED.into());
        })),
        Some(Launchpad::MalformedEntry) => json(with_malformed_entry(&body)),
        _ => match etag {
            Some(etag) if is_known(headers, &etag) => {
                (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response()
            }
            Some(etag) => ([(header::ETAG, etag)], json(body)).into_response(),
            None => json(body),
        },
    }
}

/// launchpad.md, 5: `Vary: Accept`, no Last-Modified and no Cache-Control.
fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, JSON), (header::VARY, "Accept")], body).into_response()
}

/// The answer of a fault that leaves nothing of the right one.
fn failure(fault: &Launchpad, at: &At) -> Option<Response> {
    Some(match fault {
        Launchpad::Status { status, retry_after } => errors::status(*status, *retry_after),
        Launchpad::Oops => errors::oops(),
        Launchpad::Timeout => errors::timed_out(),
        Launchpad::DatabaseAway => errors::database_away(),
        Launchpad::FrontEnd { status } => errors::front_end(*status),
        Launchpad::NotFound => errors::not_found("~elsewhere"),
        Launchpad::Gone => errors::gone(),
        Launchpad::Malformed => "<html>Timeout</html>".into_response(),
        Launchpad::Redirect => Redirect::temporary(&at.path("elsewhere")).into_response(),
        Launchpad::Down => down(),
        _ => return None,
    })
}

/// Whether the reader has it as it is (RFC 9110, 13.1.2). launchpad.md, 5: with `-gzip` before the closing quote or not.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let gzipped = with_gzip(etag);
    let is_this = |one: &str| one == "*" || one == etag || one == gzipped;
    known.flat_map(|list| list.split(',')).map(|one| one.trim().trim_start_matches("W/")).any(is_this)
}

/// The ETag of a compressed entry.
pub(super) fn with_gzip(etag: &str) -> String {
    format!("{}-gzip\"", etag.strip_suffix('"').unwrap_or(etag))
}

/// More is announced than comes: the server ends the connection within the body.
fn cut_short(body: &str) -> Response {
    let half = Bytes::copy_from_slice(&body.as_bytes()[..body.len() / 2]);
    let begin = stream::once(async { Ok::<_, io::Error>(half) });
    // The beginning must be on its way before the end comes, or the client never sees it.
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

/// The body with a change of its entry, or of all entries of its page.
fn altered(body: &str, alter: impl Fn(&mut serde_json::Map<String, Value>)) -> String {
    let mut value: Value = serde_json::from_str(body).unwrap_or_default();
    match value.get_mut("entries").and_then(Value::as_array_mut) {
        Some(entries) => entries.iter_mut().filter_map(Value::as_object_mut).for_each(alter),
        None => value.as_object_mut().into_iter().for_each(alter),
    }
    json_text(&value)
}

fn with_malformed_entry(body: &str) -> String {
    let mut value: Value = serde_json::from_str(body).unwrap_or_default();
    let entry = match value.get_mut("entries").and_then(Value::as_array_mut) {
        Some(entries) => {
            let middle = entries.len() / 2;
            entries.get_mut(middle)
        }
        None => Some(&mut value),
    };
    if let Some(entry) = entry.and_then(Value::as_object_mut) {
        entry.insert("name".to_owned(), json!(7));
    }
    json_text(&value)
}
