//! The switches, for tests and for whoever wants to see what happens.

use std::collections::BTreeMap;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use membermail_core::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::community::{Change, ChangeError, NewPerson};
use crate::counts::Counts;
use crate::faults::{Fault, Launchpad, Provider};
use crate::state::Shared;

/// A change of many people is large.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// All of them, below `/control`.
pub fn router() -> Router<Shared> {
    Router::new()
        .route("/faults/{key}", put(set_fault).delete(clear_fault))
        .route("/provider/faults/{key}", put(set_provider_fault).delete(clear_provider_fault))
        .route("/people", post(add).patch(change_many))
        .route("/people/{key}", patch(change).delete(remove).get(person))
        .route("/teams/{name}", get(team))
        .route("/counts", get(counts).delete(restart_counts))
        .route("/reset", post(reset))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

/// `PUT /control/faults/KEY`: Launchpad's answers about a person, a team, or `*` go wrong.
async fn set_fault(
    State(shared): State<Shared>,
    Path(key): Path<String>,
    Json(fault): Json<Fault<Launchpad>>,
) -> StatusCode {
    let mut state = shared.lock();
    if key != "*" && state.community.person(&key).is_none() && state.community.team(&key).is_none() {
        return StatusCode::NOT_FOUND;
    }
    state.launchpad_faults.set(key, fault);
    StatusCode::NO_CONTENT
}

async fn clear_fault(State(shared): State<Shared>, Path(key): Path<String>) -> StatusCode {
    shared.lock().launchpad_faults.clear(&key);
    StatusCode::NO_CONTENT
}

/// `PUT /control/provider/faults/KEY`: the provider goes wrong for a person, or `*`.
async fn set_provider_fault(
    State(shared): State<Shared>,
    Path(key): Path<String>,
    Json(fault): Json<Fault<Provider>>,
) -> StatusCode {
    let mut state = shared.lock();
    if key != "*" && state.community.person(&key).is_none() {
        return StatusCode::NOT_FOUND;
    }
    state.provider_faults.set(key, fault);
    StatusCode::NO_CONTENT
}

async fn clear_provider_fault(State(shared): State<Shared>, Path(key): Path<String>) -> StatusCode {
    shared.lock().provider_faults.clear(&key);
    StatusCode::NO_CONTENT
}

/// `POST /control/people`: somebody new.
async fn add(State(shared): State<Shared>, Json(new): Json<NewPerson>) -> Response {
    match shared.lock().community.add(new, SystemClock.now()) {
        Ok(key) => (StatusCode::CREATED, Json(json!({ "key": &*key }))).into_response(),
        Err(error) => error.into_response(),
    }
}

/// `PATCH /control/people/KEY`.
async fn change(State(shared): State<Shared>, Path(key): Path<String>, Json(change): Json<Change>) -> Response {
    match shared.lock().community.change(&key, change, SystemClock.now()) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error.into_response(),
    }
}

/// `PATCH /control/people` with a change each by their keys: answers how many were made, and which were not.
async fn change_many(State(shared): State<Shared>, Json(changes): Json<BTreeMap<String, Change>>) -> Response {
    let (now, all) = (SystemClock.now(), changes.len());
    let mut state = shared.lock();
    let changes = changes.into_iter().map(|(key, change)| (state.community.change(&key, change, now), key));
    let failed: BTreeMap<_, _> = changes.filter_map(|(done, key)| Some((key, done.err()?.reason()))).collect();
    let status = if failed.is_empty() { StatusCode::OK } else { StatusCode::CONFLICT };
    (status, Json(json!({ "changed": all - failed.len(), "failed": failed }))).into_response()
}

/// `DELETE /control/people/KEY`.
async fn remove(State(shared): State<Shared>, Path(key): Path<String>) -> Response {
    match shared.lock().community.remove(&key) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error.into_response(),
    }
}

/// `GET /control/people/KEY`: what the stand-ins know of somebody.
async fn person(State(shared): State<Shared>, Path(key): Path<String>) -> Result<Json<Value>, StatusCode> {
    let state = shared.lock();
    let person = state.community.person(&key).ok_or(StatusCode::NOT_FOUND)?;
    let teams: Vec<_> = state.community.teams_of(&key).iter().map(|team| team.to_string()).collect();
    Ok(Json(json!({
        "id": person.id, "name": person.name, "word": person.word, "email": person.email, "teams": teams,
    })))
}

/// `GET /control/teams/NAME`: how many are in a team.
async fn team(State(shared): State<Shared>, Path(name): Path<String>) -> Result<Json<Value>, StatusCode> {
    let mut state = shared.lock();
    let id = state.community.team(&name).map(|(_, team)| team.id).ok_or(StatusCode::NOT_FOUND)?;
    let (participants, members) = (state.community.participants(&name), state.community.members(&name));
    let teams = participants.iter().filter(|key| state.community.team(key).is_some()).count();
    Ok(Json(json!({
        "id": id, "participants": participants.len(), "teams_among_participants": teams, "members": members.len(),
    })))
}

/// `GET /control/counts`.
async fn counts(State(shared): State<Shared>) -> Json<Counts> {
    Json(shared.lock().counts.clone())
}

/// `DELETE /control/counts`: count from nought.
async fn restart_counts(State(shared): State<Shared>) -> StatusCode {
    shared.lock().counts.restart();
    StatusCode::NO_CONTENT
}

/// `POST /control/reset`: everything as it was at the start.
async fn reset(State(shared): State<Shared>) -> StatusCode {
    shared.reset();
    StatusCode::NO_CONTENT
}

impl ChangeError {
    fn reason(self) -> &'static str {
        match self {
            Self::Nobody => "nobody has that key",
            Self::Taken => "that name is taken",
            Self::NotAName => "that is no name on Launchpad",
            Self::NoMember => "there is no such membership",
        }
    }
}

impl IntoResponse for ChangeError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Nobody => StatusCode::NOT_FOUND,
            Self::Taken | Self::NoMember => StatusCode::CONFLICT,
            Self::NotAName => StatusCode::BAD_REQUEST,
        };
        (status, self.reason()).into_response()
    }
}
