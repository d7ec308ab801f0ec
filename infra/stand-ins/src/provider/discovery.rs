//! Discovery (section 7.3), for relying parties that look at an identifier.

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

/// `GET /`: the provider itself.
pub(super) async fn provider(headers: HeaderMap) -> Response {
    discovered(&headers, None)
}

/// Extensions of the provider. launchpad.md, 9: AX 1.0, SREG 1.1, teams and macaroons (in the order of the test of
/// build.snapcraft.io, which has the address of the last one).
const EXTENSIONS: [&str; 4] =
    ["http://openid.net/srv/ax/1.0", SREG, TEAMS, "http://ns.login.ubuntu.com/2016/openid-macaroon"];

/// `GET /+id/WORD`: the identity page of a person.
pub(super) async fn identity(State(shared): State<Shared>, Path(word): Path<String>, headers: HeaderMap) -> Response {
    if !has_page(&shared, &word) {
        return StatusCode::NOT_FOUND.into_response();
    }
    discovered(&headers, Some(&word))
}

/// `GET /+xrds`.
pub(super) async fn provider_services(headers: HeaderMap) -> Response {
    services(&root(&headers), None)
}

/// `GET /+id/WORD/+xrds`.
pub(super) async fn identity_services(
    State(shared): State<Shared>,
    Path(word): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !has_page(&shared, &word) {
        return StatusCode::NOT_FOUND.into_response();
    }
    services(&root(&headers), Some(&word))
}

/// launchpad.md, 9: an identity page of an account that is not active is 404.
fn has_page(shared: &Shared, word: &str) -> bool {
    shared.lock().community.login_of(word).is_some_and(|(_, person)| person.has_active_login)
}

/// The list of services by `Accept`, and a page with the address of the list otherwise (Yadis 1.0, 6.2).
fn discovered(headers: &HeaderMap, word: Option<&str>) -> Response {
    let root = root(headers);
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.contains(XRDS) {
        return services(&root, word);
    }
    let local_id = word.map(|word| format!("{root}/+id/{word}"));
    let list = format!("{}/+xrds", local_id.as_deref().unwrap_or(&root));
    let title = if word.is_some() { "An identifier" } else { "Ubuntu One (fake)" };
    let page = Page { title, services: list.clone(), endpoint: format!("{root}/+openid"), local_id };
    match page.render() {
        Ok(page) => ([(LOCATION, list)], Html(page)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn services(root: &str, word: Option<&str>) -> Response {
    let (service, extensions) = match word {
        // 7.3.2.1.1
        None => ("http://specs.openid.net/auth/2.0/server", EXTENSIONS.as_slice()),
        // 7.3.2.1.2. Guess: an identity has these extensions.
        Some(_) => ("http://specs.openid.net/auth/2.0/signon", &EXTENSIONS[1..2]),
    };
    let local_id = word.map(|word| format!("{root}/+id/{word}"));
    match (Services { service, extensions, endpoint: format!("{root}/+openid"), local_id }).render() {
        Ok(text) => ([(header::CONTENT_TYPE, XRDS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
