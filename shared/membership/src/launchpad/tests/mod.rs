//! Tests the client against a fake server. The files in `data` are the examples of the fact sheet on
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

use membermail_core::eligibility::{Group, Person};
use membermail_core::member::{Fingerprint, Identity, Subject, TeamName};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::response::REDACTED;
use super::{Client, Settings};
use crate::Error;
use crate::source::{PageCursor, RosterPage, Source};

const UBUNTU: &str = "https://login.ubuntu.com/+id/";
const LAUNCHPAD: &str = "https://login.launchpad.net/+id/";
const ISSUER: &str = "https://login.ubuntu.com/+openid";
const IDENTIFIER: &str = "https://login.ubuntu.com/+id/4Mn8bcd";
const USER_AGENT: &str = "membermail-tests (root@example.test)";
const TEAM: &str = "example-members";

/// Settings with real roots and short pauses.
fn settings(uri: &str) -> Settings {
    Settings {
        api: uri.parse().unwrap(),
        issuers: vec![ISSUER.to_owned()],
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
    Identity { issuer: ISSUER.to_owned(), subject: Subject::parse(IDENTIFIER).unwrap() }
}

async fn ask(server: &MockServer) -> Result<Option<Person>, Error> {
    client(server).person(&identity()).await
}

async fn roster_page(server: &MockServer, start: u64, size: u32) -> Result<RosterPage, Error> {
    client(server).roster_page(&group(), PageCursor { start, size }).await
}

fn group() -> Group {
    Group { name: team(), fingerprint: Fingerprint(1) }
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

/// Alice with another value of a field; without the field if there is none.
fn alice_with(field: &str, value: impl Into<Option<Value>>) -> Value {
    changed(alice(), field, value)
}

/// A response with another value of a field; without the field if there is none.
fn changed(mut response: Value, field: &str, value: impl Into<Option<Value>>) -> Value {
    match value.into() {
        Some(value) => response[field] = value,
        None => drop(response.as_object_mut().unwrap().remove(field)),
    }
    response
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

/// A page that is the whole list.
fn whole_list(total: u64, entries: Vec<Value>) -> Value {
    json!({ "start": 0, "total_size": total, "entries": entries })
}

fn next_link(server: &MockServer, start: u64) -> String {
    format!("{}/1.0/~{TEAM}/participants?ws.size=300&memo={start}&ws.start={start}", server.uri())
}

/// A server that answers these requests with this response, and no others.
async fn serve(requests: wiremock::MockBuilder, response: impl wiremock::Respond + 'static) -> MockServer {
    let server = MockServer::start().await;
    requests.respond_with(response).mount(&server).await;
    server
}

fn json_response(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// A response as the fact sheet records it: status line, headers, an empty line and the body.
fn recorded(text: &str) -> ResponseTemplate {
    let (head, body) = text.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let status: u16 = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<_> = lines.map(|line| line.split_once(": ").unwrap()).collect();
    let content_type = headers.iter().find(|(name, _)| *name == "Content-Type").unwrap().1;
    let response = ResponseTemplate::new(status).set_body_raw(body, content_type);
    headers.into_iter().fold(response, |response, (name, value)| response.insert_header(name, value))
}

/// Matches the lookup of a person.
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

/// A number in the query; 0 if missing.
fn number(request: &Request, name: &str) -> u64 {
    request.url.query_pairs().find(|(key, _)| key == name).map_or(0, |(_, value)| value.parse().unwrap())
}

/// The origin of the server: the URLs of wiremock have no port.
fn origin(request: &Request) -> String {
    format!("http://{}", request.headers["host"].to_str().unwrap())
}

/// `ws.start` and `ws.size` of all requests.
async fn page_positions(server: &MockServer) -> Vec<(u64, u32)> {
    let requests = server.received_requests().await.unwrap();
    requests.iter().map(|one| (number(one, "ws.start"), u32::try_from(number(one, "ws.size")).unwrap())).collect()
}
