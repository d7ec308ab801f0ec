//! launchpad.md, section 4: the person of an identifier.

use serde_json::{Value, json};

use crate::testing::{Running, start};

async fn find(running: &Running, identifier: &str) -> reqwest::Response {
    running.get(&format!("/devel/people?ws.op=getByOpenIDIdentifier&identifier={identifier}")).await
}

async fn word(running: &Running) -> String {
    running.json("/control/people/grace").await["word"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn identifier_leads_to_its_person() {
    let running = start().await;
    let word = word(&running).await;
    for root in [running.root.as_str(), "https://login.launchpad.net"] {
        let answer = find(&running, &format!("{root}/%2Bid/{word}")).await;
        assert!(!answer.headers().contains_key("etag") && answer.headers()["content-type"] == "application/json");
        let mut found: Value = answer.json().await.unwrap();
        assert_eq!(found.clone(), running.json("/devel/~grace").await);
        assert!(found["http_etag"].take().is_string());
    }
}

#[rstest::rstest]
#[case::another_root("https://login.ubuntu.com/%2Bid/WORD")]
#[case::no_slash("https://login.launchpad.net%2Bid/WORD")]
#[case::other_scheme("http://login.launchpad.net/%2Bid/WORD")]
#[case::bare_plus("https://login.launchpad.net/+id/WORD")]
#[case::more_behind("https://login.launchpad.net/%2Bid/WORD/")]
#[case::fragment("https://login.launchpad.net/%2Bid/WORD%23a")]
#[case::unknown("https://login.launchpad.net/%2Bid/xxxxxxx")]
#[case::word_alone("WORD")]
#[case::nothing("")]
#[tokio::test]
async fn identifier_is_null_unless_exact(#[case] identifier: &str) {
    let running = start().await;
    let answer = find(&running, &identifier.replace("WORD", &word(&running).await)).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    let expected = include_str!("../../../tests-data/null.http");
    assert_eq!(answer.text().await.unwrap(), expected.split("\n\n").nth(1).unwrap().trim_end());
}

#[tokio::test]
async fn identifier_is_case_sensitive() {
    let running = start().await;
    let word = word(&running).await;
    let other = if word.to_lowercase() == word { word.to_uppercase() } else { word.to_lowercase() };
    let answer = find(&running, &format!("https://login.launchpad.net/%2Bid/{other}")).await;
    assert_eq!(answer.text().await.unwrap(), "null");
}

#[tokio::test]
async fn roots_are_those_that_are_set() {
    let running = start().await;
    let word = word(&running).await;
    running.control("PUT", "roots", json!(["https://login.launchpad.net/"])).await;
    let own = find(&running, &format!("{}/%2Bid/{word}", running.root)).await;
    assert_eq!(own.text().await.unwrap(), "null");
    let other = find(&running, &format!("https://login.launchpad.net/%2Bid/{word}")).await;
    assert_eq!(other.json::<Value>().await.unwrap()["name"], "grace");
}

#[rstest::rstest]
#[case("/1.0/people?ws.op=getByOpenIDIdentifier&identifier=x", "No such operation: getByOpenIDIdentifier")]
#[case("/devel/people?ws.op=getByOpenIDIdentifier", "identifier: Required input is missing.")]
#[case("/devel/people?ws.op=shout", "No such operation: shout")]
#[tokio::test]
async fn operation_is_refused_in_one_line(#[case] path: &str, #[case] line: &str) {
    let answer = start().await.get(path).await;
    assert_eq!(answer.status(), 400);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert_eq!(answer.text().await.unwrap(), line);
}
