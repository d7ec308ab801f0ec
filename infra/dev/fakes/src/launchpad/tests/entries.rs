//! launchpad.md, sections 1 and 2: entries of people and teams.

use serde_json::{Value, json};

use super::example;
use crate::testing::{Running, start};

/// Starts the fakes with Alice as in the example of launchpad.md.
async fn start_alice() -> Running {
    let running = start().await;
    let alice = json!({
        "display_name": "Alice Adams", "date_created": "2009-03-14T15:09:26.535897Z", "karma": 318,
        "description": "Translator.\n\nI <3 Ubuntu.", "time_zone": "Europe/Berlin",
    });
    running.control("PATCH", "people/alice", alice).await;
    running
}

/// Removes the ETag, and checks its format.
fn without_etag(mut entry: Value) -> Value {
    let etag = entry["http_etag"].take();
    let hashes = etag.as_str().unwrap().trim_matches('"').split('-').map(str::len).collect::<Vec<_>>();
    assert_eq!(hashes, [40, 40]);
    entry
}

#[tokio::test]
async fn person_matches_documented_example() {
    let running = start_alice().await;
    let expected = example(include_str!("../../../tests-data/person.json"), &running);
    assert_eq!(without_etag(running.json("/1.0/~alice").await), without_etag(expected.clone()));
    let text = running.get("/1.0/~alice").await.text().await.unwrap();
    assert!(text.contains(r"I \u003c3 Ubuntu."), "{text}");

    let mut devel: Value = serde_json::from_str(&expected.to_string().replace("/1.0/", "/devel/")).unwrap();
    let additional: Value = serde_json::from_str(include_str!("../../../tests-data/devel-fields.json")).unwrap();
    devel.as_object_mut().unwrap().extend(additional.as_object().unwrap().clone());
    assert_eq!(without_etag(running.json("/devel/~alice").await), without_etag(devel));
}

#[tokio::test]
async fn team_has_additional_fields() {
    let running = start().await;
    let person = running.json("/1.0/~alice").await;
    let team = running.json("/devel/~example-docs").await;
    let fields = team.as_object().unwrap().keys();
    let additional: Vec<_> = fields.filter(|field| person.get(field).is_none()).collect();
    let expected = [
        "account_status",
        "account_status_history",
        "default_membership_period",
        "default_renewal_period",
        "membership_policy",
        "renewal_policy",
        "subscription_policy",
        "team_description",
    ];
    assert_eq!(additional, expected);
    assert_eq!((&team["is_team"], &team["is_valid"]), (&json!(true), &json!(true)));
    assert_eq!(team["is_ubuntu_coc_signer"], false);
    assert_eq!(team["account_status"], "Unactivated");
    assert_eq!(team["team_owner_link"], format!("{}/devel/~alice", running.root));
    assert!(team["resource_type_link"].as_str().unwrap().ends_with("#team"));
}

#[tokio::test]
async fn date_omits_zero_fraction() {
    let running = start().await;
    running.control("PATCH", "people/alice", json!({ "date_created": "2010-04-29T08:59:51Z" })).await;
    assert_eq!(running.json("/1.0/~alice").await["date_created"], "2010-04-29T08:59:51+00:00");
    let [oda, otto] = [running.json("/1.0/~oda").await, running.json("/1.0/~otto").await];
    assert_eq!(oda["date_created"], "2005-06-15T06:00:00.123456+00:00");
    assert_eq!(oda["date_created"], otto["date_created"]);
}

#[tokio::test]
async fn address_link_is_null_without_address() {
    let nora = start().await.json("/devel/~nora").await;
    assert_eq!((&nora["preferred_email_address_link"], &nora["is_valid"]), (&Value::Null, &json!(false)));
    assert_eq!(nora["account_status"], "Active");
}

#[tokio::test]
async fn description_has_requested_size() {
    let running = start().await;
    running.control("PATCH", "people/alice", json!({ "description_size": 5_000_000 })).await;
    assert_eq!(running.json("/1.0/~alice").await["description"].as_str().unwrap().len(), 5_000_000);
}

#[tokio::test]
async fn unchanged_entry_gets_304() {
    let running = start().await;
    let etag = running.get("/1.0/~alice").await.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(running.json("/1.0/~alice").await["http_etag"], etag);
    let status = async |etag: &str| {
        let request = running.request("GET", "/1.0/~alice").header("if-none-match", etag);
        request.send().await.unwrap().status()
    };
    assert_eq!(status(&etag).await, 304);
    assert_eq!(status(&format!("{}-gzip\"", etag.trim_end_matches('"'))).await, 304);
    running.control("PATCH", "people/alice", json!({ "karma": 319 })).await;
    assert_eq!(status(&etag).await, 200);
}

#[tokio::test]
async fn response_is_compressed_on_request() {
    let running = start().await;
    let plain = running.get("/1.0/~alice").await;
    let request = running.request("GET", "/1.0/~alice").header("accept-encoding", "gzip");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let etag = plain.headers()["etag"].to_str().unwrap().trim_end_matches('"').to_owned();
    assert_eq!(response.headers()["etag"], format!("{etag}-gzip\""));
    let compressed = response.bytes().await.unwrap();
    let plain = plain.bytes().await.unwrap();
    assert!(compressed.starts_with(&[0x1F, 0x8B]) && compressed.len() < plain.len() / 2);
}
