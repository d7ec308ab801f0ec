//! launchpad.md, section 6: errors.

use reqwest::Response;
use serde_json::{Value, json};

use crate::testing::start;

/// Status, content type, presence of an OOPS, and `Retry-After` of a response.
fn head(response: &Response) -> (u16, &str, bool, Option<&str>) {
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap());
    let kind = header("content-type").unwrap_or_default().split(';').next().unwrap();
    (response.status().as_u16(), kind, header("x-lazr-oopsid").is_some(), header("retry-after"))
}

/// Checks status, headers and body of a response; `…` in the example stands for any text.
async fn assert_matches_example(response: Response, example: &str) {
    let (head, body) = example.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    assert_eq!(response.status().as_str(), status);
    for (name, value) in lines.map(|line| line.split_once(": ").unwrap()) {
        assert_eq!(response.headers()[name], value, "{name}");
    }
    let text = response.text().await.unwrap();
    for part in body.trim_end().split('…') {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[tokio::test]
async fn errors_match_documented_examples() {
    let running = start().await;
    running.control("PATCH", "people/alice", json!({ "name": "alice2" })).await;
    let missing = running.get("/1.0/~alice").await;
    assert_matches_example(missing, include_str!("../../../tests-data/not-found.http")).await;
    let too_large = running.get("/1.0/~ubuntumembers/participants?ws.size=301").await;
    assert_matches_example(too_large, include_str!("../../../tests-data/too-large.http")).await;
    running.control("PUT", "faults/ubuntumembers", json!({ "kind": "timeout" })).await;
    let timeout = running.get("/1.0/~ubuntumembers").await;
    assert_matches_example(timeout, include_str!("../../../tests-data/timeout.http")).await;
}

#[rstest::rstest]
#[case("oops", json!({}), (500, "text/plain", true, None))]
#[case("timeout", json!({}), (503, "text/html", true, Some("900")))]
#[case("database-away", json!({}), (503, "text/html", true, None))]
#[case("front-end", json!({ "status": 403 }), (403, "text/html", false, None))]
#[case("front-end", json!({ "status": 500 }), (500, "text/html", false, None))]
#[case("front-end", json!({ "status": 502 }), (502, "text/html", false, None))]
#[case("front-end", json!({ "status": 503 }), (503, "text/html", false, None))]
#[case("front-end", json!({ "status": 504 }), (504, "text/html", false, None))]
#[case("not-found", json!({}), (404, "text/plain", false, None))]
#[case("gone", json!({}), (410, "text/html", false, None))]
#[tokio::test]
async fn fault_has_documented_headers(
    #[case] kind: &str,
    #[case] mut fault: Value,
    #[case] expected: (u16, &str, bool, Option<&str>),
) {
    let running = start().await;
    (fault["kind"], fault["skip"], fault["count"]) = (json!(kind), json!(1), json!(1));
    for key in ["alice", "*"] {
        running.control("PUT", &format!("faults/{key}"), fault.clone()).await;
        assert_eq!(running.get("/1.0/~alice").await.status(), 200);
        assert_eq!(head(&running.get("/1.0/~alice").await), expected);
        assert_eq!(running.get("/1.0/~alice").await.status(), 200);
    }
}

#[rstest::rstest]
#[case("/1.0/~no-such-name", 404, "text/plain")]
#[case("/1.0/~no-such-name/participants", 404, "text/plain")]
#[case("/1.0/~nobody-here", 404, "text/plain")]
#[case("/1.0/~frank", 410, "text/html")]
#[case("/1.0/~frank/super_teams", 410, "text/html")]
#[case("/1.0/alice", 404, "text/plain")]
#[case("/2.0/~alice", 404, "")]
#[case("/1.0/~alice/shoes", 404, "text/plain")]
#[case("/1.0/people/+me", 401, "text/plain")]
#[tokio::test]
async fn path_has_expected_error(#[case] path: &str, #[case] status: u16, #[case] kind: &str) {
    assert_eq!(head(&start().await.get(path).await), (status, kind, false, None));
}

#[tokio::test]
async fn upper_case_name_is_redirected() {
    let running = start().await;
    let response = running.get("/1.0/~UbuntuMembers/participants?ws.size=3").await;
    assert_eq!(response.status(), 301);
    assert_eq!(response.headers()["location"], format!("{}/1.0/~ubuntumembers/participants?ws.size=3", running.root));
}
