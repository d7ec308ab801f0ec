//! The part of Launchpad's web service that is read: people, by name and by identifier, and who is in which team.

mod answer;
mod at;
mod entry;
mod find;
mod list;
mod membership;
mod page;
mod root;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::state::Shared;

use answer::{Answer, respond};
use at::At;
use entry::Entry;
use membership::Held;

type Parameters = BTreeMap<String, String>;

/// All its addresses. Requests to them are counted.
pub fn router(shared: &Shared) -> Router<Shared> {
    Router::new()
        .route("/{version}/", get(root::root))
        .route("/{version}/people", get(find::people))
        .route("/{version}/{name}", get(entry))
        .route("/{version}/{name}/{collection}", get(collection))
        .route("/{version}/{name}/+member/{member}", get(membership))
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
        let Some(key) = name.strip_prefix('~').and_then(|name| state.community.key_of(name)) else {
            return no_such_object(&name);
        };
        let fault = state.launchpad_faults.next(&key);
        let Some(entry) = Entry::of(&state.community, &key) else { return no_such_object(&name) };
        (Answer::entry(&entry, &at), fault)
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
    let (answer, fault) = {
        let mut state = shared.lock();
        let Some(name) = name.strip_prefix('~') else {
            // Whoever `me` is: nobody, to somebody who has not signed in.
            let is_me = name == "people" && collection == "+me";
            return if is_me { StatusCode::UNAUTHORIZED.into_response() } else { no_such_object(&name) };
        };
        let Some(key) = state.community.key_of(name) else { return no_such_object(name) };
        let Some(list) = list::of(&mut state.community, &key, &collection) else {
            return no_such_object(&collection);
        };
        state.counts.launchpad_kind(list.kind);
        let fault = state.launchpad_faults.next(&key);
        let link = format!("{}/{collection}", at.entry(name));
        let page = page::page(&state.community, &list, &parameters, &link, fault.as_ref(), &at);
        (Answer::page(&page), fault)
    };
    respond(answer, fault, &headers, &at).await
}

/// `GET /1.0/~TEAM/+member/NAME`: how somebody is in a team.
async fn membership(
    State(shared): State<Shared>,
    Path((version, team, member)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(at) = At::of(&headers, &version) else { return StatusCode::NOT_FOUND.into_response() };
    let (answer, fault) = {
        let mut state = shared.lock();
        state.counts.launchpad_kind("membership");
        let team = team.strip_prefix('~').and_then(|team| state.community.team(team)).map(|(key, _)| key.clone());
        let (Some(team), Some(member)) = (team, state.community.key_of(&member)) else {
            return no_such_object(&member);
        };
        let fault = state.launchpad_faults.next(&member);
        let Some(held) = Held::of(&state.community, &team, &member) else { return no_such_object(&member) };
        (Answer::membership(&held, &at), fault)
    };
    respond(answer, fault, &headers, &at).await
}

fn no_such_object(name: &str) -> Response {
    (StatusCode::NOT_FOUND, format!("Object: <web service>, name: {name:?}")).into_response()
}

/// Counts a request, and how many there are at once.
async fn count(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    /// Ends with the answer, and with a client that waits no longer.
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

#[cfg(test)]
mod tests;
