//! launchpad.md, section 3: page, participants and identifier of an account in each status.

use serde_json::{Value, json};

use super::all_names;
use crate::testing::{Running, start};

async fn by_identifier(running: &Running, identifier: &str) -> Value {
    let path = "/devel/people?ws.op=getByOpenIDIdentifier&identifier=https%3A%2F%2Flogin.launchpad.net%2F%2Bid%2F";
    running.json(&format!("{path}{identifier}")).await
}

/// Each row of the table: the status of the page, the name among the participants, and the name and account status by
/// identifier.
#[rstest::rstest]
#[case::rename(json!({ "name": "patricia" }), 404, Some("patricia"), Some(("patricia", "Active")))]
#[case::merge(json!({ "event": { "merge-into": "carol" } }), 404, Some("carol"), Some(("carol", "Active")))]
#[case::deactivating(json!({ "event": "begin-deactivation" }), 200, Some("pat01"), Some(("pat01", "Deactivated")))]
#[case::deactivated(json!({ "event": "deactivate" }), 404, None, Some(("pat01-deactivatedaccount", "Deactivated")))]
#[case::by_an_admin(json!({ "event": "deactivate-by-admin" }), 200, Some("pat01"), Some(("pat01", "Deactivated")))]
#[case::invalid(json!({ "is_valid": false }), 200, Some("pat01"), Some(("pat01", "Deactivated")))]
#[case::suspension(json!({ "event": "suspend" }), 410, Some("pat01"), Some(("pat01", "Suspended")))]
#[case::suspended(json!({ "suspended": true }), 410, Some("pat01"), Some(("pat01", "Suspended")))]
#[case::deceased(json!({ "event": "mark-deceased" }), 200, Some("pat01"), Some(("pat01", "Deceased")))]
#[case::closed(json!({ "event": "close" }), 404, None, None)]
#[case::placeholder(json!({ "status": "Placeholder" }), 404, None, Some(("pat01", "Placeholder")))]
#[tokio::test]
async fn account_matches_documented_row(
    #[case] change: Value,
    #[case] page: u16,
    #[case] participant: Option<&str>,
    #[case] resolved: Option<(&str, &str)>,
) {
    let running = start().await;
    let identifier = running.identifier_of("pat01").await;
    running.control("PATCH", "people/pat01", change).await;
    assert_eq!(running.get("/1.0/~pat01").await.status(), page);
    assert_eq!(running.get("/1.0/~pat01/super_teams").await.status(), page);
    let (names, _) = all_names(&running, "/1.0/~ubuntumembers/participants?ws.size=300").await;
    for name in ["pat01", "patricia", "carol"] {
        assert_eq!(names.iter().any(|listed| listed == name), participant == Some(name), "{name}");
    }
    let found = by_identifier(&running, &identifier).await;
    let expected = resolved.map(|(name, status)| json!([name, status, status == "Active"]));
    let seen = found.is_object().then(|| json!([found["name"], found["account_status"], found["is_valid"]]));
    assert_eq!(seen, expected);
}

/// The same rows, for people of the seed.
#[rstest::rstest]
#[case("paula", 404, "Placeholder")]
#[case("dora", 200, "Deactivated")]
#[case("erin", 200, "Deactivated")]
#[case("dean", 200, "Deceased")]
#[case("nora", 200, "Active")]
#[case("frank", 410, "Suspended")]
#[case("doug", 404, "Deactivated")]
#[case("clive", 404, "")]
#[case("nobody-here", 404, "")]
#[tokio::test]
async fn seed_person_matches_documented_row(#[case] key: &str, #[case] page: u16, #[case] status: &str) {
    let running = start().await;
    assert_eq!(running.get(&format!("/1.0/~{key}")).await.status(), page);
    let found = by_identifier(&running, &running.identifier_of(key).await).await;
    assert_eq!(found["account_status"].as_str().unwrap_or_default(), status);
    assert!(found.is_null() || found["is_valid"] == false);
}

#[tokio::test]
async fn all_identifiers_lead_to_person() {
    let running = start().await;
    let merle = running.json("/control/people/merle").await;
    let [first, second] = [0, 1].map(|index| merle["openid_identifiers"][index].as_str().unwrap().to_owned());
    for identifier in [first, second, running.identifier_of("mona").await] {
        assert_eq!(by_identifier(&running, &identifier).await["name"], "merle");
    }
}

#[tokio::test]
async fn participants_include_complete_suspended_entry() {
    let running = start().await;
    let page = running.json("/devel/~ubuntumembers/participants?ws.size=300").await;
    let entries = page["entries"].as_array().unwrap();
    let frank = entries.iter().find(|entry| entry["name"] == "frank").unwrap();
    assert_eq!((&frank["is_valid"], &frank["is_ubuntu_coc_signer"]), (&json!(false), &json!(true)));
    assert_eq!(frank["account_status"], "Suspended");
}

#[tokio::test]
async fn team_is_404_when_renamed() {
    let running = start().await;
    running.control("PATCH", "teams/example-docs", json!({ "name": "example-guides" })).await;
    assert_eq!(running.get("/1.0/~example-docs").await.status(), 404);
    assert_eq!(running.json("/1.0/~example-guides").await["name"], "example-guides");
    for below in ["", "/participants"] {
        assert_eq!(running.get(&format!("/1.0/~core-infrastructure{below}")).await.status(), 404);
    }
    running.control("POST", "people", json!({ "name": "example-docs" })).await;
    assert_eq!(running.json("/1.0/~example-docs").await["is_team"], false);
    running.control("DELETE", "teams/example-guides", json!(null)).await;
    assert_eq!(running.get("/1.0/~example-guides").await.status(), 404);
}
