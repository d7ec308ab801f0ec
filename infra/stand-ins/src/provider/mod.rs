//! An OpenID 2.0 provider: discovery, associations and direct verification, with Simple Registration and Launchpad's
//! teams. Nobody has a password here; whoever asks chooses who they are.

mod assertion;
mod association;
mod back;
mod choose;
mod diffie_hellman;
mod direct;
mod discovery;
mod mac;
mod message;
mod realm;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::random::OsRandom;
use url::Url;

use crate::community::Person;
use crate::faults::Provider;
use crate::root;
use crate::state::Shared;

pub use association::Associations;
use message::{Fields, IDENTIFIER_SELECT, NS, Request};

/// Simple Registration 1.1.
const SREG: &str = "http://openid.net/extensions/sreg/1.1";

/// All its addresses.
pub fn router() -> Router<Shared> {
    Router::new()
        .route("/", get(discovery::provider))
        .route("/+xrds", get(discovery::provider_services))
        .route("/+id/{word}", get(discovery::identity))
        .route("/+id/{word}/+xrds", get(discovery::identity_services))
        .route("/+openid", get(asked_by_get).post(asked_by_post))
        .route("/+openid/sign-in-as", get(chosen_by_get).post(chosen_by_post))
}

async fn asked_by_get(State(shared): State<Shared>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    indirect(&shared, &headers, &Request::read(query.unwrap_or_default().as_bytes()))
}

/// The browser may bring a request by POST too (5.2.2); all else that is posted comes from relying parties.
async fn asked_by_post(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let request = Request::read(&body);
    match request.get("mode") {
        Some("checkid_setup" | "checkid_immediate") => indirect(&shared, &headers, &request),
        _ => direct::answer(&shared, &request).await,
    }
}

async fn chosen_by_get(State(shared): State<Shared>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    chosen(&shared, &headers, &Request::read(query.unwrap_or_default().as_bytes()))
}

async fn chosen_by_post(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    chosen(&shared, &headers, &Request::read(&body))
}

/// The browser comes with a request (section 9).
fn indirect(shared: &Shared, headers: &HeaderMap, request: &Request) -> Response {
    let mut state = shared.lock();
    state.counts.provider("checkid");
    let Some(return_to) = return_to(request) else { return no_way_back() };
    match request.get("mode") {
        Some("checkid_setup") => {
            let root = root(headers);
            choose::page(&state.community, request, &return_to, |person| may_be(request, person, &root))
        }
        Some("checkid_immediate") => back::to(return_to, &message("setup_needed")),
        _ => (StatusCode::BAD_REQUEST, "no request for a sign-in").into_response(),
    }
}

/// Somebody was chosen: `name` is their key.
fn chosen(shared: &Shared, headers: &HeaderMap, request: &Request) -> Response {
    let Some(return_to) = return_to(request) else { return no_way_back() };
    let root = root(headers);
    let mut state = shared.lock();
    let state = &mut *state;
    let name = request.parameter("name").unwrap_or_default();
    let Some(person) = state.community.person(name) else {
        return (StatusCode::NOT_FOUND, "nobody of that name").into_response();
    };
    if !may_be(request, person, &root) {
        return (StatusCode::FORBIDDEN, "the site asked for somebody else").into_response();
    }
    match state.provider_faults.next_if(name, Provider::is_indirect) {
        Some(Provider::Cancel) => return back::to(return_to, &message("cancel")),
        Some(Provider::SetupNeeded) => return back::to(return_to, &message("setup_needed")),
        Some(_) => {
            let mut fields = message("error");
            fields.push(("error", "the provider was told to fail".to_owned()));
            return back::to(return_to, &fields);
        }
        None => {}
    }
    let (now, teams) = (SystemClock.now(), state.community.teams_of(name));
    let key = assertion::key_for(&mut state.associations, request, now, &OsRandom);
    let asked = assertion::Asked { request, root: &root, return_to: &return_to };
    let nonce = format!("{}{}", now.strftime("%Y-%m-%dT%H:%M:%SZ"), state.associations.number());
    back::to(return_to.clone(), &assertion::about(person, &teams, &asked, &key, nonce))
}

/// Whether this person is whom the site asked for: mostly it does not know.
fn may_be(request: &Request, person: &Person, root: &str) -> bool {
    match request.get("identity") {
        None | Some(IDENTIFIER_SELECT) => true,
        Some(identity) => identity == format!("{root}/+id/{}", person.word),
    }
}

/// The URL to go back to, if the request is one of this protocol and the URL lies in its realm.
fn return_to(request: &Request) -> Option<Url> {
    let return_to: Url = request.get("return_to").filter(|_| request.is_ours())?.parse().ok()?;
    realm::allows(request.get("realm"), &return_to).then_some(return_to)
}

fn no_way_back() -> Response {
    (StatusCode::BAD_REQUEST, "no OpenID 2.0 request with a return_to in its realm").into_response()
}

fn message(mode: &str) -> Fields {
    vec![("ns", NS.to_owned()), ("mode", mode.to_owned())]
}

#[cfg(test)]
mod tests;
