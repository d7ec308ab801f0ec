//! The part of Launchpad's web service that is read: people, by name and by identifier, and who is in which team.

use std::collections::BTreeMap;
use std::io;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::stream;
use serde_json::{Value, json};

use crate::people::{People, Person};
use crate::state::{Kind, Shared};

/// Entries of a page unless asked otherwise, and at most.
const PAGE: (usize, usize) = (50, 300);

type Parameters = BTreeMap<String, String>;

/// `GET /devel/people?ws.op=getByOpenIDIdentifier&identifier=URL`.
pub async fn people(
    State(shared): State<Shared>,
    Path(version): Path<String>,
    headers: HeaderMap,
    Query(parameters): Query<Parameters>,
) -> Response {
    let operation = parameters.get("ws.op").map(String::as_str);
    let (true, Some("getByOpenIDIdentifier"), Some(identifier)) =
        (version == "devel", operation, parameters.get("identifier"))
    else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    // Launchpad keeps the word only; the roots that it takes are the providers'.
    let word = identifier.rsplit_once("/+id/").map(|(_, word)| word).unwrap_or_default();
    let (answer, fault) = {
        let mut state = shared.lock();
        state.counts.launchpad += 1;
        let base = base(&headers, &version);
        let found = state.people.by_word(word).filter(|(_, person)| person.known);
        let found = found.map(|(key, person)| (key.clone(), answer_of(person, &base)));
        let Some((key, answer)) = found else { return Json(Value::Null).into_response() };
        let fault = state.next_fault(&key);
        (answer, fault)
    };
    match answer {
        Ok(person) => faulty(person, fault, &headers).await,
        Err(status) => status.into_response(),
    }
}

