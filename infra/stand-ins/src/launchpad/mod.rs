//! The part of Launchpad's web service that is read: people, by name and by identifier, and who is in which team.

mod answer;
mod at;
mod compression;
mod entry;
mod errors;
mod escape;
mod find;
mod list;
mod membership;
mod page;
mod root;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use membermail_core::clock::{Clock, SystemClock};
use tower_http::compression::CompressionLayer;

use crate::community::PageState;
use crate::faults::Launchpad;
use crate::root as own_root;
use crate::state::Shared;

use answer::{Answer, respond};
use at::At;
use entry::Entry;
use membership::Held;
use page::Cut;

type Parameters = BTreeMap<String, String>;

/// All its addresses. Requests to them are counted.
pub fn router(shared: &Shared) -> Router<Shared> {
    Router::new()
        .route("/{version}/", get(root::root))
        .route("/{version}/people", get(find::people))
        .route("/{version}/{name}", get(entry))
        .route("/{version}/{name}/{collection}", get(collection))
        .route("/{version}/{name}/+member/{member}", get(membership))
        .route_layer(middleware::from_fn(redirect_capitals))
        // launchpad.md, 5: gzip on request.
        .route_layer(CompressionLayer::new().gzip(true))
        .route_layer(middleware::from_fn(compression::mark))
        .route_layer(middleware::from_fn_with_state(shared.clone(), count))
}

/// `GET /1.0/~NAME`: a person or a team.
async fn entry(
    State(shared): State<Shared>,
    Path((version, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(at) = At::of(&headers, &version) else { return StatusCode::NOT_FOUND.into_response() };
    let (answer, fault) = {
        let mut state = shared.lock();
        state.counts.launchpad_kind("entry");
        let key = name.strip_prefix('~').and_then(|name| state.community.key_of(name));
        let entry = key.as_ref().and_then(|key| Entry::of(&state.community, key));
        let answer = entry.map_or_else(|| Answer::NotFound(name), |entry| Answer::entry(&entry, &at));
        (answer, state.launchpad_faults.next(key.as_deref().unwrap_or_default()))
    };
    respond(answer, fault, &headers, &at).await
}

/// `GET /1.0/~NAME/participants` and the other lists.
async fn collection(
    State(shared): State<Shared>,
    Path((version, name, collection)): Path<(String, String, String)>,
    headers: HeaderMap,
    Query(parameters): Query<Parameters>,
) -> Response {
    let Some(at) = At::of(&headers, &version) else { return StatusCode::NOT_FOUND.into_response() };
    let (answer, fault) = if name == "people" && collection == "+me" {
        (Answer::LoginNeeded, None)
    } else {
        list_page(&shared, &name, &collection, &parameters, &at)
    };
    respond(answer, fault, &headers, &at).await
}

fn list_page(
    shared: &Shared,
    name: &str,
    collection: &str,
    parameters: &Parameters,
    at: &At,
) -> (Answer, Option<Launchpad>) {
    let mut state = shared.lock();
    let state = &mut *state;
    let Some(key) = name.strip_prefix('~').and_then(|name| state.community.key_of(name)) else {
        return (Answer::NotFound(name.to_owned()), state.launchpad_faults.next(""));
    };
    // launchpad.md, 6: 410 for all below a suspended person's page. Guess: 404 below those that are 404.
    let blocked = Entry::of(&state.community, &key).and_then(|entry| Answer::blocked(&entry));
    let list = list::of(&mut state.community, &key, collection);
    if let Some(list) = &list {
        state.counts.launchpad_kind(list.kind);
    }
    let fault = state.launchpad_faults.next(&key);
    if let Some(blocked) = blocked {
        return (blocked, fault);
    }
    let Some(list) = list else { return (Answer::NotFound(collection.to_owned()), fault) };
    let cut = match Cut::of(parameters) {
        Ok(cut) => cut,
        Err(line) => return (Answer::BadRequest(line), fault),
    };
    let link = format!("{}/{collection}", at.entry(name.trim_start_matches('~')));
    let answer = Answer::page(&page::page(&state.community, &list, &cut, &link, fault.as_ref(), at));
    // A page that a fault replaces was not read.
    if list.kind == "participants" && matches!(fault, None | Some(Launchpad::Slow { .. })) {
        state.shifts.page_was_served(&mut state.community, &key, cut.page_number(), SystemClock.now());
    }
    (answer, fault)
}

/// `GET /1.0/~TEAM/+member/NAME`: how a person is in a team. launchpadlib follows links to it.
async fn membership(
    State(shared): State<Shared>,
    Path((version, team, member)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(at) = At::of(&headers, &version) else { return StatusCode::NOT_FOUND.into_response() };
    let (answer, fault) = {
        let mut state = shared.lock();
        state.counts.launchpad_kind("membership");
        let team = team.strip_prefix('~').and_then(|team| state.community.key_of(team));
        let key = state.community.key_of(&member);
        let is_shown = |entry: &Entry<'_>| entry.page() == PageState::Shown;
        let held = team.as_ref().zip(key.as_ref()).and_then(|(team, member)| {
            Entry::of(&state.community, team).filter(is_shown)?;
            Held::of(&state.community, team, member)
        });
        let answer = held.map_or_else(|| Answer::NotFound(member), |held| Answer::membership(&held, &at));
        (answer, state.launchpad_faults.next(key.as_deref().unwrap_or_default()))
    };
    respond(answer, fault, &headers, &at).await
}

/// launchpad.md, 6: 301 for a name with capitals, with the lower-case one as its location.
async fn redirect_capitals(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_name = |part: &str| part.starts_with('~') && part.contains(|letter: char| letter.is_ascii_uppercase());
    if !path.split('/').any(is_name) {
        return next.run(request).await;
    }
    let lower = |part: &str| if is_name(part) { part.to_ascii_lowercase() } else { part.to_owned() };
    let path = path.split('/').map(lower).collect::<Vec<_>>().join("/");
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    errors::moved(&format!("{}{path}{query}", own_root(request.headers())))
}

/// Counts a request, and how many there are at once.
async fn count(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    /// Ends with the answer, or when the client gives up.
    struct Flying(Shared);
    impl Drop for Flying {
        fn drop(&mut self) {
            let counts = &mut self.0.lock().counts;
            counts.launchpad_in_flight = counts.launchpad_in_flight.saturating_sub(1);
        }
    }
    shared.lock().counts.begin_launchpad();
    let _flying = Flying(shared);
    next.run(request).await
}
