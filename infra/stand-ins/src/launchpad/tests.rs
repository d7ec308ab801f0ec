//! The web service, asked over HTTP.

use std::collections::BTreeSet;

use membermail_core::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::community::Seed;
use crate::testing::{Running, start, start_with};

const TEAM: &str = "/1.0/~ubuntumembers/participants";

/// Names of the entries of all pages from here on, and how many pages there were.
async fn all_names(running: &Running, path: &str) -> (Vec<String>, usize) {
    let (mut page, mut pages, mut names) = (running.json(path).await, 1, Vec::new());
    loop {
        let entries = page["entries"].as_array().unwrap();
        names.extend(entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()));
        if page["next_collection_link"].is_null() {
            return (names, pages);
        }
        page = running.follow(&page["next_collection_link"]).await;
        pages += 1;
    }
}

#[rstest::rstest]
#[case("", 50)]
#[case("?ws.size=7", 7)]
#[case("?ws.size=300", 300)]
#[case("?ws.size=5000", 300)]
#[tokio::test]
async fn the_pages_of_a_team_have_everybody_once(#[case] query: &str, #[case] size: usize) {
    let running = start().await;
    let total = running.json("/control/teams/ubuntumembers").await["participants"].as_u64().unwrap();
    let first = running.json(&format!("{TEAM}{query}")).await;
    assert_eq!((&first["start"], &first["total_size"]), (&json!(0), &json!(total)));
    let (names, pages) = all_names(&running, &format!("{TEAM}{query}")).await;
    assert_eq!(names.len(), usize::try_from(total).unwrap());
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert_eq!(pages, names.len().div_ceil(size));
    assert!(names.is_sorted());
}

#[tokio::test]
async fn pages_lead_back_too() {
    let running = start().await;
    let first = running.json(&format!("{TEAM}?ws.size=20")).await;
    let second = running.follow(&first["next_collection_link"]).await;
    let link = second["next_collection_link"].as_str().unwrap();
    assert!(link.contains("ws.size=20") && link.contains("memo=40") && link.contains("ws.start=40"), "{link}");
    assert_eq!(running.follow(&second["prev_collection_link"]).await["entries"], first["entries"]);
}

#[tokio::test]
async fn people_and_teams_have_their_fields() {
    let running = start().await;
    let (alice, team) = (running.json("/1.0/~alice").await, running.json("/1.0/~ubuntumembers").await);
    for (entry, kind) in [(&alice, "person"), (&team, "team")] {
        assert_eq!(entry["is_team"], kind == "team");
        assert_eq!(entry["resource_type_link"], format!("{}/1.0/#{kind}", running.root));
        assert_eq!(
            entry["participants_collection_link"],
            format!("{}/participants", entry["self_link"].as_str().unwrap())
        );
    }
    assert_eq!((&alice["is_valid"], &alice["is_ubuntu_coc_signer"]), (&json!(true), &json!(true)));
    let account = running.json("/1.0/~team-account").await;
    assert_eq!((&account["is_team"], &account["is_valid"]), (&json!(true), &json!(true)));
    let supers = all_names(&running, "/1.0/~bob/super_teams").await.0;
    assert_eq!(supers, ["ubuntu-translators", "ubuntu-translators-core", "ubuntumembers"]);
    let subs = all_names(&running, "/1.0/~ubuntumembers/sub_teams").await.0;
    assert_eq!(subs, ["team-account", "ubuntu-translators", "ubuntu-translators-core"]);
    assert!(alice.get("account_status").is_none());
    assert_eq!(running.json("/devel/~alice").await["account_status"], "Active");
}

#[rstest::rstest]
#[case("/1.0/~nobody-at-all", 404)]
#[case("/1.0/~nobody-here", 404)]
#[case("/1.0/~frank", 410)]
#[case("/1.0/alice", 404)]
#[case("/2.0/~alice", 404)]
#[case("/1.0/~alice/shoes", 404)]
#[case("/1.0/people/+me", 401)]
#[case("/1.0/people?ws.op=getByOpenIDIdentifier&identifier=x", 400)]
#[case("/devel/people?ws.op=shout", 400)]
#[tokio::test]
async fn what_is_not_there_has_its_status(#[case] path: &str, #[case] status: u16) {
    assert_eq!(start().await.get(path).await.status(), status);
}

