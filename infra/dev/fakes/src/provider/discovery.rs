//! Discovery of the provider and of identifiers (section 7.3).

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::{SREG, TEAMS};
use crate::root;
use crate::state::Shared;

const XRDS: &str = "application/xrds+xml";
const LOCATION: HeaderName = HeaderName::from_static("x-xrds-location");

#[derive(Template)]
#[template(path = "services.xml")]
struct Services<'a> {
    service: &'a str,
    extensions: &'a [&'a str],
    endpoint: String,
    local_id: Option<String>,
}

#[derive(Template)]
#[template(path = "identity.html")]
struct Page<'a> {
    title: &'a str,
    services: String,
    endpoint: String,
    local_id: Option<String>,
}

/// `GET /`: discovery of the provider.
pub(super) async fn provider(headers: HeaderMap) -> Response {
    respond(&headers, None)
}

/// Extensions of the provider. launchpad.md, 9: AX 1.0, SREG 1.1, teams and macaroons. Their order, and the URL of the
/// last one, are those of a test of build.snapcraft.io.
const EXTENSIONS: [&str; 4] =
    ["http://openid.net/srv/ax/1.0", SREG, TEAMS, "http://ns.login.ubuntu.com/2016/openid-macaroon"];

/// `GET /+id/IDENTIFIER`: the identity page of a person.
pub(super) async fn identity(
    State(shared): State<Shared>,
    Path(identifier): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !has_page(&shared, &identifier) {
        return StatusCode::NOT_FOUND.into_response();
    }
    respond(&headers, Some(&identifier))
}

/// `GET /+xrds`: the services of the provider.
pub(super) async fn provider_services(headers: HeaderMap) -> Response {
    xrds(&root(&headers), None)
}

/// `GET /+id/IDENTIFIER/+xrds`: the services of an identifier.
pub(super) async fn identity_services(
    State(shared): State<Shared>,
    Path(identifier): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !has_page(&shared, &identifier) {
        return StatusCode::NOT_FOUND.into_response();
    }
    xrds(&root(&headers), Some(&identifier))
}

/// launchpad.md, 9: the identity page of an inactive account is 404.
fn has_page(shared: &Shared, identifier: &str) -> bool {
    shared.lock().community.login_by_identifier(identifier).is_some_and(|(_, person)| person.has_active_login)
}

/// Responds with the services if `Accept` has their type, or else with a page that links to them (Yadis 1.0, 6.2).
fn respond(headers: &HeaderMap, identifier: Option<&str>) -> Response {
    let root = root(headers);
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.contains(XRDS) {
        return xrds(&root, identifier);
    }
    let local_id = identifier.map(|identifier| format!("{root}/+id/{identifier}"));
    let list = format!("{}/+xrds", local_id.as_deref().unwrap_or(&root));
    let title = if identifier.is_some() { "An identifier" } else { "Ubuntu One (fake)" };
    let page = Page { title, services: list.clone(), endpoint: format!("{root}/+openid"), local_id };
    match page.render() {
        Ok(page) => ([(LOCATION, list)], Html(page)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn xrds(root: &str, identifier: Option<&str>) -> Response {
    let (service, extensions) = match identifier {
        // 7.3.2.1.1
        None => ("http://specs.openid.net/auth/2.0/server", EXTENSIONS.as_slice()),
        // 7.3.2.1.2. Guess: an identity has these extensions.
        Some(_) => ("http://specs.openid.net/auth/2.0/signon", &EXTENSIONS[1..2]),
    };
    let local_id = identifier.map(|identifier| format!("{root}/+id/{identifier}"));
    match (Services { service, extensions, endpoint: format!("{root}/+openid"), local_id }).render() {
        Ok(text) => ([(header::CONTENT_TYPE, XRDS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
