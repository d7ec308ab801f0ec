//! The client against a stand-in that answers as each test says.

mod failures;
mod lists;
mod observed;
mod participants;
mod people;
mod wire;

use std::time::Duration;

use membermail_core::eligibility::Standing;
use membermail_core::member::ClaimedIdentifier;
use serde_json::{Value, json};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::{Client, Error, Settings};

const IDENTIFIER: &str = "https://login.ubuntu.com/+id/AbCdEfG";
const USER_AGENT: &str = "membermail-tests (root@example.test)";

/// A client of the server at `uri`, with a second of patience: half of it for one request.
fn client(uri: &str) -> Client {
    client_with(uri, Duration::from_secs(1))
}

fn client_with(uri: &str, patience: Duration) -> Client {
    let settings = Settings { api: uri.parse().unwrap(), user_agent: USER_AGENT.to_owned(), patience };
    Client::new(settings).unwrap()
}

async fn standing(server: &MockServer) -> Result<Standing, Error> {
    client(&server.uri()).standing(&ClaimedIdentifier::parse(IDENTIFIER).unwrap()).await
}

/// Somebody who signed the Code of Conduct, as Launchpad describes them.
fn alice(server: &MockServer) -> Value {
    json!({
        "id": 7,
        "name": "alice",
        "display_name": "Alice",
        "is_team": false,
        "is_valid": true,
        "is_ubuntu_coc_signer": true,
        "super_teams_collection_link": format!("{}/devel/~alice/super_teams", server.uri()),
    })
}

fn teams(names: &[&str], total: u64) -> Value {
    let entries: Vec<_> = names.iter().map(|name| json!({"name": name, "is_team": true})).collect();
    json!({"start": 0, "total_size": total, "entries": entries})
}

fn json_answer(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// The look-up of a person: how it is asked is part of what every test checks.
fn person() -> wiremock::MockBuilder {
    Mock::given(method("GET"))
        .and(path("/devel/people"))
        .and(query_param("ws.op", "getByOpenIDIdentifier"))
        .and(query_param("identifier", IDENTIFIER))
}

/// The first page of Alice's teams.
fn super_teams() -> wiremock::MockBuilder {
    Mock::given(method("GET")).and(path("/devel/~alice/super_teams")).and(query_param("ws.size", "300"))
}

/// A server where Alice is in one team, after the answers that a test puts before.
async fn server() -> MockServer {
    let server = MockServer::start().await;
    person().respond_with(json_answer(&alice(&server))).with_priority(9).mount(&server).await;
    super_teams().respond_with(json_answer(&teams(&["ubuntumembers"], 1))).with_priority(9).mount(&server).await;
    server
}

async fn requests(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

/// The teams of a person that is known.
fn team_names(standing: &Standing) -> Vec<&str> {
    match standing {
        Standing::Known { teams, .. } => teams.iter().map(|team| team.as_str()).collect(),
        other => panic!("not known: {other:?}"),
    }
}
