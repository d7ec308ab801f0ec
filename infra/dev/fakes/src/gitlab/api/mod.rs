//! The REST API, version 4.

mod entities;
mod page;
mod reply;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{OriginalUri, Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use membermail_core::clock::{Clock, SystemClock};

use super::GitLab;
use super::directory::{Group, UserState};
use super::fault::Api;
use crate::root;
use crate::state::Shared;
use page::PageRequest;
use reply::{Reply, respond};

type Parameters = BTreeMap<String, String>;

/// All routes.
pub fn router() -> Router<Shared> {
    Router::new()
        .route("/api/v4/user", get(own_user))
        .route("/api/v4/users/{id}", get(user))
        .route("/api/v4/groups/{id}", get(group))
        .route("/api/v4/groups/{id}/members", get(direct_members))
        .route("/api/v4/groups/{id}/members/all", get(all_members))
        .route("/api/v4/groups/{id}/members/{user}", get(direct_member))
        .route("/api/v4/groups/{id}/members/all/{user}", get(any_member))
}

/// `GET /user`: the user of the token.
async fn own_user(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let reply = |gitlab: &mut GitLab, reader| match gitlab.directory.user_by_id(reader) {
        Some(user) => Reply::json(entities::own_user(user, &root(&headers))),
        None => Reply::unauthorized(),
    };
    answer(&shared, &headers, "user", "", reply).await
}

/// `GET /users/ID`. `lib/api/users.rb`: 403 without a token, since this resource only requires one for other methods.
async fn user(State(shared): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let reply = |gitlab: &mut GitLab, _| {
        // `requires :id, type: Integer`.
        let Ok(id) = id.parse() else { return Reply::invalid("id") };
        match gitlab.directory.user_by_id(id) {
            Some(user) => Reply::json(entities::user(user, &root(&headers))),
            None => Reply::not_found("User"),
        }
    };
    answer(&shared, &headers, "users", &id, reply).await
}

/// `GET /groups/ID`: the id or the path, with `%2F` for its slashes.
async fn group(State(shared): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let reply = |gitlab: &mut GitLab, reader| match readable(gitlab, &id, reader) {
        Some(group) => Reply::json(entities::group(&group, &root(&headers))),
        None => Reply::not_found("Group"),
    };
    answer(&shared, &headers, "groups", &id, reply).await
}

/// `GET /groups/ID/members`: direct members.
async fn direct_members(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
) -> Response {
    members(&shared, &id, false, uri.path(), parameters, &headers).await
}

/// `GET /groups/ID/members/all`: direct and inherited members, and those of invited groups.
async fn all_members(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
) -> Response {
    members(&shared, &id, true, uri.path(), parameters, &headers).await
}

async fn members(
    shared: &Shared,
    id: &str,
    with_inherited: bool,
    path: &str,
    mut parameters: Parameters,
    headers: &HeaderMap,
) -> Response {
    let kind = if with_inherited { "members-all" } else { "members" };
    let root = root(headers);
    let reply = |gitlab: &mut GitLab, reader| {
        let Some(group) = readable(gitlab, id, reader) else { return Reply::not_found("Group") };
        let request = match PageRequest::of(&parameters) {
            Ok(request) => request,
            Err(parameter) => return Reply::invalid(parameter),
        };
        let list = gitlab.directory.members(group.id, with_inherited);
        // `lib/gitlab/pagination/offset_header_builder.rb`: links repeat all parameters, with those of the path.
        parameters.insert("id".to_owned(), id.to_owned());
        let entries = list.iter().skip(request.skipped()).take(request.per_page).filter_map(|member| {
            Some(entities::member(gitlab.directory.user_by_id(member.user)?, &member.membership, &root))
        });
        let body = entries.collect::<Vec<_>>();
        let reply = Reply::page(body, request, list.len(), format!("{root}{path}"), parameters);
        gitlab.shifts.apply_after_page(&mut gitlab.directory, group.id, request.page, SystemClock.now());
        reply
    };
    answer(shared, headers, kind, id, reply).await
}

/// `GET /groups/ID/members/USER`: a direct member.
async fn direct_member(
    State(shared): State<Shared>,
    Path((id, user)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    member(&shared, &id, &user, false, &headers).await
}

/// `GET /groups/ID/members/all/USER`: a member by any way.
async fn any_member(
    State(shared): State<Shared>,
    Path((id, user)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    member(&shared, &id, &user, true, &headers).await
}

async fn member(shared: &Shared, id: &str, user: &str, with_inherited: bool, headers: &HeaderMap) -> Response {
    let reply = |gitlab: &mut GitLab, reader| {
        let Ok(user) = user.parse() else { return Reply::invalid("user_id") };
        let Some(group) = readable(gitlab, id, reader) else { return Reply::not_found("Group") };
        let list = gitlab.directory.members(group.id, with_inherited);
        let found = list.iter().find(|member| member.user == user);
        let found = found.and_then(|member| Some((gitlab.directory.user_by_id(user)?, member)));
        match found {
            Some((user, member)) => Reply::json(entities::member(user, &member.membership, &root(headers))),
            // `lib/api/members.rb`: `find_by!`, whose error `lib/api/api.rb` turns into this text.
            None => Reply::not_found(""),
        }
    };
    answer(shared, headers, "member", id, reply).await
}

/// The group if the account that reads may see it. `lib/api/helpers.rb`, `check_group_access`: 404 otherwise.
fn readable(gitlab: &mut GitLab, id: &str, reader: u64) -> Option<Group> {
    let group = gitlab.directory.group(id)?.clone();
    let is_member = |gitlab: &mut GitLab| gitlab.directory.members(group.id, true).iter().any(|one| one.user == reader);
    (!group.is_private || is_member(gitlab)).then_some(group)
}

/// Answers a request: counts it, checks its token, and injects the fault of `key`, an id or path.
async fn answer(
    shared: &Shared,
    headers: &HeaderMap,
    kind: &'static str,
    key: &str,
    reply: impl FnOnce(&mut GitLab, u64) -> Reply,
) -> Response {
    /// Dropped with the response, or when the client disconnects.
    struct InFlight(Shared);
    impl Drop for InFlight {
        fn drop(&mut self) {
            let counts = &mut self.0.lock().counts;
            counts.gitlab_in_flight = counts.gitlab_in_flight.saturating_sub(1);
        }
    }
    let (reply, fault) = {
        let mut state = shared.lock();
        state.counts.start_gitlab_request(kind);
        let gitlab = &mut state.gitlab;
        match reader(gitlab, headers) {
            Ok(reader) => {
                let fault = gitlab.faults.next(key);
                // A page that a fault replaces does not trigger page shifts.
                let is_replaced = !matches!(fault, None | Some(Api::Slow { .. }));
                let shifts = if is_replaced { Some(std::mem::take(&mut gitlab.shifts)) } else { None };
                let reply = reply(gitlab, reader);
                if let Some(shifts) = shifts {
                    gitlab.shifts = shifts;
                }
                (reply, fault)
            }
            Err(refused) if kind == "users" && refused.is_missing() => (Reply::not_authorized(), None),
            Err(refused) => (refused, None),
        }
    };
    let _in_flight = InFlight(shared.clone());
    respond(reply, fault, &root(headers)).await
}

/// The user of the request's token. `lib/api/api_guard.rb`: `PRIVATE-TOKEN` or a bearer token.
fn reader(gitlab: &GitLab, headers: &HeaderMap) -> Result<u64, Reply> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let Some(token) = header("private-token").or(bearer) else { return Err(Reply::missing_token()) };
    let Some(id) = gitlab.tokens.get(token) else { return Err(Reply::unauthorized()) };
    match gitlab.directory.user_by_id(*id).map(|user| user.state) {
        Some(UserState::Active) => Ok(*id),
        // `app/policies/global_policy.rb`: blocked and deactivated accounts cannot use the API. Guess: 403.
        Some(_) => Err(Reply::forbidden()),
        None => Err(Reply::unauthorized()),
    }
}