#[tokio::test]
async fn an_identifier_leads_to_its_person() {
    let running = start().await;
    let find = async |root: &str, word: &str| {
        running.get(&format!("/devel/people?ws.op=getByOpenIDIdentifier&identifier={root}/%2Bid/{word}")).await
    };
    let word =
        async |key: &str| running.json(&format!("/control/people/{key}")).await["word"].as_str().unwrap().to_owned();
    for root in ["https://login.ubuntu.com", "https://login.launchpad.net"] {
        let found: Value = find(root, &word("grace").await).await.json().await.unwrap();
        assert_eq!(found["name"], "grace");
    }
    for unknown in [word("nobody-here").await, "xxxxxxx".to_owned()] {
        assert_eq!(find("https://login.ubuntu.com", &unknown).await.text().await.unwrap(), "null");
    }
    assert_eq!(find("https://login.ubuntu.com", &word("frank").await).await.status(), 410);
}

#[tokio::test]
async fn an_entry_that_did_not_change_is_not_sent_again() {
    let running = start().await;
    let first = running.get("/1.0/~alice").await;
    let etag = first.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(first.json::<Value>().await.unwrap()["http_etag"], etag);
    let again = async || {
        let request = running.request("GET", "/1.0/~alice").header("if-none-match", &etag);
        request.send().await.unwrap().status()
    };
    assert_eq!(again().await, 304);
    running.control("PATCH", "people/alice", json!({ "signed": false })).await;
    assert_eq!(again().await, 200);
}

#[tokio::test]
async fn a_membership_that_ran_out_shows_in_the_details_only() {
    let running = start().await;
    let details = running.json("/1.0/~victor/memberships_details").await;
    let [membership] = details["entries"].as_array().unwrap().as_slice() else { panic!("{details}") };
    assert_eq!(membership["status"], "Expired");
    assert!(membership["date_expires"].as_str().unwrap() > membership["date_joined"].as_str().unwrap());
    assert_eq!(running.follow(&membership["self_link"]).await, *membership);
    assert!(!all_names(&running, TEAM).await.0.contains(&"victor".to_owned()));
    assert_eq!(all_names(&running, "/1.0/~ubuntumembers/expired_members").await.0, ["victor"]);
    let members = running.json("/1.0/~ubuntumembers/members_details?ws.size=1").await;
    assert_eq!(members["entries"][0]["status"], "Approved");
}

#[tokio::test]
async fn a_search_of_devel_links_to_its_total_and_1_0_tells_it() {
    let running = start().await;
    assert_eq!(running.json("/1.0/people?ws.op=find&text=%22member077%22").await["total_size"], 10);
    let path = "people?ws.op=find&text=pat&ws.size=60";
    let (old, new) = (running.json(&format!("/1.0/{path}")).await, running.json(&format!("/devel/{path}")).await);
    assert_eq!(old["total_size"], 99);
    assert!(old.get("total_size_link").is_none() && new.get("total_size").is_none());
    assert_eq!(running.follow(&new["total_size_link"]).await, 99);
    assert_eq!(running.follow(&new["next_collection_link"]).await["total_size"], 99);
}

#[rstest::rstest]
#[case::repeated_link(json!({ "kind": "repeated-link" }), |page: &Value| page["next_collection_link"].as_str().unwrap().ends_with("ws.start=0"))]
#[case::foreign_link(json!({ "kind": "foreign-link" }), |page: &Value| page["next_collection_link"].as_str().unwrap().contains("evil"))]
#[case::wrong_total(json!({ "kind": "wrong-total" }), |page: &Value| page["total_size"].as_u64() > Some(1_000))]
#[case::empty_team(json!({ "kind": "empty-team" }), |page: &Value| page["total_size"] == 0 && page["entries"] == json!([]))]
#[case::short_page(json!({ "kind": "short-page", "missing": 4 }), |page: &Value| page["entries"].as_array().unwrap().len() == 16)]
#[case::missing_flag(json!({ "kind": "missing-flag" }), |page: &Value| page["entries"][3].get("is_valid").is_none())]
#[tokio::test]
async fn a_page_can_lie_in_the_middle_of_a_team(#[case] fault: Value, #[case] lies: fn(&Value) -> bool) {
    let running = start().await;
    let mut fault = fault;
    (fault["skip"], fault["count"]) = (json!(1), json!(1));
    running.control("PUT", "faults/ubuntumembers", fault).await;
    let paths = [0, 20, 40].map(|start| format!("{TEAM}?ws.size=20&ws.start={start}"));
    let mut seen = Vec::new();
    for path in paths {
        seen.push(lies(&running.json(&path).await));
    }
    assert_eq!(seen, [false, true, false]);
}

