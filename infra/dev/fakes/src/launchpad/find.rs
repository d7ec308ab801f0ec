//! Operations on people: look-up by OpenID identifier, and search by name.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Parameters;
use super::api_root::ApiRoot;
use super::entry::Entry;
use super::list::{List, Rows};
use super::page::{PageRequest, page};
use super::reply::{Reply, respond};
use crate::community::{Community, Key, PageState};
use crate::faults::Launchpad;
use crate::state::Shared;

/// `GET /devel/people?ws.op=getByOpenIDIdentifier&identifier=URL`, and the searches of launchpadlib.
pub(super) async fn people(
    State(shared): State<Shared>,
    Path(version): Path<String>,
    headers: HeaderMap,
    Query(parameters): Query<Parameters>,
) -> Response {
    let Some(root) = ApiRoot::of(&headers, &version) else { return StatusCode::NOT_FOUND.into_response() };
    let operation = parameters.get("ws.op").map(String::as_str);
    let (reply, fault) = match operation {
        // launchpad.md, 4: `devel` only.
        Some("getByOpenIDIdentifier") if root.is_devel() => by_identifier(&shared, &parameters, &root),
        None | Some("find" | "findPerson" | "findTeam") => search(&shared, operation, &parameters, &root),
        // 4 and 6: 400 with one line of text.
        Some(operation) => (Reply::BadRequest(format!("No such operation: {operation}")), None),
    };
    respond(reply, fault, &headers, &root).await
}

fn by_identifier(shared: &Shared, parameters: &Parameters, root: &ApiRoot) -> (Reply, Option<Launchpad>) {
    let mut state = shared.lock();
    state.counts.count_launchpad_kind("by_identifier");
    let Some(claimed_id) = parameters.get("identifier") else {
        return (Reply::BadRequest("identifier: Required input is missing.".to_owned()), None);
    };
    // 4: an unescaped `+` in the query is a space and matches no root; the last segment is exact and case-sensitive.
    let identifier = state.roots.identifier_of(claimed_id, root.own_root());
    let found = identifier.and_then(|identifier| state.community.person_by_identifier(identifier));
    let reply = match found {
        // 3: 200 for every account status, including "Suspended" and "Placeholder".
        Some((_, person)) => Reply::result(&Entry::Person(person), root),
        // 4: unknown or deleted identifiers and other roots get 200 with `null`.
        None => Reply::value(&Value::Null),
    };
    // Faults also apply to logins without a person on Launchpad, by the key of the login.
    let login = found.or_else(|| state.community.login_by_identifier(identifier?));
    let key = login.map(|(key, _)| key.clone());
    (reply, state.launchpad_faults.next(key.as_deref().unwrap_or_default()))
}

/// Searches by name. launchpad.md does not cover this; launchpadlib needs it.
fn search(
    shared: &Shared,
    operation: Option<&str>,
    parameters: &Parameters,
    root: &ApiRoot,
) -> (Reply, Option<Launchpad>) {
    let text = text_parameter(parameters, "text").map(|text| text.to_lowercase()).unwrap_or_default();
    let mut state = shared.lock();
    state.counts.count_launchpad_kind("find");
    let list = List { kind: "find", rows: Rows::Entries(matching_keys(&state.community, operation, &text)) };
    let fault = state.launchpad_faults.next("");
    if parameters.get("ws.show").is_some_and(|show| show == "total_size") {
        return (Reply::value(&json!(list.len())), fault);
    }
    let page_request = match PageRequest::of(parameters) {
        Ok(page_request) => page_request,
        Err(line) => return (Reply::BadRequest(line), fault),
    };
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(operation.map(|operation| ("ws.op", operation)))
        .append_pair("text", &text)
        .finish();
    let link = format!("{}?{query}", root.path("people"));
    let mut page = page(&state.community, &list, &page_request, &link, fault.as_ref(), root);
    // launchpad.md, 5: only operations under `devel` have a `total_size_link`.
    if root.is_devel() && operation.is_some() {
        page.link_to_total(&link);
    }
    (Reply::page(&page), fault)
}

/// A search parameter, which launchpadlib encodes as JSON.
fn text_parameter(parameters: &Parameters, name: &str) -> Option<String> {
    let text = parameters.get(name)?;
    Some(serde_json::from_str(text).unwrap_or_else(|_| text.clone()))
}

/// Keys of people and teams whose name starts with the text.
fn matching_keys(community: &Community, operation: Option<&str>, text: &str) -> std::sync::Arc<[Key]> {
    let people = community.people().filter(|(_, person)| person.page() == PageState::Shown).map(|(key, _)| key);
    let people = people.filter(|_| operation != Some("findTeam"));
    let teams = community.teams().filter(|(_, team)| !team.is_private).map(|(key, _)| key);
    let teams = teams.filter(|_| operation != Some("findPerson"));
    people.chain(teams).filter(|key| community.name_of(key).starts_with(text)).cloned().collect()
}
