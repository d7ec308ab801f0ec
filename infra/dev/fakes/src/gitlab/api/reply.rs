//! Responses of the API, with injected faults.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};

use super::Parameters;
use super::page::{PageRequest, Position};
use crate::broken::{disconnect, truncate};
use crate::gitlab::fault::Api;

/// A response without faults.
pub(super) struct Reply {
    status: StatusCode,
    body: Value,
    position: Option<Position>,
    is_missing: bool,
}

impl Reply {
    pub(super) fn json(body: Value) -> Self {
        Self { status: StatusCode::OK, body, position: None, is_missing: false }
    }

    pub(super) fn page(
        entries: Vec<Value>,
        request: PageRequest,
        total: usize,
        url: String,
        parameters: Parameters,
    ) -> Self {
        let position = Some(Position { request, total, url, parameters });
        Self { position, ..Self::json(entries.into()) }
    }

    /// `lib/api/helpers.rb`, `render_api_error!`.
    fn error(status: StatusCode, message: &str) -> Self {
        Self { status, ..Self::json(json!({ "message": message })) }
    }

    /// `lib/api/helpers.rb`, `not_found!`.
    pub(super) fn not_found(resource: &str) -> Self {
        let words = ["404", resource, "Not Found"];
        let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
        Self::error(StatusCode::NOT_FOUND, &words.join(" "))
    }

    /// `lib/api/helpers.rb`, `unauthorized!`.
    pub(super) fn unauthorized() -> Self {
        Self::error(StatusCode::UNAUTHORIZED, "401 Unauthorized")
    }

    pub(super) fn missing_token() -> Self {
        Self { is_missing: true, ..Self::unauthorized() }
    }

    /// Whether the request had no token.
    pub(super) fn is_missing(&self) -> bool {
        self.is_missing
    }

    /// `lib/api/helpers.rb`, `forbidden!`.
    pub(super) fn forbidden() -> Self {
        Self::error(StatusCode::FORBIDDEN, "403 Forbidden")
    }

    /// `lib/api/users.rb`: `forbidden!('Not authorized!')`.
    pub(super) fn not_authorized() -> Self {
        Self::error(StatusCode::FORBIDDEN, "403 Forbidden - Not authorized!")
    }

    /// A parameter that Grape rejects.
    pub(super) fn invalid(parameter: &str) -> Self {
        let body = json!({ "error": format!("{parameter} is invalid") });
        Self { status: StatusCode::BAD_REQUEST, ..Self::json(body) }
    }
}

/// Sends a reply, altered or replaced by the fault.
pub(super) async fn respond(mut reply: Reply, fault: Option<Api>, root: &str) -> Response {
    if let Some(fault) = &fault {
        tokio::time::sleep(fault.delay()).await;
        if let Some(failure) = failure(fault, root) {
            return failure;
        }
        alter(&mut reply, fault);
    }
    let body = reply.body.to_string();
    if fault == Some(Api::CutShort) {
        return truncate(&body);
    }
    let mut response = (reply.status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    for (name, value) in reply.position.iter().flat_map(|position| position.headers(fault.as_ref())) {
        // A link contains only what `encode_query` and a URL have.
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// The response of a fault that replaces the reply.
fn failure(fault: &Api, root: &str) -> Option<Response> {
    Some(match fault {
        Api::Status { status, retry_after } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let message = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
            let mut response = (status, axum::Json(json!({ "message": message }))).into_response();
            // `lib/api/helpers.rb`, `too_many_requests!`: in seconds.
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, (*seconds).into());
            }
            response
        }
        Api::FrontEnd { status } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, axum::response::Html("<h1>Whoops, GitLab is taking too much time to respond.</h1>"))
                .into_response()
        }
        Api::Malformed => "<html>Timeout</html>".into_response(),
        Api::Redirect => Redirect::temporary(&format!("{root}/api/v4/elsewhere")).into_response(),
        Api::Down => disconnect(),
        _ => return None,
    })
}

/// Applies a fault that alters the body.
fn alter(reply: &mut Reply, fault: &Api) {
    match (fault, &mut reply.body) {
        (Api::MissingField { field }, Value::Object(entry)) => drop(entry.remove(field)),
        (Api::MissingField { field }, Value::Array(entries)) => {
            entries.iter_mut().filter_map(Value::as_object_mut).for_each(|entry| drop(entry.remove(field)));
        }
        (Api::EmptyGroup, Value::Array(entries)) => {
            entries.clear();
            if let Some(position) = &mut reply.position {
                position.total = 0;
            }
        }
        (Api::ShortPage { missing }, Value::Array(entries)) => {
            entries.truncate(entries.len().saturating_sub(missing.unwrap_or(1)));
        }
        _ => {}
    }
}
