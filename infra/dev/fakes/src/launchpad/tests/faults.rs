//! Faults, bulk changes, and request counts.

use serde_json::{Value, json};

use super::{TEAM, all_names};
use crate::testing::start;

#[rstest::rstest]
#[case::repeated_link(json!({ "kind": "repeated-link" }), |page: &Value| page["next_collection_link"].as_str().unwrap().ends_with("ws.start=0"))]
#[case::foreign_link(json!({ "kind": "foreign-link" }), |page: &Value| page["next_collection_link"].as_str().unwrap().contains("evil"))]
#[case::wrong_total(json!({ "kind": "wrong-total" }), |page: &Value| page["total_size"].as_u64() > Some(1_000))]
#[case::empty_team(json!({ "kind": "empty-team" }), |page: &Value| page["total_size"] == 0 && page["entries"] == json!([]))]
#[case::short_page(json!({ "kind": "short-page", "missing": 4 }), |page: &Value| page["entries"].as_array().unwrap().len() == 16)]
#[case::missing_flag(json!({ "kind": "missing-flag" }), |page: &Value| page["entries"][3].get("is_valid").is_none())]
#[tokio::test]
async fn fault_affects_only_its_page(#[case] mut fault: Value, #[case] is_faulty: fn(&Value) -> bool) {
    let running = start().await;
    (fault["skip"], fault["count"]) = (json!(1), json!(1));
    running.control("PUT", "faults/ubuntumembers", fault).await;
    let paths = [0, 20, 40].map(|start| format!("{TEAM}?ws.size=20&ws.start={start}"));
    let mut seen = Vec::new();
    for path in paths {
        seen.push(is_faulty(&running.json(&path).await));
    }
    assert_eq!(seen, [false, true, false]);
}

#[tokio::test]
async fn total_changes_between_pages() {
    let running = start().await;
    running.control("PUT", "faults/ubuntumembers", json!({ "kind": "changing-total" })).await;
    let first = running.json(TEAM).await;
    let second = running.follow(&first["next_collection_link"]).await;
    assert_ne!(first["total_size"], second["total_size"]);
}

#[tokio::test]
async fn faults_replace_responses_until_reset() {
    let running = start().await;
    running.control("PUT", "faults/*", json!({ "kind": "status", "status": 503, "retry_after": 9, "count": 1 })).await;
    let failed = running.get(TEAM).await;
    assert_eq!((failed.status().as_u16(), &failed.headers()["retry-after"]), (503, &"9".parse().unwrap()));
    assert!(failed.headers().contains_key("x-lazr-oopsid"));
    assert_eq!(running.get(TEAM).await.status(), 200);
    running.control("PUT", "faults/alice", json!({ "kind": "cut-short" })).await;
    assert!(running.get("/1.0/~alice").await.text().await.is_err());
    running.control("PUT", "faults/alice", json!({ "kind": "down" })).await;
    assert!(running.request("GET", "/1.0/~alice").send().await.is_err());
    running.control("PUT", "faults/alice", json!({ "kind": "redirect" })).await;
    assert_eq!(running.get("/1.0/~alice").await.status(), 307);
    running.control("POST", "reset", json!(null)).await;
    assert_eq!(running.get("/1.0/~alice").await.status(), 200);
}

#[tokio::test]
async fn bulk_change_reports_failures() {
    let running = start().await;
    let before = running.json("/control/teams/ubuntumembers").await["participants"].as_u64().unwrap();
    running.json(TEAM).await;
    let changes = json!({
        "pat01": { "leave": ["ubuntumembers"] }, "pat02": { "expire": ["ubuntumembers"] },
        "pat03": { "name": "patricia" }, "carol": { "join": ["ubuntumembers"] }, "pat04": { "suspended": true },
    });
    let result: Value = running.control("PATCH", "people", changes).await.json().await.unwrap();
    assert_eq!(result, json!({ "changed": 5, "failed": {} }));
    let names = all_names(&running, TEAM).await.0;
    assert_eq!(names.len() as u64, before - 1);
    for (name, is_listed) in [("pat01", false), ("pat02", false), ("pat03", false), ("patricia", true), ("carol", true)]
    {
        assert_eq!(names.iter().any(|listed| listed == name), is_listed, "{name}");
    }
    assert_eq!(running.get("/1.0/~pat04").await.status(), 410);
    let changes = json!({ "pat05": { "name": "alice" }, "pat06": { "signed": false } });
    let response = running.request("PATCH", "/control/people").json(&changes).send().await.unwrap();
    assert_eq!(response.status(), 409);
    let result: Value = response.json().await.unwrap();
    assert_eq!(result, json!({ "changed": 1, "failed": { "pat05": "this name or identifier is already used" } }));
    running.control("POST", "people", json!({ "name": "newcomer", "teams": ["ubuntumembers"] })).await;
    running.control("DELETE", "people/pat07", json!(null)).await;
    let names = all_names(&running, TEAM).await.0;
    assert!(names.contains(&"newcomer".to_owned()) && !names.contains(&"pat07".to_owned()));
}

#[tokio::test]
async fn requests_are_counted_by_kind() {
    let running = start().await;
    running.control("PUT", "faults/alice", json!({ "kind": "slow", "millis": 300 })).await;
    tokio::join!(running.json("/1.0/~alice"), running.json("/1.0/~alice"), running.json("/1.0/~alice"));
    running.json(TEAM).await;
    let counts = running.json("/control/counts").await;
    assert_eq!(counts["launchpad"], 4);
    assert_eq!(counts["launchpad_kinds"], json!({ "entry": 3, "participants": 1 }));
    assert_eq!((&counts["launchpad_max_in_flight"], &counts["launchpad_in_flight"]), (&json!(3), &json!(0)));
    running.control("DELETE", "counts", json!(null)).await;
    assert_eq!(running.json("/control/counts").await["launchpad"], 0);
}

#[tokio::test]
async fn malformed_entry_is_the_middle_one() {
    let running = start().await;
    running.control("PUT", "faults/ubuntumembers", json!({ "kind": "malformed-entry", "count": 1 })).await;
    let page = running.json(&format!("{TEAM}?ws.size=5")).await;
    let entries = page["entries"].as_array().unwrap();
    let malformed: Vec<_> = entries.iter().map(|entry| entry["name"].is_number()).collect();
    assert_eq!(malformed, [false, false, true, false, false]);
}

/// launchpad.md, 1: any visible value can be the redacted text.
#[tokio::test]
async fn field_is_redacted_once() {
    let running = start().await;
    let fault = json!({ "kind": "redacted", "field": "is_valid", "count": 1 });
    running.control("PUT", "faults/alice", fault).await;
    assert_eq!(running.json("/1.0/~alice").await["is_valid"], "tag:launchpad.net:2008:redacted");
    assert_eq!(running.json("/1.0/~alice").await["is_valid"], true);
}
