//! launchpad.md, section 4: look-up by OpenID identifier.

use serde_json::{Value, json};

use crate::testing::{Running, start};

async fn find(running: &Running, claimed_id: &str) -> reqwest::Response {
    running.get(&format!("/devel/people?ws.op=getByOpenIDIdentifier&identifier={claimed_id}")).await
}

#[tokio::test]
async fn identifier_leads_to_its_person() {
    let running = start().await;
    let identifier = running.identifier_of("grace").await;
    for root in [running.root.as_str(), "https://login.launchpad.net"] {
        let response = find(&running, &format!("{root}/%2Bid/{identifier}")).await;
        assert!(!response.headers().contains_key("etag") && response.headers()["content-type"] == "application/json");
        let mut found: Value = response.json().await.unwrap();
        assert_eq!(found.clone(), running.json("/devel/~grace").await);
        assert!(found["http_etag"].take().is_string());
    }
}

#[rstest::rstest]
#[case::another_root("https://login.ubuntu.com/%2Bid/IDENTIFIER")]
#[case::no_slash("https://login.launchpad.net%2Bid/IDENTIFIER")]
#[case::other_scheme("http://login.launchpad.net/%2Bid/IDENTIFIER")]
#[case::unescaped_plus("https://login.launchpad.net/+id/IDENTIFIER")]
#[case::trailing_slash("https://login.launchpad.net/%2Bid/IDENTIFIER/")]
#[case::fragment("https://login.launchpad.net/%2Bid/IDENTIFIER%23a")]
#[case::unknown("https://login.launchpad.net/%2Bid/xxxxxxx")]
#[case::identifier_alone("IDENTIFIER")]
#[case::empty("")]
#[tokio::test]
async fn inexact_identifier_gets_null(#[case] claimed_id: &str) {
    let running = start().await;
    let response = find(&running, &claimed_id.replace("IDENTIFIER", &running.identifier_of("grace").await)).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    let expected = include_str!("../../../tests-data/null.http");
    assert_eq!(response.text().await.unwrap(), expected.split("\n\n").nth(1).unwrap().trim_end());
}

#[tokio::test]
async fn identifier_is_case_sensitive() {
    let running = start().await;
    let identifier = running.identifier_of("grace").await;
    let other =
        if identifier.to_lowercase() == identifier { identifier.to_uppercase() } else { identifier.to_lowercase() };
    let response = find(&running, &format!("https://login.launchpad.net/%2Bid/{other}")).await;
    assert_eq!(response.text().await.unwrap(), "null");
}

#[tokio::test]
async fn only_configured_roots_are_accepted() {
    let running = start().await;
    let identifier = running.identifier_of("grace").await;
    running.control("PUT", "roots", json!(["https://login.launchpad.net/"])).await;
    let own = find(&running, &format!("{}/%2Bid/{identifier}", running.root)).await;
    assert_eq!(own.text().await.unwrap(), "null");
    let other = find(&running, &format!("https://login.launchpad.net/%2Bid/{identifier}")).await;
    assert_eq!(other.json::<Value>().await.unwrap()["name"], "grace");
}

#[rstest::rstest]
#[case("/1.0/people?ws.op=getByOpenIDIdentifier&identifier=x", "No such operation: getByOpenIDIdentifier")]
#[case("/devel/people?ws.op=getByOpenIDIdentifier", "identifier: Required input is missing.")]
#[case("/devel/people?ws.op=shout", "No such operation: shout")]
#[tokio::test]
async fn invalid_operation_gets_400(#[case] path: &str, #[case] line: &str) {
    let response = start().await.get(path).await;
    assert_eq!(response.status(), 400);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert_eq!(response.text().await.unwrap(), line);
}