#[tokio::test]
async fn a_total_can_differ_from_page_to_page() {
    let running = start().await;
    running.control("PUT", "faults/ubuntumembers", json!({ "kind": "changing-total" })).await;
    let first = running.json(TEAM).await;
    let second = running.follow(&first["next_collection_link"]).await;
    assert_ne!(first["total_size"], second["total_size"]);
}

#[tokio::test]
async fn failures_come_with_their_headers_and_can_be_for_all() {
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
async fn many_changes_come_at_once() {
    let running = start().await;
    let before = running.json("/control/teams/ubuntumembers").await["participants"].as_u64().unwrap();
    running.json(TEAM).await;
    let changes = json!({
        "pat01": { "leave": ["ubuntumembers"] }, "pat02": { "expire": ["ubuntumembers"] },
        "pat03": { "name": "patricia" }, "carol": { "join": ["ubuntumembers"] }, "pat04": { "suspended": true },
    });
    let answer: Value = running.control("PATCH", "people", changes).await.json().await.unwrap();
    assert_eq!(answer, json!({ "changed": 5, "failed": {} }));
    let names = all_names(&running, TEAM).await.0;
    assert_eq!(names.len() as u64, before - 1);
    let has = |name: &str| names.iter().any(|one| one == name);
    assert!(!has("pat01") && !has("pat02") && !has("pat03") && has("patricia") && has("carol"));
    assert_eq!(running.get("/1.0/~pat04").await.status(), 410);
    let wrong = json!({ "pat05": { "name": "alice" }, "pat06": { "signed": false } });
    let answer = running.request("PATCH", "/control/people").json(&wrong).send().await.unwrap();
    assert_eq!(answer.status(), 409);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer, json!({ "changed": 1, "failed": { "pat05": "that name is taken" } }));
    running.control("POST", "people", json!({ "name": "newcomer", "teams": ["ubuntumembers"] })).await;
    running.control("DELETE", "people/pat07", json!(null)).await;
    let names = all_names(&running, TEAM).await.0;
    assert!(names.contains(&"newcomer".to_owned()) && !names.contains(&"pat07".to_owned()));
}

#[tokio::test]
async fn requests_are_counted_by_kind_and_at_once() {
    let running = start().await;
    running.control("PUT", "faults/alice", json!({ "kind": "slow", "millis": 300 })).await;
    tokio::join!(running.json("/1.0/~alice"), running.json("/1.0/~alice"), running.json("/1.0/~alice"));
    running.json(TEAM).await;
    let counts = running.json("/control/counts").await;
    assert_eq!(counts["launchpad"], 4);
    assert_eq!(counts["launchpad_kinds"], json!({ "entry": 3, "participants": 1 }));
    assert_eq!((&counts["launchpad_most_in_flight"], &counts["launchpad_in_flight"]), (&json!(3), &json!(0)));
    running.control("DELETE", "counts", json!(null)).await;
    assert_eq!(running.json("/control/counts").await["launchpad"], 0);
}

#[tokio::test]
async fn the_description_is_served_as_of_here() {
    let wadl = r##"<resources base="https://api.launchpad.test/1.0/"><x type="https://api.launchpad.test/1.0/#person"/></resources>"##;
    let running = start_with(Seed { people: 0, all_in: None, now: SystemClock.now() }, wadl).await;
    let ask = async |path| {
        let request = running.request("GET", path).header("accept", "application/vnd.sun.wadl+xml");
        request.send().await.unwrap()
    };
    let root = &running.root;
    let expected = format!(r##"<resources base="{root}/1.0/"><x type="{root}/1.0/#person"/></resources>"##);
    assert_eq!(ask("/1.0/").await.text().await.unwrap(), expected);
    assert_eq!(ask("/devel/").await.status(), 406);
    assert_eq!(running.json("/1.0/").await["people_collection_link"], format!("{root}/1.0/people"));
}
