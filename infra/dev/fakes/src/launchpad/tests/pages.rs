//! launchpad.md, section 5: pages of participants.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{TEAM, all_names, example, names_of};
use crate::testing::{Running, start};

#[rstest::rstest]
#[case("", 75)]
#[case("?ws.size=7", 7)]
#[case("?ws.size=300", 300)]
#[tokio::test]
async fn pages_have_each_entry_once(#[case] query: &str, #[case] size: usize) {
    let running = start().await;
    let total = running.json("/control/teams/ubuntumembers").await["participants"].as_u64().unwrap();
    let first = running.json(&format!("{TEAM}{query}")).await;
    assert_eq!((&first["start"], &first["total_size"]), (&json!(0), &json!(total)));
    let (names, pages) = all_names(&running, &format!("{TEAM}{query}")).await;
    assert_eq!(names.len(), usize::try_from(total).unwrap());
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert_eq!(pages, names.len().div_ceil(size));
}

/// Starts the fakes with the team of the example in launchpad.md.
async fn start_example() -> Running {
    let running = start().await;
    let alice = json!({
        "join": ["example-members"], "display_name": "Alice Adams", "date_created": "2009-03-14T15:09:26.535897Z",
    });
    running.control("PATCH", "people/alice", alice).await;
    let bob = json!({
        "join": ["example-members"], "display_name": "Bob Brown", "date_created": "2011-11-11T11:11:11.111213Z",
        "event": "deactivate-by-admin",
    });
    running.control("PATCH", "people/bob", bob).await;
    running
}

/// Compares all keys and values. Entries of the example have only some of their keys.
fn assert_same_page(page: &Value, example: &Value) {
    let mut page = page.clone();
    let mut example = example.clone();
    let [entries, expected] = [&mut page, &mut example].map(|page| page["entries"].take());
    assert_eq!(page, example);
    let [entries, expected] = [&entries, &expected].map(|entries| entries.as_array().unwrap());
    assert_eq!(entries.len(), expected.len());
    for (entry, expected) in entries.iter().zip(expected) {
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(entry[key], *value, "{key} of {}", entry["name"]);
        }
    }
}

#[tokio::test]
async fn pages_match_documented_examples() {
    let running = start_example().await;
    let first = running.json("/1.0/~example-members/participants?ws.size=4").await;
    assert_same_page(&first, &example(include_str!("../../../tests-data/page-first.json"), &running));
    let last = running.follow(&first["next_collection_link"]).await;
    assert_same_page(&last, &example(include_str!("../../../tests-data/page-last.json"), &running));
    assert_eq!(running.follow(&last["prev_collection_link"]).await["entries"], first["entries"]);
}

#[tokio::test]
async fn page_of_hidden_rows_is_empty() {
    let running = start().await;
    let page = running.json("/1.0/~example-members/participants?ws.size=1").await;
    assert_eq!((&page["entries"], &page["total_size"]), (&json!([]), &json!(3)));
    assert_eq!(all_names(&running, "/1.0/~example-members/participants").await.0, ["example-docs", "zoe"]);
}

#[tokio::test]
async fn previous_link_has_start() {
    let running = start().await;
    let page = running.json(&format!("{TEAM}?ws.size=20&memo=40&ws.start=40")).await;
    let link = page["prev_collection_link"].as_str().unwrap();
    assert!(link.ends_with("?ws.size=20&direction=backwards&memo=40&ws.start=20"), "{link}");
    let alone = running.json(&format!("{TEAM}?ws.start=20&ws.size=20")).await;
    assert_eq!(running.follow(&page["prev_collection_link"]).await, alone);
}

#[tokio::test]
async fn memo_has_precedence_over_start() {
    let running = start().await;
    let page = running.json(&format!("{TEAM}?ws.size=5&memo=5&ws.start=1000")).await;
    assert_eq!(page["start"], 1000);
    assert_eq!(page["entries"], running.json(&format!("{TEAM}?ws.size=5&ws.start=5")).await["entries"]);
    // On the last page the total is `ws.start` plus its rows.
    assert_eq!(running.json(&format!("{TEAM}?ws.start=5000")).await["total_size"], 5000);
}

#[tokio::test]
async fn list_has_no_cache_headers() {
    let response = start().await.get(TEAM).await;
    assert_eq!(response.headers()["vary"], "Accept");
    for name in ["etag", "last-modified", "cache-control"] {
        assert!(!response.headers().contains_key(name), "{name}");
    }
}

/// A person leaves before the cursor and another joins after it: the client misses an entry, though the count matches
/// the total.
#[tokio::test]
async fn page_shift_hides_an_entry() {
    let running = start().await;
    let (all, _) = all_names(&running, TEAM).await;
    let first = &all[0];
    let missed = &all[20];
    let shift = json!({
        "team": "ubuntumembers", "after_page": 1,
        "changes": { first: { "leave": ["ubuntumembers"] }, "carol": {
            "join": ["ubuntumembers"], "display_name": "zzz",
        } },
    });
    running.control("POST", "page-shifts", shift).await;
    let (seen, _) = all_names(&running, &format!("{TEAM}?ws.size=20")).await;
    assert_eq!(seen.len(), all.len());
    assert!(seen.contains(first) && !seen.contains(missed) && seen.contains(&"carol".to_owned()));
    let page = running.json(&format!("{TEAM}?ws.size=20")).await;
    assert!(names_of(&page).contains(missed));
}
