//! The switches, for tests and for people who try things.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use membermail_core::clock::{Clock, SystemClock};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::community::{Change, ChangeError, NewPerson, NewTeam, TeamChange};
use crate::counts::Counts;
use crate::faults::{Fault, Launchpad, Provider};
use crate::shifts::PageShift;
use crate::state::{Roots, Shared};

/// A change of many people is large.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// All of them, below `/control`.
pub fn router() -> Router<Shared> {
    Router::new()
        .route("/faults/{key}", put(set_fault).delete(clear_fault))
        .route("/provider/faults/{key}", put(set_provider_fault).delete(clear_provider_fault))
        .route("/people", post(add).patch(change_many))
        .route("/people/{key}", patch(change).delete(remove).get(person))
        .route("/people/{key}/identifiers", post(add_identifier))
        .route("/teams", post(add_team))
        .route("/teams/{key}", get(team).patch(change_team).delete(remove_team))
        .route("/page-shifts", post(add_page_shift))
        .route("/roots", put(set_roots))
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

/// `POST /control/people`: a new person.
async fn add(State(shared): State<Shared>, Json(new): Json<NewPerson>) -> Response {
    match shared.lock().community.add(new, SystemClock.now()) {
        Ok(key) => (StatusCode::CREATED, Json(json!({ "key": &*key }))).into_response(),
        Err(error) => error.into_response(),
    }
}

/// `PATCH /control/people/KEY`.
async fn change(State(shared): State<Shared>, Path(key): Path<String>, Json(change): Json<Change>) -> Response {
    answer(shared.lock().community.change(&key, change, SystemClock.now()))
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
    answer(shared.lock().community.remove(&key))
}

/// `GET /control/people/KEY`: all that the fakes know of a person.
async fn person(State(shared): State<Shared>, Path(key): Path<String>) -> Result<Json<Value>, StatusCode> {
    let state = shared.lock();
    let person = state.community.person(&key).ok_or(StatusCode::NOT_FOUND)?;
    let teams: Vec<_> = state.community.teams_of(&key).iter().map(|team| team.to_string()).collect();
    let leads_to = state.community.by_identifier(&person.word).map(|(key, _)| key.to_string());
    Ok(Json(json!({
        "id": person.id, "name": person.name, "word": person.word, "words": person.words, "email": person.email,
        "teams": teams, "status": person.status, "date_created": person.date_created, "shows": person.shows,
        "identifier_leads_to": leads_to,
    })))
}

/// An identifier that a person gets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewIdentifier {
    word: String,
}

/// `POST /control/people/KEY/identifiers`: an additional identifier. The next sign-in still uses the same as before;
/// one that names this `word` uses it.
async fn add_identifier(
    State(shared): State<Shared>,
    Path(key): Path<String>,
    Json(NewIdentifier { word }): Json<NewIdentifier>,
) -> Response {
    answer(shared.lock().community.add_identifier(&key, &word, false))
}

/// `POST /control/teams`: a new team.
async fn add_team(State(shared): State<Shared>, Json(new): Json<NewTeam>) -> Response {
    match shared.lock().community.add_new_team(new, SystemClock.now()) {
        Ok(key) => (StatusCode::CREATED, Json(json!({ "key": &*key }))).into_response(),
        Err(error) => error.into_response(),
    }
}

/// `PATCH /control/teams/KEY`.
async fn change_team(
    State(shared): State<Shared>,
    Path(key): Path<String>,
    Json(change): Json<TeamChange>,
) -> Response {
    answer(shared.lock().community.change_team(&key, change, SystemClock.now()))
}

/// `DELETE /control/teams/KEY`.
async fn remove_team(State(shared): State<Shared>, Path(key): Path<String>) -> Response {
    answer(shared.lock().community.remove_team(&key))
}

/// `GET /control/teams/KEY`: how many are in a team.
async fn team(State(shared): State<Shared>, Path(key): Path<String>) -> Result<Json<Value>, StatusCode> {
    let mut state = shared.lock();
    let (key, team) = state.community.team_by_key_or_name(&key).ok_or(StatusCode::NOT_FOUND)?;
    let (key, id, name) = (key.clone(), team.id, team.name.clone());
    let (participants, members) = (state.community.participants(&key), state.community.members(&key));
    let teams = participants.iter().filter(|key| state.community.team(key).is_some()).count();
    let hidden = participants.iter().filter(|key| state.community.is_hidden(key)).count();
    Ok(Json(json!({
        "id": id, "name": name, "participants": participants.len(), "teams_among_participants": teams,
        "hidden": hidden, "members": members.len(),
    })))
}

/// `POST /control/page-shifts`: changes of people after a page of a team is read, once.
async fn add_page_shift(State(shared): State<Shared>, Json(shift): Json<PageShift>) -> Response {
    let mut state = shared.lock();
    let is_known = state.community.team(&shift.team).is_some()
        && shift.changes.keys().all(|key| state.community.person(key).is_some());
    if !is_known {
        return ChangeError::UnknownKey.into_response();
    }
    state.shifts.add(shift);
    StatusCode::NO_CONTENT.into_response()
}

/// `PUT /control/roots`: the roots of identifiers that Launchpad knows, `own` for the fake itself.
async fn set_roots(State(shared): State<Shared>, Json(roots): Json<BTreeSet<String>>) -> StatusCode {
    shared.lock().roots = Roots::new(roots);
    StatusCode::NO_CONTENT
}

fn answer(done: Result<(), ChangeError>) -> Response {
    done.map_or_else(IntoResponse::into_response, |()| StatusCode::NO_CONTENT.into_response())
}

/// `GET /control/counts`.
async fn counts(State(shared): State<Shared>) -> Json<Counts> {
    Json(shared.lock().counts.clone())
}

/// `DELETE /control/counts`: count from zero.
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
            Self::UnknownKey => "no person or team has that key",
            Self::Taken => "that name is taken",
            Self::NotAName => "that is no name on Launchpad",
            Self::NoMember => "there is no such membership",
            Self::Impossible => "this cannot happen to such an account",
        }
    }
}

impl IntoResponse for ChangeError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::UnknownKey => StatusCode::NOT_FOUND,
            Self::Taken | Self::NoMember | Self::Impossible => StatusCode::CONFLICT,
            Self::NotAName => StatusCode::BAD_REQUEST,
        };
        (status, self.reason()).into_response()
    }
}
