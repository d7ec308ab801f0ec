//! Controls that change GitLab at run time, below `/control/gitlab`.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use membermail_core::clock::{Clock, SystemClock};
use serde::Deserialize;
use serde_json::{Value, json};

use super::directory::{GroupChange, NewGroup, Rejected, UserChange};
use super::fault::{Api, OAuth};
use super::oauth::Application;
use super::shifts::PageShift;
use crate::faults::Fault;
use crate::state::Shared;

/// All controls.
pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/users/{key}", get(user).post(add_user).patch(change_user).delete(remove_user))
        .route("/groups", post(add_group))
        .route("/groups/{key}", get(group).patch(change_group).delete(remove_group))
        .route("/faults/{key}", put(set_fault).delete(clear_fault))
        .route("/oauth/faults/{key}", put(set_oauth_fault).delete(clear_oauth_fault))
        .route("/oauth/application", put(set_application))
        .route("/oauth/key", axum::routing::delete(rotate_key))
        .route("/tokens", put(set_tokens))
        .route("/page-shifts", post(add_page_shift))
}

/// The parameters of a new user.
#[derive(Deserialize)]
struct NewId {
    id: Option<u64>,
}

/// `POST /control/gitlab/users/USERNAME?id=ID`: adds a user, with the fields and memberships of a change.
async fn add_user(
    State(shared): State<Shared>,
    Path(username): Path<String>,
    Query(NewId { id }): Query<NewId>,
    Json(change): Json<UserChange>,
) -> Result<(StatusCode, Json<Value>), Rejected> {
    let id = shared.lock().gitlab.directory.add_user(&username, id, change, SystemClock.now())?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

/// `GET /control/gitlab/users/KEY`: by id or username.
async fn user(State(shared): State<Shared>, Path(key): Path<String>) -> Result<Json<Value>, Rejected> {
    let state = shared.lock();
    let directory = &state.gitlab.directory;
    let user = directory.user(&key).ok_or(Rejected::Unknown)?;
    let groups: BTreeMap<_, _> = directory.direct_groups(user.id).into_iter().collect();
    Ok(Json(json!({
        "id": user.id, "username": user.username, "name": user.name, "state": user.state, "email": user.email,
        "is_bot": user.is_bot, "groups": groups, "scenario": user.scenario,
    })))
}

/// `PATCH /control/gitlab/users/KEY`: changes a user.
async fn change_user(
    State(shared): State<Shared>,
    Path(key): Path<String>,
    Json(change): Json<UserChange>,
) -> Result<(), Rejected> {
    shared.lock().gitlab.directory.change_user(&key, change, SystemClock.now())
}

/// `DELETE /control/gitlab/users/KEY`: deletes a user.
async fn remove_user(State(shared): State<Shared>, Path(key): Path<String>) -> Result<(), Rejected> {
    shared.lock().gitlab.directory.remove_user(&key)
}

/// `POST /control/gitlab/groups`: adds a group.
async fn add_group(
    State(shared): State<Shared>,
    Json(new): Json<NewGroup>,
) -> Result<(StatusCode, Json<Value>), Rejected> {
    let id = shared.lock().gitlab.directory.add_group(new, SystemClock.now())?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

/// `GET /control/gitlab/groups/KEY`: by id or path, the numbers of members.
async fn group(State(shared): State<Shared>, Path(key): Path<String>) -> Result<Json<Value>, Rejected> {
    let mut state = shared.lock();
    let directory = &mut state.gitlab.directory;
    let group = directory.group(&key).ok_or(Rejected::Unknown)?;
    let (id, full_path) = (group.id, group.full_path.clone());
    let [direct, all] = [false, true].map(|with_inherited| directory.members(id, with_inherited).len());
    Ok(Json(json!({ "id": id, "full_path": full_path, "direct": direct, "all": all })))
}

/// `PATCH /control/gitlab/groups/KEY`: changes a group.
async fn change_group(
    State(shared): State<Shared>,
    Path(key): Path<String>,
    Json(change): Json<GroupChange>,
) -> Result<(), Rejected> {
    shared.lock().gitlab.directory.change_group(&key, change)
}

/// `DELETE /control/gitlab/groups/KEY`: deletes a group.
async fn remove_group(State(shared): State<Shared>, Path(key): Path<String>) -> Result<(), Rejected> {
    shared.lock().gitlab.directory.remove_group(&key)
}

/// `PUT /control/gitlab/faults/KEY`: injects a fault into the API's responses to requests with this id or path, or `*`.
async fn set_fault(State(shared): State<Shared>, Path(key): Path<String>, Json(fault): Json<Fault<Api>>) {
    shared.lock().gitlab.faults.set(key, fault);
}

async fn clear_fault(State(shared): State<Shared>, Path(key): Path<String>) {
    shared.lock().gitlab.faults.clear(&key);
}

/// `PUT /control/gitlab/oauth/faults/KEY`: injects a fault into the provider for a user id, an endpoint, or `*`.
async fn set_oauth_fault(State(shared): State<Shared>, Path(key): Path<String>, Json(fault): Json<Fault<OAuth>>) {
    shared.lock().gitlab.oauth_faults.set(key, fault);
}

async fn clear_oauth_fault(State(shared): State<Shared>, Path(key): Path<String>) {
    shared.lock().gitlab.oauth_faults.clear(&key);
}

/// `PUT /control/gitlab/oauth/application`: changes the registered client, for example its secret.
async fn set_application(State(shared): State<Shared>, Json(application): Json<Application>) {
    shared.lock().gitlab.application = application;
}

/// `DELETE /control/gitlab/oauth/key`: the next token has a new signing key.
async fn rotate_key(State(shared): State<Shared>) {
    shared.lock().gitlab.key = None;
}

/// `PUT /control/gitlab/tokens`: replaces the tokens of the API, each with the id or username of its user.
async fn set_tokens(
    State(shared): State<Shared>,
    Json(tokens): Json<BTreeMap<String, String>>,
) -> Result<(), Rejected> {
    let gitlab = &mut shared.lock().gitlab;
    let found = tokens.into_iter().map(|(token, user)| Some((token, gitlab.directory.user(&user)?.id)));
    gitlab.tokens = found.collect::<Option<_>>().ok_or(Rejected::Unknown)?;
    Ok(())
}

/// `POST /control/gitlab/page-shifts`: changes users once, after a page of a group is read.
async fn add_page_shift(State(shared): State<Shared>, Json(shift): Json<PageShift>) -> Result<(), Rejected> {
    let gitlab = &mut shared.lock().gitlab;
    let users = shift.changes.keys();
    if gitlab.directory.group(&shift.group).is_none() || !users.clone().all(|key| gitlab.directory.user(key).is_some())
    {
        return Err(Rejected::Unknown);
    }
    gitlab.shifts.add(shift);
    Ok(())
}

impl IntoResponse for Rejected {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::AlreadyUsed | Self::NotAMember => StatusCode::CONFLICT,
            Self::InvalidName => StatusCode::BAD_REQUEST,
        };
        (status, self.to_string()).into_response()
    }
}