/// `GET /1.0/~NAME`: a person or a team.
pub async fn entry(
    State(shared): State<Shared>,
    Path((version, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let mut state = shared.lock();
    state.counts.launchpad += 1;
    let base = base(&headers, &version);
    let Some(name) = name.strip_prefix('~') else { return StatusCode::NOT_FOUND.into_response() };
    if let Some((_, person)) = state.people.by_name(name) {
        return answer_of(person, &base)
            .map_or_else(|status| status.into_response(), |person| Json(person).into_response());
    }
    match state.people.teams.contains_key(name) {
        true => Json(team(name, &base)).into_response(),
        false => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /1.0/~NAME/participants`, `/members` and `/super_teams`.
pub async fn collection(
    State(shared): State<Shared>,
    Path((version, name, collection)): Path<(String, String, String)>,
    headers: HeaderMap,
    Query(parameters): Query<Parameters>,
) -> Response {
    let (page, fault) = {
        let mut state = shared.lock();
        state.counts.launchpad += 1;
        let base = base(&headers, &version);
        let Some(name) = name.strip_prefix('~') else { return StatusCode::NOT_FOUND.into_response() };
        let key = state.people.by_name(name).map_or_else(|| name.to_owned(), |(key, _)| key.clone());
        let entries: Vec<Value> = match collection.as_str() {
            "super_teams" => state.people.teams_of(&key).iter().map(|name| team(name, &base)).collect(),
            "participants" => {
                state.people.participants(name).iter().map(|key| any(&state.people, key, &base)).collect()
            }
            "members" => {
                let members = state.people.teams.get(name).cloned().unwrap_or_default();
                members.iter().map(|key| any(&state.people, key, &base)).collect()
            }
            _ => return StatusCode::NOT_FOUND.into_response(),
        };
        let link = format!("{base}~{name}/{collection}");
        let fault = state.next_fault(&key);
        (page(&entries, &parameters, &link, fault.as_ref()), fault)
    };
    faulty(page, fault, &headers).await
}

fn page(entries: &[Value], parameters: &Parameters, link: &str, fault: Option<&Kind>) -> Value {
    let number = |name: &str| parameters.get(name).and_then(|text| text.parse::<usize>().ok());
    let start = number("ws.start").unwrap_or(0).min(entries.len());
    let size = number("ws.size").unwrap_or(PAGE.0).clamp(1, PAGE.1);
    let end = (start + size).min(entries.len());
    let mut page = json!({ "start": start, "total_size": entries.len(), "entries": entries[start..end] });
    let at = |start: usize| json!(format!("{link}?ws.size={size}&memo={start}&ws.start={start}"));
    if end < entries.len() {
        page["next_collection_link"] = at(end);
    }
    if start > 0 {
        page["prev_collection_link"] = at(start.saturating_sub(size));
    }
    match fault {
        Some(Kind::ForeignLink) => page["next_collection_link"] = json!("https://evil.example/1.0/~x/participants"),
        Some(Kind::RepeatedLink) => page["next_collection_link"] = at(start),
        Some(Kind::WrongTotal) => page["total_size"] = json!(entries.len() + 1_000),
        _ => {}
    }
    page
}

/// Answers, in the way that the fault has it.
async fn faulty(mut value: Value, fault: Option<Kind>, headers: &HeaderMap) -> Response {
    let Some(fault) = fault else { return Json(value).into_response() };
    tokio::time::sleep(fault.delay()).await;
    match fault {
        Kind::Status { status } => StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY).into_response(),
        Kind::Malformed => "<html>Timeout</html>".into_response(),
        Kind::Redirect => Redirect::temporary(&format!("{}elsewhere", base(headers, "1.0"))).into_response(),
        Kind::CutShort => {
            // More is announced than comes: the server ends the connection within the body.
            let text = value.to_string();
            let half = Bytes::from(text[..text.len() / 2].to_owned());
            (
                [(header::CONTENT_LENGTH, text.len())],
                Body::from_stream(stream::iter([Ok::<_, io::Error>(half), Err(io::ErrorKind::ConnectionReset.into())])),
            )
                .into_response()
        }
        Kind::MissingFlag => {
            value.as_object_mut().and_then(|object| object.remove("is_valid"));
            Json(value).into_response()
        }
        _ => Json(value).into_response(),
    }
}

fn answer_of(person: &Person, base: &str) -> Result<Value, StatusCode> {
    if person.suspended { Err(StatusCode::GONE) } else { Ok(person_json(person, base)) }
}

fn any(people: &People, key: &str, base: &str) -> Value {
    people.persons.get(key).map_or_else(|| team(key, base), |person| person_json(person, base))
}

fn person_json(person: &Person, base: &str) -> Value {
    let mut value = common(&person.name, base, person.id, false);
    value["is_valid"] = json!(person.is_valid);
    value["is_ubuntu_coc_signer"] = json!(person.signed);
    value
}

fn team(name: &str, base: &str) -> Value {
    let id = name.bytes().fold(900_000_u64, |id, byte| id.wrapping_mul(31).wrapping_add(byte.into()) % 1_000_000);
    let mut value = common(name, base, 1_000_000 + id, true);
    value["is_valid"] = json!(true);
    value["is_ubuntu_coc_signer"] = json!(false);
    value
}

fn common(name: &str, base: &str, id: u64, is_team: bool) -> Value {
    let link = |collection: &str| format!("{base}~{name}/{collection}");
    json!({
        "id": id,
        "name": name,
        "display_name": name,
        "is_team": is_team,
        "private": false,
        "hide_email_addresses": true,
        "time_zone": "UTC",
        "self_link": format!("{base}~{name}"),
        "web_link": format!("{base}~{name}"),
        "resource_type_link": format!("{base}#{}", if is_team { "team" } else { "person" }),
        "http_etag": format!("\"{id}\""),
        "participants_collection_link": link("participants"),
        "members_collection_link": link("members"),
        "super_teams_collection_link": link("super_teams"),
    })
}

fn base(headers: &HeaderMap, version: &str) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    format!("http://{host}/{version}/")
}
