//! Responses with ETags and injected faults.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};

use super::api_root::ApiRoot;
use super::entry::{Entry, EntryJson, REDACTED};
use super::errors;
use super::escape::to_json;
use super::membership::{Membership, MembershipJson};
use super::page::Page;
use crate::broken::{disconnect, truncate};
use crate::community::PageState;
use crate::faults::Launchpad;

pub(super) const JSON: &str = "application/json";

/// A response without faults.
pub(super) enum Reply {
    Json { body: String, etag: Option<String> },
    NotFound(String),
    Gone,
    BadRequest(String),
    LoginNeeded,
}

impl Reply {
    /// The page of a person or team. launchpad.md, 5: entries have an ETag.
    pub(super) fn entry(entry: &Entry<'_>, root: &ApiRoot) -> Self {
        Self::blocked(entry).unwrap_or_else(|| Self::Json {
            body: to_json(&EntryJson { entry: *entry, root }),
            etag: Some(entry.etag(root)),
        })
    }

    /// The error of a page that is not shown, and of all paths below it.
    pub(super) fn blocked(entry: &Entry<'_>) -> Option<Self> {
        match entry.page() {
            PageState::Shown => None,
            PageState::Gone => Some(Self::Gone),
            PageState::Missing => Some(Self::NotFound(format!("~{}", entry.name()))),
        }
    }

    /// The result of an operation. launchpad.md, 4: the complete entry without an ETag header, for every account
    /// status.
    pub(super) fn result(entry: &Entry<'_>, root: &ApiRoot) -> Self {
        Self::Json { body: to_json(&EntryJson { entry: *entry, root }), etag: None }
    }

    pub(super) fn membership(membership: &Membership<'_>, root: &ApiRoot) -> Self {
        Self::Json {
            body: to_json(&MembershipJson { membership: *membership, root }),
            etag: Some(membership.etag(root)),
        }
    }

    /// launchpad.md, 5: no ETag for lists.
    pub(super) fn page(page: &Page<'_>) -> Self {
        Self::Json { body: to_json(page), etag: None }
    }

    pub(super) fn value(value: &Value) -> Self {
        Self::Json { body: value.to_string(), etag: None }
    }
}

/// Sends a reply, altered or replaced by the fault.
pub(super) async fn respond(reply: Reply, fault: Option<Launchpad>, headers: &HeaderMap, root: &ApiRoot) -> Response {
    if let Some(fault) = &fault {
        tokio::time::sleep(fault.delay()).await;
    }
    if let Some(failure) = fault.as_ref().and_then(|fault| failure(fault, root)) {
        return failure;
    }
    let (body, etag) = match reply {
        Reply::Json { body, etag } => (body, etag),
        Reply::NotFound(name) => return errors::not_found(&name),
        Reply::Gone => return errors::gone(),
        Reply::BadRequest(line) => return errors::bad_request(line),
        Reply::LoginNeeded => return errors::login_needed(),
    };
    match fault {
        Some(Launchpad::CutShort) => truncate(&body),
        Some(Launchpad::MissingFlag) => json(alter_entries(&body, |entry| drop(entry.remove("is_valid")))),
        Some(Launchpad::Redacted { field }) => json(alter_entries(&body, |entry| {
            entry.insert(field.clone(), REDACTED.into());
        })),
        Some(Launchpad::MalformedEntry) => json(with_malformed_entry(&body)),
        _ => match etag {
            Some(etag) if matches_etag(headers, &etag) => {
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

/// The response of a fault that replaces the reply.
fn failure(fault: &Launchpad, root: &ApiRoot) -> Option<Response> {
    Some(match fault {
        Launchpad::Status { status, retry_after } => errors::status(*status, *retry_after),
        Launchpad::Oops => errors::oops(),
        Launchpad::Timeout => errors::timed_out(),
        Launchpad::DatabaseAway => errors::database_unavailable(),
        Launchpad::FrontEnd { status } => errors::front_end(*status),
        Launchpad::NotFound => errors::not_found("~elsewhere"),
        Launchpad::Gone => errors::gone(),
        Launchpad::Malformed => "<html>Timeout</html>".into_response(),
        Launchpad::Redirect => Redirect::temporary(&root.path("elsewhere")).into_response(),
        Launchpad::Down => disconnect(),
        _ => return None,
    })
}

/// Whether `If-None-Match` contains the ETag (RFC 9110, 13.1.2). launchpad.md, 5: with or without `-gzip` before the
/// closing quote.
fn matches_etag(headers: &HeaderMap, etag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let gzipped = with_gzip(etag);
    let mut tags = values.flat_map(|list| list.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
    tags.any(|tag| tag == "*" || tag == etag || tag == gzipped)
}

/// The ETag of a compressed entry.
pub(super) fn with_gzip(etag: &str) -> String {
    format!("{}-gzip\"", etag.strip_suffix('"').unwrap_or(etag))
}

/// Alters the entry, or all entries of a page.
fn alter_entries(body: &str, alter: impl Fn(&mut serde_json::Map<String, Value>)) -> String {
    let mut value: Value = serde_json::from_str(body).unwrap_or_default();
    match value.get_mut("entries").and_then(Value::as_array_mut) {
        Some(entries) => entries.iter_mut().filter_map(Value::as_object_mut).for_each(alter),
        None => value.as_object_mut().into_iter().for_each(alter),
    }
    to_json(&value)
}

/// Replaces the name of the entry, or of the middle entry of a page, by a number.
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
    to_json(&value)
}
