//! The client against a server that answers as each test says. The files in `data` are the examples of the fact sheet on
//! Launchpad, verbatim.

mod doctor;
mod failures;
mod groups;
mod observed;
mod people;
mod retries;
mod roster;
mod settings;
mod sizes;
mod teams;
mod wire;

use std::time::Duration;

use membermail_core::eligibility::Person;
use membermail_core::member::{ClaimedIdentifier, Identity, TeamName};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::answer::REDACTED;
use super::{Client, Error, Settings};
use crate::source::{PageCursor, RosterPage, Source};

const UBUNTU: &str = "https://login.ubuntu.com/+id/";
const LAUNCHPAD: &str = "https://login.launchpad.net/+id/";
const IDENTIFIER: &str = "https://login.ubuntu.com/+id/4Mn8bcd";
const USER_AGENT: &str = "membermail-tests (root@example.test)";
const TEAM: &str = "example-members";

/// Settings with real roots and short pauses.
fn settings(uri: &str) -> Settings {
    Settings {
        api: uri.parse().unwrap(),
        identifier_roots: vec![UBUNTU.to_owned(), LAUNCHPAD.to_owned()],
        user_agent: USER_AGENT.to_owned(),
        lookup_timeout: Duration::from_secs(2),
        page_timeout: Duration::from_secs(10),
        pauses: [0, 1, 2, 4, 8, 16].map(Duration::from_millis).to_vec(),
    }
}

fn client(server: &MockServer) -> Client {
    Client::new(settings(&server.uri())).unwrap()
}

fn identity() -> Identity {
    Identity {
        issuer: "https://login.ubuntu.com/+openid".to_owned(),
        subject: ClaimedIdentifier::parse(IDENTIFIER).unwrap(),
    }
}

async fn ask(server: &MockServer) -> Result<Option<Person>, Error> {
    client(server).person(&identity()).await
}

async fn roster_page(server: &MockServer, start: u64, size: u32) -> Result<RosterPage, Error> {
    client(server).roster_page(&team(), PageCursor { start, size }).await
}

fn team() -> TeamName {
    TeamName::parse(TEAM).unwrap()
}

/// Alice as `devel` describes her.
fn alice() -> Value {
    let mut person: Value = serde_json::from_str(include_str!("data/person-1.0.json")).unwrap();
    let more: Value = serde_json::from_str(include_str!("data/person-devel-fields.json")).unwrap();
    person.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    person
}

/// An entry of a team's participants.
fn entry(number: u64) -> Value {
    let mut entry = alice();
    entry["name"] = json!(format!("member{number}"));
    entry["date_created"] = json!(format!("2010-01-01T00:00:00.{number:06}+00:00"));
    entry
}

/// A page of a list. The link to the next one is added, if rows are left behind its `rows`.
fn page(server: &MockServer, start: u64, rows: u64, total: u64, entries: Vec<Value>) -> Value {
    let mut page = json!({ "start": start, "total_size": total, "entries": entries });
    if start + rows < total {
        page["next_collection_link"] = json!(next_link(server, start + rows));
    }
    page
}

fn next_link(server: &MockServer, start: u64) -> String {
    format!("{}/1.0/~{TEAM}/participants?ws.size=300&memo={start}&ws.start={start}", server.uri())
}

fn json_answer(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// An answer as the fact sheet records it: status line, headers, an empty line and the body.
fn recorded(text: &str) -> ResponseTemplate {
    let (head, body) = text.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let status: u16 = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<_> = lines.map(|line| line.split_once(": ").unwrap()).collect();
    let content_type = headers.iter().find(|(name, _)| *name == "Content-Type").unwrap().1;
    let answer = ResponseTemplate::new(status).set_body_raw(body, content_type);
    headers.into_iter().fold(answer, |answer, (name, value)| answer.insert_header(name, value))
}

/// The look-up of a person.
fn person_request() -> wiremock::MockBuilder {
    Mock::given(method("GET")).and(path("/devel/people")).and(query_param("ws.op", "getByOpenIDIdentifier"))
}

fn groups_request() -> wiremock::MockBuilder {
    Mock::given(method("GET")).and(path("/devel/~alice/super_teams"))
}

fn team_request() -> wiremock::MockBuilder {
    Mock::given(method("GET")).and(path("/1.0/~example-members"))
}

fn page_request() -> wiremock::MockBuilder {
    Mock::given(method("GET")).and(path("/1.0/~example-members/participants"))
}

/// The paths and queries of all requests.
async fn requests(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    requests.iter().map(|one| format!("{}?{}", one.url.path(), one.url.query().unwrap_or_default())).collect()
}

/// A number of the query; 0, where it is left out.
fn number(request: &Request, name: &str) -> u64 {
    request.url.query_pairs().find(|(key, _)| key == name).map_or(0, |(_, value)| value.parse().unwrap())
}

/// Where the server is, by the request: wiremock's URLs have no port.
fn origin(request: &Request) -> String {
    format!("http://{}", request.headers["host"].to_str().unwrap())
}

/// `ws.start` and `ws.size` of all requests.
async fn places(server: &MockServer) -> Vec<(u64, u32)> {
    let requests = server.received_requests().await.unwrap();
    let place = |one: &Request| (number(one, "ws.start"), u32::try_from(number(one, "ws.size")).unwrap());
    requests.iter().map(place).collect()
}
