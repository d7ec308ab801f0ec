//! Controls that change the fakes at run time, for tests and manual trials.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use membermail_core::clock::{Clock, SystemClock};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::community::{ChangeError, NewPerson, NewTeam, PersonChange, TeamChange};
use crate::counts::Counts;
use crate::faults::{Fault, Launchpad, Provider};
use crate::root;
use crate::shifts::PageShift;
use crate::state::{Roots, Shared};

/// Large enough for a change of all people in a benchmark.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// All controls, below `/control`.
pub fn router() -> Router<Shared> {
    Router::new()
        .route("/faults/{key}", put(set_fault).delete(clear_fault))
        .route("/provider/faults/{key}", put(set_provider_fault).delete(clear_provider_fault))
        .route("/people", post(add_person).patch(change_people))
        .route("/identifiers", get(identifiers))
        .route("/people/{key}", patch(change_person).delete(remove_person).get(person))
        .route("/people/{key}/identifiers", post(add_identifier))
        .route("/teams", post(add_team))
        .route("/teams/{key}", get(team).patch(change_team).delete(remove_team))
        .route("/page-shifts", post(add_page_shift))
        .route("/roots", put(set_roots))
        .route("/counts", get(counts).delete(reset_counts))
        .route("/reset", post(reset))
        .nest("/gitlab", crate::gitlab::control::router())
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

/// `PUT /control/faults/KEY`: injects a fault into Launchpad's responses about a person, a team, or `*` (all).
async fn set_fault(
    State(shared): State<Shared>,
    Path(key): Path<String>,
    Json(fault): Json<Fault<Launchpad>>,
) -> Result<(), ChangeError> {
    let mut state = shared.lock();
    if key != "*" && !state.community.has_key(&key) {
        return Err(ChangeError::UnknownKey);
    }
    state.launchpad_faults.set(key, fault);
    Ok(())
}

async fn clear_fault(State(shared): State<Shared>, Path(key): Path<String>) {
    shared.lock().launchpad_faults.clear(&key);
}

/// `PUT /control/provider/faults/KEY`: injects a fault into the provider for a person, or `*` (all).
async fn set_provider_fault(
    State(shared): State<Shared>,
    Path(key): Path<String>,
    Json(fault): Json<Fault<Provider>>,
) -> Result<(), ChangeError> {
    let mut state = shared.lock();
    if key != "*" && state.community.person(&key).is_none() {
        return Err(ChangeError::UnknownKey);
    }
    state.provider_faults.set(key, fault);
    Ok(())
}

async fn clear_provider_fault(State(shared): State<Shared>, Path(key): Path<String>) {
    shared.lock().provider_faults.clear(&key);
}

/// The key of a new person or team.
type Created = Result<(StatusCode, Json<Value>), ChangeError>;

fn created(key: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::CREATED, Json(json!({ "key": key })))
}

/// `POST /control/people`: adds a person.
async fn add_person(State(shared): State<Shared>, Json(new): Json<NewPerson>) -> Created {
    Ok(created(&shared.lock().community.add_person(new, SystemClock.now())?))
}

/// `PATCH /control/people/KEY`: changes a person.
async fn change_person(
    State(shared): State<Shared>,
    Path(key): Path<String>,
    Json(change): Json<PersonChange>,
) -> Result<(), ChangeError> {
    shared.lock().community.change_person(&key, change, SystemClock.now())
}

/// `PATCH /control/people` with changes by key. The response has the number of changes and the failures.
async fn change_people(State(shared): State<Shared>, Json(changes): Json<BTreeMap<String, PersonChange>>) -> Response {
    let now = SystemClock.now();
    let all = changes.len();
    let mut state = shared.lock();
    let changes = changes.into_iter().map(|(key, change)| (state.community.change_person(&key, change, now), key));
    let failed: BTreeMap<_, _> = changes.filter_map(|(result, key)| Some((key, result.err()?.to_string()))).collect();
    let status = if failed.is_empty() { StatusCode::OK } else { StatusCode::CONFLICT };
    (status, Json(json!({ "changed": all - failed.len(), "failed": failed }))).into_response()
}

/// `DELETE /control/people/KEY`: removes a person.
async fn remove_person(State(shared): State<Shared>, Path(key): Path<String>) -> Result<(), ChangeError> {
    shared.lock().community.remove_person(&key)
}

/// `GET /control/identifiers`: the claimed identifier of each person, by current name. A benchmark fills its table with
/// them.
async fn identifiers(State(shared): State<Shared>, headers: HeaderMap) -> Json<BTreeMap<String, String>> {
    let state = shared.lock();
    let root = root(&headers);
    let people = state.community.people().map(|(_, person)| person);
    Json(people.map(|person| (person.name.clone(), format!("{root}/+id/{}", person.identifier))).collect())
}

