//! An OpenID 2.0 provider: discovery, associations and direct verification, with Simple Registration and Launchpad's
//! teams. Instead of asking for a password, it lets the browser choose a person.

mod assertion;
mod choose;
mod direct;
mod discovery;
mod indirect;
mod realm;

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::random::OsRandom;
use url::Url;

use crate::community::Community;
use crate::faults::Provider;
use crate::root;
use crate::state::Shared;

use crate::openid::message::{Fields, IDENTIFIER_SELECT, NS, Request};

/// Simple Registration 1.1.
const SREG: &str = "http://openid.net/extensions/sreg/1.1";
/// The Launchpad teams extension.
const TEAMS: &str = "http://ns.launchpad.net/2007/openid-teams";

/// All routes.
pub fn router() -> Router<Shared> {
    Router::new()
        .route("/", get(discovery::provider))
        .route("/+xrds", get(discovery::provider_services))
        .route("/+id/{identifier}", get(discovery::identity))
        .route("/+id/{identifier}/+xrds", get(discovery::identity_services))
        .route("/+openid", get(request_by_get).post(request_by_post))
        .route("/+openid/sign-in-as", get(choice_by_get).post(choice_by_post))
}

async fn request_by_get(State(shared): State<Shared>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    authenticate(&shared, &headers, &Request::parse(query.unwrap_or_default().as_bytes()))
}

/// Browsers may send requests by POST too (5.2.2); other POST requests come from relying parties.
async fn request_by_post(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let request = Request::parse(&body);
    match request.get("mode") {
        Some("checkid_setup" | "checkid_immediate") => authenticate(&shared, &headers, &request),
        _ => direct::respond(&shared, &request).await,
    }
}

async fn choice_by_get(State(shared): State<Shared>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    sign_in_as(&shared, &headers, &Request::parse(query.unwrap_or_default().as_bytes()))
}

async fn choice_by_post(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    sign_in_as(&shared, &headers, &Request::parse(&body))
}

/// Handles an authentication request from the browser (section 9).
fn authenticate(shared: &Shared, headers: &HeaderMap, request: &Request) -> Response {
    let mut state = shared.lock();
    state.counts.count_provider("checkid");
    let Some(return_to) = return_to(request) else { return invalid_return_to() };
    match request.get("mode") {
        Some("checkid_setup") => {
            let root = root(headers);
            choose::page(&state.community, request, &return_to, |identifier| is_requested(request, identifier, &root))
        }
        Some("checkid_immediate") => indirect::respond(return_to, &message("setup_needed")),
        _ => (StatusCode::BAD_REQUEST, "no request for a sign-in").into_response(),
    }
}

/// Signs in the chosen person, given by `name` (the key), `openid_identifier` (one of the person's), or both.
fn sign_in_as(shared: &Shared, headers: &HeaderMap, request: &Request) -> Response {
    let Some(return_to) = return_to(request) else { return invalid_return_to() };
    let root = root(headers);
    let mut state = shared.lock();
    let state = &mut *state;
    let community = &state.community;
    let wanted = request.parameter("openid_identifier");
    let name = request.parameter("name");
    let key = name.or_else(|| Some(&**community.login_by_identifier(wanted?)?.0)).unwrap_or_default();
    let Some(person) = community.person(key) else {
        return (StatusCode::NOT_FOUND, "no person has this key or identifier").into_response();
    };
    // The default identifier comes first.
    let mut identifiers = std::iter::once(&person.identifier).chain(&person.identifiers);
    let identifier = identifiers.find(|identifier| {
        wanted.is_none_or(|wanted| wanted == *identifier) && is_requested(request, identifier, &root)
    });
    // Guess: an inactive account cannot sign in.
    let Some(identifier) = identifier.filter(|_| person.has_active_login) else {
        return (StatusCode::FORBIDDEN, "the site asked for another person, or the login is not active")
            .into_response();
    };
    match state.provider_faults.next_if(key, Provider::is_indirect) {
        // launchpad.md, 9: `mode=cancel`.
        Some(Provider::Cancel) => return indirect::respond(return_to, &message("cancel")),
        Some(Provider::SetupNeeded) => return indirect::respond(return_to, &message("setup_needed")),
        Some(_) => {
            let mut fields = message("error");
            fields.push(("error", "an injected fault".to_owned()));
            return indirect::respond(return_to, &fields);
        }
        None => {}
    }
    let now = SystemClock.now();
    let login = assertion::Login { person, identifier, memberships: team_names(community, identifier) };
    let signing = assertion::signing_key(&mut state.associations, request, now, &OsRandom);
    let sign_in = assertion::SignInRequest { request, root: &root, return_to: &return_to };
    let nonce = format!("{}{}", now.strftime("%Y-%m-%dT%H:%M:%SZ"), state.associations.next_number());
    indirect::respond(return_to.clone(), &assertion::create(&login, &sign_in, &signing, nonce))
}

/// Names of the person's public teams on Launchpad; `None` if Launchpad has no person for the login. launchpad.md, 9:
/// only registered relying parties see private teams, and the fake has none.
fn team_names(community: &Community, identifier: &str) -> Option<BTreeSet<String>> {
    let (key, _) = community.person_by_identifier(identifier)?;
    let teams = community.teams_of(key).into_iter().filter(|team| !community.is_hidden(team));
    Some(teams.map(|team| community.name_of(&team).to_owned()).collect())
}

/// Whether the request is for this identifier, or for any.
fn is_requested(request: &Request, identifier: &str, root: &str) -> bool {
    match request.get("identity") {
        None | Some(IDENTIFIER_SELECT) => true,
        Some(identity) => identity == format!("{root}/+id/{identifier}"),
    }
}

/// The `return_to` of an OpenID 2.0 request. launchpad.md, 9: it must match the realm.
fn return_to(request: &Request) -> Option<Url> {
    let return_to: Url = request.get("return_to").filter(|_| request.is_openid_2())?.parse().ok()?;
    realm::matches(request.get("realm"), &return_to).then_some(return_to)
}

fn invalid_return_to() -> Response {
    (StatusCode::BAD_REQUEST, "no OpenID 2.0 request with a return_to in its realm").into_response()
}

fn message(mode: &str) -> Fields {
    vec![("ns", NS.to_owned()), ("mode", mode.to_owned())]
}

#[cfg(test)]
mod tests;
