//! Searching for people: by what they signed in with, and by name.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Parameters;
use super::answer::{Answer, respond};
use super::at::At;
use super::entry::Entry;
use super::list::{List, Of};
use super::page::page;
use crate::community::{Community, Key};
use crate::state::Shared;

/// `GET /devel/people?ws.op=getByOpenIDIdentifier&identifier=URL`, and searches.
pub(super) async fn people(
    State(shared): State<Shared>,
    Path(version): Path<String>,
    headers: HeaderMap,
    Query(parameters): Query<Parameters>,
) -> Response {
    let Some(at) = At::of(&headers, &version) else { return StatusCode::NOT_FOUND.into_response() };
    let operation = parameters.get("ws.op").map(String::as_str);
    match operation {
        // Earlier versions do not have it.
        Some("getByOpenIDIdentifier") if at.is_devel() => by_identifier(&shared, &parameters, &headers, &at).await,
        None | Some("find" | "findPerson" | "findTeam") => found(&shared, operation, &parameters, &headers, &at).await,
        Some(operation) => (StatusCode::BAD_REQUEST, format!("No such operation: {operation}")).into_response(),
    }
}

async fn by_identifier(shared: &Shared, parameters: &Parameters, headers: &HeaderMap, at: &At) -> Response {
    let Some(identifier) = text(parameters, "identifier") else {
        return (StatusCode::BAD_REQUEST, "identifier: Required input is missing.").into_response();
    };
    // Launchpad keeps the word only; the roots that it takes are the providers'.
    let word = identifier.rsplit_once("/+id/").map(|(_, word)| word).unwrap_or_default();
    let (answer, fault) = {
        let mut state = shared.lock();
        state.counts.launchpad_kind("by_identifier");
        let found = state.community.by_word(word).filter(|(_, person)| person.known);
        let found = found.map(|(key, person)| (key.clone(), Answer::entry(&Entry::Person(person), at).untagged()));
        match found {
            Some((key, answer)) => (answer, state.launchpad_faults.next(&key)),
            None => (Answer::value(&Value::Null), state.launchpad_faults.next("")),
        }
    };
    respond(answer, fault, headers, at).await
}

async fn found(
    shared: &Shared,
    operation: Option<&str>,
    parameters: &Parameters,
    headers: &HeaderMap,
    at: &At,
) -> Response {
    let text = text(parameters, "text").map(|text| text.to_lowercase()).unwrap_or_default();
    let (answer, fault) = {
        let mut state = shared.lock();
        state.counts.launchpad_kind("find");
        let list = List { kind: "find", of: Of::Entries(search(&state.community, operation, &text)) };
        let fault = state.launchpad_faults.next("");
        if parameters.get("ws.show").is_some_and(|show| show == "total_size") {
            (Answer::value(&json!(list.len())), fault)
        } else {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(operation.map(|operation| ("ws.op", operation)))
                .append_pair("text", &text)
                .finish();
            let link = format!("{}?{query}", at.path("people"));
            let mut page = page(&state.community, &list, parameters, &link, fault.as_ref(), at);
            // From this version on an operation counts only when it is asked to.
            if at.is_devel() && operation.is_some() {
                page.link_to_total(&link);
            }
            (Answer::page(&page), fault)
        }
    };
    respond(answer, fault, headers, at).await
}

/// A parameter of an operation, which lazr.restful takes as JSON or as it is.
fn text(parameters: &Parameters, name: &str) -> Option<String> {
    let text = parameters.get(name)?;
    Some(serde_json::from_str(text).unwrap_or_else(|_| text.clone()))
}

/// Those whose name begins with the text.
fn search(community: &Community, operation: Option<&str>, text: &str) -> std::sync::Arc<[Key]> {
    let people = community.people().filter(|(_, person)| person.known).map(|(key, _)| key);
    let teams = community.teams().map(|(key, _)| key).filter(|key| community.person(key).is_none());
    let is_meant = |key: &&Key| {
        let is_team = Entry::of(community, key).is_some_and(|entry| entry.is_team());
        let kind = match operation {
            Some("findPerson") => !is_team,
            Some("findTeam") => is_team,
            _ => true,
        };
        kind && community.name_of(key).starts_with(text)
    };
    people.chain(teams).filter(is_meant).cloned().collect()
}