/// `GET /control/people/KEY`: all data of a person.
async fn person(State(shared): State<Shared>, Path(key): Path<String>) -> Result<Json<Value>, ChangeError> {
    let state = shared.lock();
    let person = state.community.person(&key).ok_or(ChangeError::UnknownKey)?;
    let teams: Vec<_> = state.community.teams_of(&key).iter().map(|team| team.to_string()).collect();
    let resolves_to = state.community.person_by_identifier(&person.identifier).map(|(key, _)| key.to_string());
    Ok(Json(json!({
        "id": person.id, "name": person.name, "email": person.email, "openid_identifier": person.identifier,
        "openid_identifiers": person.identifiers, "resolves_to": resolves_to, "teams": teams, "status": person.status,
        "date_created": person.date_created, "scenario": person.scenario,
    })))
}

/// The body of a request that adds an identifier.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewIdentifier {
    openid_identifier: String,
}

/// `POST /control/people/KEY/identifiers`: adds an identifier. Only sign-ins with this `openid_identifier` use it.
async fn add_identifier(
    State(shared): State<Shared>,
    Path(key): Path<String>,
    Json(new): Json<NewIdentifier>,
) -> Result<(), ChangeError> {
    shared.lock().community.add_identifier(&key, &new.openid_identifier, false)
}

/// `POST /control/teams`: adds a team.
async fn add_team(State(shared): State<Shared>, Json(new): Json<NewTeam>) -> Created {
    Ok(created(&shared.lock().community.add_team(new, SystemClock.now())?))
}

/// `PATCH /control/teams/KEY`: changes a team.
async fn change_team(
    State(shared): State<Shared>,
    Path(key): Path<String>,
    Json(change): Json<TeamChange>,
) -> Result<(), ChangeError> {
    shared.lock().community.change_team(&key, change, SystemClock.now())
}

/// `DELETE /control/teams/KEY`: removes a team.
async fn remove_team(State(shared): State<Shared>, Path(key): Path<String>) -> Result<(), ChangeError> {
    shared.lock().community.remove_team(&key)
}

/// `GET /control/teams/KEY`: the size of a team.
async fn team(State(shared): State<Shared>, Path(key): Path<String>) -> Result<Json<Value>, ChangeError> {
    let mut state = shared.lock();
    let (key, team) = state.community.team_by_key_or_name(&key).ok_or(ChangeError::UnknownKey)?;
    let mut description = json!({ "id": team.id, "name": team.name });
    let key = key.clone();
    let participants = state.community.participants(&key);
    description["participants"] = json!(participants.len());
    description["members"] = json!(state.community.members(&key).len());
    description["teams"] = json!(participants.iter().filter(|key| state.community.team(key).is_some()).count());
    description["hidden"] = json!(participants.iter().filter(|key| state.community.is_hidden(key)).count());
    Ok(Json(description))
}

/// `POST /control/page-shifts`: changes people once, after a page of a team is read.
async fn add_page_shift(State(shared): State<Shared>, Json(shift): Json<PageShift>) -> Result<(), ChangeError> {
    let mut state = shared.lock();
    let is_known = state.community.team(&shift.team).is_some()
        && shift.changes.keys().all(|key| state.community.person(key).is_some());
    if !is_known {
        return Err(ChangeError::UnknownKey);
    }
    state.shifts.add(shift);
    Ok(())
}

/// `PUT /control/roots`: sets the identifier roots that Launchpad accepts; `own` is the fake itself.
async fn set_roots(State(shared): State<Shared>, Json(roots): Json<BTreeSet<String>>) {
    shared.lock().roots = Roots::new(roots);
}

/// `GET /control/counts`.
async fn counts(State(shared): State<Shared>) -> Json<Counts> {
    Json(shared.lock().counts.clone())
}

/// `DELETE /control/counts`: resets the counts.
async fn reset_counts(State(shared): State<Shared>) {
    shared.lock().counts.reset();
}

/// `POST /control/reset`: restores the initial state.
async fn reset(State(shared): State<Shared>) {
    shared.reset();
}

impl IntoResponse for ChangeError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::UnknownKey => StatusCode::NOT_FOUND,
            Self::AlreadyUsed | Self::NotAMember | Self::WrongState => StatusCode::CONFLICT,
            Self::InvalidName => StatusCode::BAD_REQUEST,
        };
        (status, self.to_string()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::start;

    #[tokio::test]
    async fn identifiers_resolve_to_their_people() {
        let running = start().await;
        let all = running.json("/control/identifiers").await;
        let alice = all["alice"].as_str().unwrap();
        let encoded = alice.replace('+', "%2B");
        let found = running.json(&format!("/devel/people?ws.op=getByOpenIDIdentifier&identifier={encoded}")).await;
        assert_eq!(found["name"], "alice");
        assert!(all.as_object().unwrap().len() >= 1_000);
    }
}
