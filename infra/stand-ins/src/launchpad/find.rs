//! Searches for people: by the identifier of a sign-in, and by name.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Parameters;
use super::answer::{Answer, respond};
use super::at::At;
use super::entry::Entry;
use super::list::{List, Of};
use super::page::{Cut, page};
use crate::community::{Community, Key, PageState};
use crate::faults::Launchpad;
use crate::state::Shared;

/// `GET /devel/people?ws.op=getByOpenIDIdentifier&identifier=URL`, and searches, which launchpadlib makes.
pub(super) async fn people(
    State(shared): State<Shared>,
    Path(version): Path<String>,
    headers: HeaderMap,
    Query(parameters): Query<Parameters>,
) -> Response {
    let Some(at) = At::of(&headers, &version) else { return StatusCode::NOT_FOUND.into_response() };
    let operation = parameters.get("ws.op").map(String::as_str);
    let (answer, fault) = match operation {
        // launchpad.md, 4: `devel` only.
        Some("getByOpenIDIdentifier") if at.is_devel() => by_identifier(&shared, &parameters, &at),
        None | Some("find" | "findPerson" | "findTeam") => found(&shared, operation, &parameters, &at),
        // 4 and 6: 400 and one line.
        Some(operation) => (Answer::BadRequest(format!("No such operation: {operation}")), None),
    };
    respond(answer, fault, &headers, &at).await
}

fn by_identifier(shared: &Shared, parameters: &Parameters, at: &At) -> (Answer, Option<Launchpad>) {
    let mut state = shared.lock();
    state.counts.launchpad_kind("by_identifier");
    let Some(identifier) = parameters.get("identifier") else {
        return (Answer::BadRequest("identifier: Required input is missing.".to_owned()), None);
    };
    // 4: a bare `+` in the query was read as a blank, so that no root fits; the suffix is exact and case-sensitive.
    let word = state.roots.word_of(identifier, at.own_root());
    let found = word.and_then(|word| state.community.by_identifier(word));
    let answer = match found {
        // 3: 200 for every state of the account, "Suspended" and "Placeholder" too.
        Some((_, person)) => Answer::result(&Entry::Person(person), at),
        // 4: unknown, another root, or deleted: 200 and `null`.
        None => Answer::value(&Value::Null),
    };
    // A fault of a login that Launchpad does not know is set by the key of the login.
    let login = || word.and_then(|word| state.community.login_of(word));
    let key = found.or_else(login).map(|(key, _)| key.clone());
    (answer, state.launchpad_faults.next(key.as_deref().unwrap_or_default()))
}

/// No sheet states the searches; launchpadlib makes them.
fn found(shared: &Shared, operation: Option<&str>, parameters: &Parameters, at: &At) -> (Answer, Option<Launchpad>) {
    let text = text(parameters, "text").map(|text| text.to_lowercase()).unwrap_or_default();
    let mut state = shared.lock();
    state.counts.launchpad_kind("find");
    let list = List { kind: "find", of: Of::Entries(search(&state.community, operation, &text)) };
    let fault = state.launchpad_faults.next("");
    if parameters.get("ws.show").is_some_and(|show| show == "total_size") {
        return (Answer::value(&json!(list.len())), fault);
    }
    let cut = match Cut::of(parameters) {
        Ok(cut) => cut,
        Err(line) => return (Answer::BadRequest(line), fault),
    };
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(operation.map(|operation| ("ws.op", operation)))
        .append_pair("text", &text)
        .finish();
    let link = format!("{}?{query}", at.path("people"));
    let mut page = page(&state.community, &list, &cut, &link, fault.as_ref(), at);
    // launchpad.md, 5: `total_size_link` comes only with operations under `devel`.
    if at.is_devel() && operation.is_some() {
        page.link_to_total(&link);
    }
    (Answer::page(&page), fault)
}

/// A parameter of a search, which launchpadlib sends as JSON.
fn text(parameters: &Parameters, name: &str) -> Option<String> {
    let text = parameters.get(name)?;
    Some(serde_json::from_str(text).unwrap_or_else(|_| text.clone()))
}

/// The people and teams whose name begins with the text.
fn search(community: &Community, operation: Option<&str>, text: &str) -> std::sync::Arc<[Key]> {
    let people = community.people().filter(|(_, person)| person.page() == PageState::Shown).map(|(key, _)| key);
    let teams = community.teams().filter(|(_, team)| !team.is_private).map(|(key, _)| key);
    let is_meant = |key: &&Key| {
        let is_team = community.team(key).is_some();
        let kind = match operation {
            Some("findPerson") => !is_team,
            Some("findTeam") => is_team,
            _ => true,
        };
        kind && community.name_of(key).starts_with(text)
    };
    people.chain(teams).filter(is_meant).cloned().collect()
}
