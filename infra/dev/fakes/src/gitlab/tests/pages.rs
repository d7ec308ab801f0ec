//! Pages and their faults.

use serde_json::{Value, json};

use super::{ALL, answer, entries, entry, get, header};
use crate::community::Seed;
use crate::testing::{start, start_with};
use membermail_core::clock::{Clock, SystemClock};

#[tokio::test]
async fn page_has_headers_of_gitlab() {
    let running = start().await;
    let total = running.json("/control/gitlab/groups/42").await["all"].as_u64().unwrap();
    let response = get(&running, &format!("{ALL}?per_page=100&page=2")).await;
    let header = |name| header(&response, name).unwrap_or_default();
    assert_eq!(["x-page", "x-per-page", "x-prev-page", "x-next-page"].map(header), ["2", "100", "1", "3"]);
    assert_eq!(header("x-total"), total.to_string());
    assert_eq!(header("x-total-pages"), "3");
    let link = |relation: &str, page: u8| {
        format!("<{}/api/v4/{ALL}?id=42&page={page}&per_page=100>; rel=\"{relation}\"", running.root)
    };
    let links = [link("prev", 1), link("next", 3), link("first", 1), link("last", 3)];
    assert_eq!(header("link"), links.join(", "));
    assert_eq!(response.json::<Vec<Value>>().await.unwrap().len(), 100);
}

#[rstest::rstest]
#[case::default("", 20)]
#[case::maximum("?per_page=1000", 100)]
#[case::after_last("?page=1000", 0)]
#[tokio::test]
async fn page_has_size(#[case] query: &str, #[case] size: usize) {
    let entries = super::json(&start().await, &format!("{ALL}{query}")).await;
    assert_eq!(entries.as_array().unwrap().len(), size);
}

#[rstest::rstest]
#[case("page=0")]
#[case("per_page=-1")]
#[case("page=x")]
#[tokio::test]
async fn invalid_page_is_refused(#[case] query: &str) {
    assert_eq!(answer(&start().await, &format!("{ALL}?{query}")).await.0, 400);
}

#[tokio::test]
async fn large_list_has_no_total() {
    let seed = Seed { people: 0, all_in: None, gitlab_members: 10_001, now: SystemClock.now() };
    let running = start_with(seed, "").await;
    let response = get(&running, &format!("{ALL}?per_page=100&page=2")).await;
    assert_eq!((header(&response, "x-total"), header(&response, "x-total-pages")), (None, None));
    assert_eq!(header(&response, "x-next-page").as_deref(), Some("3"));
    assert!(!header(&response, "link").unwrap().contains("last"));
    assert!(entries(&running, ALL).await.len() > 10_000);
}

#[tokio::test]
async fn list_shifts_between_pages() {
    let running = start().await;
    let before = entries(&running, ALL).await;
    let skipped = before[100]["username"].as_str().unwrap();
    let shift = json!({
        "group": "community/members", "after_page": 1, "changes": { "alice": { "leave": ["community/members"] } },
    });
    running.control("POST", "gitlab/page-shifts", shift).await;
    let during = entries(&running, ALL).await;
    assert!(entry(&during, "alice").is_some() && entry(&during, skipped).is_none());
    assert!(entry(&entries(&running, ALL).await, skipped).is_some());
}

#[rstest::rstest]
#[case::no_total(json!({ "kind": "no-total" }), None, Some("2"))]
#[case::wrong_total(json!({ "kind": "wrong-total" }), Some(1), Some("2"))]
#[case::changing_total(json!({ "kind": "changing-total" }), Some(1), Some("2"))]
#[case::repeated_link(json!({ "kind": "repeated-link" }), Some(0), Some("1"))]
#[tokio::test]
async fn fault_alters_headers(#[case] fault: Value, #[case] more: Option<u64>, #[case] next: Option<&str>) {
    let running = start().await;
    let total = running.json("/control/gitlab/groups/42").await["all"].as_u64().unwrap();
    running.control("PUT", "gitlab/faults/42", fault).await;
    let response = get(&running, ALL).await;
    assert_eq!(header(&response, "x-total"), more.map(|more| (total + more).to_string()));
    assert_eq!(header(&response, "x-next-page").as_deref(), next);
}

#[rstest::rstest]
#[case(json!({ "kind": "status", "status": 429, "retry_after": 7 }), 429)]
#[case(json!({ "kind": "front-end", "status": 502 }), 502)]
#[case(json!({ "kind": "redirect" }), 307)]
#[tokio::test]
async fn fault_replaces_response_once(#[case] mut fault: Value, #[case] status: u16) {
    let running = start().await;
    fault["count"] = json!(1);
    running.control("PUT", "gitlab/faults/*", fault).await;
    assert_eq!(get(&running, ALL).await.status(), status);
    assert_eq!(get(&running, ALL).await.status(), 200);
}

#[tokio::test]
async fn fault_alters_entries() {
    let running = start().await;
    running.control("PUT", "gitlab/faults/42", json!({ "kind": "missing-field", "field": "access_level" })).await;
    assert!(super::json(&running, ALL).await[0].get("access_level").is_none());
    running.control("PUT", "gitlab/faults/42", json!({ "kind": "short-page", "missing": 3 })).await;
    assert_eq!(super::json(&running, ALL).await.as_array().unwrap().len(), 17);
    running.control("PUT", "gitlab/faults/42", json!({ "kind": "empty-group" })).await;
    assert_eq!(super::json(&running, ALL).await, json!([]));
    running.control("PUT", "gitlab/faults/42", json!({ "kind": "cut-short" })).await;
    assert!(get(&running, ALL).await.text().await.is_err());
}
