//! launchpad.md, section 3: the page, the participants and the identifier of an account in each state.

use serde_json::{Value, json};

use super::all_names;
use crate::testing::{Running, start};

async fn by_identifier(running: &Running, word: &str) -> Value {
    let path = "/devel/people?ws.op=getByOpenIDIdentifier&identifier=https%3A%2F%2Flogin.launchpad.net%2F%2Bid%2F";
    running.json(&format!("{path}{word}")).await
}

async fn word_of(running: &Running, key: &str) -> String {
    running.json(&format!("/control/people/{key}")).await["word"].as_str().unwrap().to_owned()
}

/// Each row of the table: the page of the name, whether the person is in the participants, and the identifier's word
/// on the account.
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
async fn account_is_as_its_row(
    #[case] change: Value,
    #[case] page: u16,
    #[case] participant: Option<&str>,
    #[case] identifier: Option<(&str, &str)>,
) {
    let running = start().await;
    let word = word_of(&running, "pat01").await;
    running.control("PATCH", "people/pat01", change).await;
    assert_eq!(running.get("/1.0/~pat01").await.status(), page);
    assert_eq!(running.get("/1.0/~pat01/super_teams").await.status(), page);
    let (names, _) = all_names(&running, "/1.0/~ubuntumembers/participants?ws.size=300").await;
    for name in ["pat01", "patricia", "carol"] {
        assert_eq!(names.iter().any(|one| one == name), participant == Some(name), "{name}");
    }
    let found = by_identifier(&running, &word).await;
    let expected = identifier.map(|(name, status)| json!([name, status, status == "Active"]));
    let seen = found.is_object().then(|| json!([found["name"], found["account_status"], found["is_valid"]]));
    assert_eq!(seen, expected);
}

/// The same, for the people of the seed who show it.
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
async fn seed_shows_each_row(#[case] key: &str, #[case] page: u16, #[case] status: &str) {
    let running = start().await;
    assert_eq!(running.get(&format!("/1.0/~{key}")).await.status(), page);
    let found = by_identifier(&running, &word_of(&running, key).await).await;
    assert_eq!(found["account_status"].as_str().unwrap_or_default(), status);
    assert!(found.is_null() || found["is_valid"] == false);
}

#[tokio::test]
async fn identifiers_of_a_person_agree() {
    let running = start().await;
    let merle = running.json("/control/people/merle").await;
    let [word, other] = [0, 1].map(|index| merle["words"][index].as_str().unwrap().to_owned());
    for word in [word, other, word_of(&running, "mona").await] {
        assert_eq!(by_identifier(&running, &word).await["name"], "merle");
    }
}

#[tokio::test]
async fn suspended_entry_is_complete_in_participants() {
    let running = start().await;
    let page = running.json("/devel/~ubuntumembers/participants?ws.size=300").await;
    let entries = page["entries"].as_array().unwrap();
    let frank = entries.iter().find(|entry| entry["name"] == "frank").unwrap();
    assert_eq!((&frank["is_valid"], &frank["is_ubuntu_coc_signer"]), (&json!(false), &json!(true)));
    assert_eq!(frank["account_status"], "Suspended");
}

#[tokio::test]
async fn team_page_is_404_when_gone() {
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
