//! Tests the client against a fake server. The responses have the fields of GitLab's entities (`lib/api/entities`).

mod doctor;
mod failures;
mod groups;
mod people;
mod roster;
mod settings;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use membermail_core::clock::ManualClock;
use membermail_core::community::AccessLevel;
use membermail_core::eligibility::{Account, Group, Person};
use membermail_core::member::{Fingerprint, Identity, PersonName, Subject, TeamName};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::{Client, Settings, Token};
use crate::Error;

const ISSUER: &str = "https://gitlab.community.example";
const USER_AGENT: &str = "membermail-tests (root@example.test)";
const GROUP: &str = "community/members";
const GROUP_PATH: &str = "/api/v4/groups/community%2Fmembers";
const MEMBERS_PATH: &str = "/api/v4/groups/42/members/all";
const TOKEN: &str = "glpat-secret";

fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

/// Settings with short pauses.
fn settings(uri: &str) -> Settings {
    Settings {
        url: uri.parse().unwrap(),
        issuer: ISSUER.to_owned(),
        groups: vec![team()],
        minimum_access_level: AccessLevel::Developer,
        user_agent: USER_AGENT.to_owned(),
        lookup_timeout: Duration::from_secs(2),
        page_timeout: Duration::from_secs(10),
        pauses: [0, 1, 2].map(Duration::from_millis).to_vec(),
    }
}

fn client_with(settings: Settings) -> Client {
    let tokens = Arc::new(Token::parse(TOKEN).unwrap());
    Client::new(settings, tokens, Arc::new(ManualClock::at(now()))).unwrap()
}

fn client(server: &MockServer) -> Client {
    client_with(settings(&server.uri()))
}

fn team() -> TeamName {
    TeamName::parse(GROUP).unwrap()
}

fn group() -> Group {
    Group { name: team(), fingerprint: Fingerprint(42) }
}

fn identity(issuer: &str, subject: &str) -> Identity {
    Identity { issuer: issuer.to_owned(), subject: Subject::parse(subject).unwrap() }
}

fn ada() -> Person {
    Person {
        name: PersonName::parse("ada").unwrap(),
        fingerprint: Fingerprint(1001),
        account: Account::Active,
        signed_code_of_conduct: true,
    }
}

/// Ada as `GET /users/:id` describes her.
fn user() -> Value {
    json!({
        "id": 1001, "username": "Ada", "name": "Ada L.", "state": "active", "locked": false, "bot": false,
        "avatar_url": null, "web_url": "https://gitlab.community.example/ada", "public_email": "",
    })
}

/// A member as `GET /groups/:id/members/all` describes them.
fn member(id: u64) -> Value {
    json!({
        "id": id, "username": format!("member{id}"), "name": "A Member", "state": "active", "locked": false,
        "avatar_url": null, "web_url": "https://gitlab.community.example/x", "access_level": 30,
        "created_at": "2020-01-01T00:00:00.000Z", "expires_at": null, "membership_state": "active",
    })
}

fn group_response(id: u64, full_path: &str) -> ResponseTemplate {
    json_response(&json!({ "id": id, "full_path": full_path, "name": "Members", "visibility": "public" }))
}

/// A response with another value of a field; without the field if there is none.
fn changed(mut response: Value, field: &str, value: impl Into<Option<Value>>) -> Value {
    match value.into() {
        Some(value) => response[field] = value,
        None => drop(response.as_object_mut().unwrap().remove(field)),
    }
    response
}

/// A server that answers requests of this path with this response, and no others.
async fn serve(at: &str, response: impl wiremock::Respond + 'static) -> MockServer {
    let server = MockServer::start().await;
    mount(&server, at, response).await;
    server
}

async fn mount(server: &MockServer, at: &str, response: impl wiremock::Respond + 'static) {
    Mock::given(method("GET")).and(path(at)).respond_with(response).mount(server).await;
}

fn json_response(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn status(code: u16) -> ResponseTemplate {
    ResponseTemplate::new(code)
}

/// The paths and queries of all requests.
async fn requests(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    requests.iter().map(|one| one.url[url::Position::BeforePath..].to_owned()).collect()
}

/// A number in the query.
fn number(request: &Request, name: &str) -> u64 {
    request.url.query_pairs().find(|(key, _)| key == name).unwrap().1.parse().unwrap()
}
