//! The parts of Launchpad's web service that Membermail reads: people by name and identifier, and team memberships.

mod api_root;
mod compression;
mod entry;
mod errors;
mod escape;
mod find;
mod list;
mod membership;
mod page;
mod reply;
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

use api_root::ApiRoot;
use entry::Entry;
use membership::Membership;
use page::PageRequest;
use reply::{Reply, respond};

type Parameters = BTreeMap<String, String>;

/// All routes, with request counting.
pub fn router(shared: &Shared) -> Router<Shared> {
    Router::new()
        .route("/{version}/", get(root::root))
        .route("/{version}/people", get(find::people))
        .route("/{version}/{name}", get(entry))
        .route("/{version}/{name}/{collection}", get(collection))
        .route("/{version}/{name}/+member/{member}", get(membership))
        .route_layer(middleware::from_fn(redirect_upper_case))
        // launchpad.md, 5: gzip on request.
        .route_layer(CompressionLayer::new().gzip(true))
        .route_layer(middleware::from_fn(compression::adjust_headers))
        .route_layer(middleware::from_fn_with_state(shared.clone(), count))
}

/// `GET /1.0/~NAME`: a person or a team.
async fn entry(
    State(shared): State<Shared>,
    Path((version, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(root) = ApiRoot::of(&headers, &version) else { return StatusCode::NOT_FOUND.into_response() };
    let (reply, fault) = {
        let mut state = shared.lock();
        state.counts.count_launchpad_kind("entry");
        let key = name.strip_prefix('~').and_then(|name| state.community.key_by_name(name));
        let entry = key.as_ref().and_then(|key| Entry::of(&state.community, key));
        let reply = entry.map_or_else(|| Reply::NotFound(name), |entry| Reply::entry(&entry, &root));
        (reply, state.launchpad_faults.next(key.as_deref().unwrap_or_default()))
    };
    respond(reply, fault, &headers, &root).await
}

/// `GET /1.0/~NAME/participants` and other collections.
async fn collection(
    State(shared): State<Shared>,
    Path((version, name, collection)): Path<(String, String, String)>,
    headers: HeaderMap,
    Query(parameters): Query<Parameters>,
) -> Response {
    let Some(root) = ApiRoot::of(&headers, &version) else { return StatusCode::NOT_FOUND.into_response() };
    let (reply, fault) = if name == "people" && collection == "+me" {
        (Reply::LoginNeeded, None)
    } else {
        list_page(&shared, &name, &collection, &parameters, &root)
    };
    respond(reply, fault, &headers, &root).await
}

fn list_page(
    shared: &Shared,
    name: &str,
    collection: &str,
    parameters: &Parameters,
    root: &ApiRoot,
) -> (Reply, Option<Launchpad>) {
    let mut state = shared.lock();
    let state = &mut *state;
    let Some(key) = name.strip_prefix('~').and_then(|name| state.community.key_by_name(name)) else {
        return (Reply::NotFound(name.to_owned()), state.launchpad_faults.next(""));
    };
    // launchpad.md, 6: 410 for all paths below the page of a suspended person. Guess: 404 below pages that are 404.
    let blocked = Entry::of(&state.community, &key).and_then(|entry| Reply::blocked(&entry));
    let list = list::of(&mut state.community, &key, collection);
    if let Some(list) = &list {
        state.counts.count_launchpad_kind(list.kind);
    }
    let fault = state.launchpad_faults.next(&key);
    if let Some(blocked) = blocked {
        return (blocked, fault);
    }
    let Some(list) = list else { return (Reply::NotFound(collection.to_owned()), fault) };
    let page_request = match PageRequest::of(parameters) {
        Ok(page_request) => page_request,
        Err(line) => return (Reply::BadRequest(line), fault),
    };
    let link = format!("{}/{collection}", root.entry(name.trim_start_matches('~')));
    let reply = Reply::page(&page::page(&state.community, &list, &page_request, &link, fault.as_ref(), root));
    // A page that a fault replaces or alters does not trigger page shifts.
    if list.kind == "participants" && matches!(fault, None | Some(Launchpad::Slow { .. })) {
        state.shifts.apply_after_page(&mut state.community, &key, page_request.page_number(), SystemClock.now());
    }
    (reply, fault)
}

/// `GET /1.0/~TEAM/+member/NAME`: a membership. launchpadlib follows links to it.
async fn membership(
    State(shared): State<Shared>,
    Path((version, team, member)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(root) = ApiRoot::of(&headers, &version) else { return StatusCode::NOT_FOUND.into_response() };
    let (reply, fault) = {
        let mut state = shared.lock();
        state.counts.count_launchpad_kind("membership");
        let team = team.strip_prefix('~').and_then(|team| state.community.key_by_name(team));
        let key = state.community.key_by_name(&member);
        let membership = team.as_ref().zip(key.as_ref()).and_then(|(team, member)| {
            Entry::of(&state.community, team).filter(|entry| entry.page() == PageState::Shown)?;
            Membership::of(&state.community, team, member)
        });
        let reply =
            membership.map_or_else(|| Reply::NotFound(member), |membership| Reply::membership(&membership, &root));
        (reply, state.launchpad_faults.next(key.as_deref().unwrap_or_default()))
    };
    respond(reply, fault, &headers, &root).await
}

/// launchpad.md, 6: 301 for a name with upper-case letters, to the lower-case name.
async fn redirect_upper_case(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let segments = path.split('/');
    let lower: Vec<_> = segments
        .map(|segment| if segment.starts_with('~') { segment.to_ascii_lowercase() } else { segment.to_owned() })
        .collect();
    let lower = lower.join("/");
    if lower == path {
        return next.run(request).await;
    }
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    errors::moved(&format!("{}{lower}{query}", own_root(request.headers())))
}

/// Counts a request, and concurrent requests.
async fn count(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    /// Dropped with the response, or when the client disconnects.
    struct InFlight(Shared);
    impl Drop for InFlight {
        fn drop(&mut self) {
            let counts = &mut self.0.lock().counts;
            counts.launchpad_in_flight = counts.launchpad_in_flight.saturating_sub(1);
        }
    }
    shared.lock().counts.start_launchpad_request();
    let _in_flight = InFlight(shared);
    next.run(request).await
}
