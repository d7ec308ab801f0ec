//! An OpenID 2.0 provider: discovery, associations and direct verification, with Simple Registration and Launchpad's
//! teams. There are no passwords here: a page asks who signs in.

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

pub use association::Associations;
use message::{Fields, IDENTIFIER_SELECT, NS, Request};

/// Simple Registration 1.1.
const SREG: &str = "http://openid.net/extensions/sreg/1.1";
/// The Launchpad teams extension.
const TEAMS: &str = "http://ns.launchpad.net/2007/openid-teams";

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
            choose::page(&state.community, request, &return_to, |word| may_be(request, word, &root))
        }
        Some("checkid_immediate") => back::to(return_to, &message("setup_needed")),
        _ => (StatusCode::BAD_REQUEST, "no request for a sign-in").into_response(),
    }
}

/// A person was chosen: `name` is the key, `word` is one of the person's identifiers, and one of both is enough.
fn chosen(shared: &Shared, headers: &HeaderMap, request: &Request) -> Response {
    let Some(return_to) = return_to(request) else { return no_way_back() };
    let root = root(headers);
    let mut state = shared.lock();
    let state = &mut *state;
    let community = &state.community;
    let (name, word) = (request.parameter("name"), request.parameter("word"));
    let key = name.or_else(|| Some(&**community.login_of(word?)?.0)).unwrap_or_default();
    let Some(person) = community.person(key) else {
        return (StatusCode::NOT_FOUND, "no person has this key or identifier").into_response();
    };
    // Without a word it is the identifier that the site asked for, if it asked for one, or else the usual one.
    let asked_for = || person.words.iter().find(|word| may_be(request, word, &root));
    let word = match word {
        Some(word) => person.words.iter().find(|one| *one == word),
        None => Some(&person.word).filter(|word| may_be(request, word, &root)).or_else(asked_for),
    };
    // Guess: an account that is not active cannot sign in.
    let Some(word) = word.filter(|word| may_be(request, word, &root) && person.has_active_login) else {
        return (StatusCode::FORBIDDEN, "the site asked for another person, or the login is not active")
            .into_response();
    };
    match state.provider_faults.next_if(key, Provider::is_indirect) {
        // launchpad.md, 9: `mode=cancel`.
        Some(Provider::Cancel) => return back::to(return_to, &message("cancel")),
        Some(Provider::SetupNeeded) => return back::to(return_to, &message("setup_needed")),
        Some(_) => {
            let mut fields = message("error");
            fields.push(("error", "the provider was told to fail".to_owned()));
            return back::to(return_to, &fields);
        }
        None => {}
    }
    let now = SystemClock.now();
    let login = assertion::Login { person, word, memberships: memberships(community, word) };
    let signing = assertion::key_for(&mut state.associations, request, now, &OsRandom);
    let asked = assertion::Asked { request, root: &root, return_to: &return_to };
    let nonce = format!("{}{}", now.strftime("%Y-%m-%dT%H:%M:%SZ"), state.associations.number());
    back::to(return_to.clone(), &assertion::about(&login, &asked, &signing, nonce))
}

/// The names of the public teams of the person on Launchpad; nothing where Ubuntu One knows no such person.
/// launchpad.md, 9: private teams only for registered parties, and the fake has none.
fn memberships(community: &Community, word: &str) -> Option<BTreeSet<String>> {
    let (key, _) = community.by_identifier(word)?;
    let teams = community.teams_of(key).into_iter().filter(|team| !community.is_hidden(team));
    Some(teams.map(|team| community.name_of(&team).to_owned()).collect())
}

/// Whether this identifier is the one that the site asked for: mostly it asks for any.
fn may_be(request: &Request, word: &str, root: &str) -> bool {
    match request.get("identity") {
        None | Some(IDENTIFIER_SELECT) => true,
        Some(identity) => identity == format!("{root}/+id/{word}"),
    }
}

/// The URL to go back to, if the request is one of this protocol. launchpad.md, 9: it has to lie under the realm.
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
