//! The teams of a person.

use std::collections::BTreeSet;

use membermail_core::eligibility::{Account, Group};
use membermail_core::member::{Fingerprint, LaunchpadName};
use rstest::rstest;
use wiremock::matchers::query_param_is_missing;

use super::*;

const MALFORMED: Error = Error::Malformed { what: "the teams of a person" };

async fn groups(server: &MockServer) -> Result<BTreeSet<Group>, Error> {
    let person = Person {
        name: LaunchpadName::parse("alice").unwrap(),
        fingerprint: Fingerprint(1),
        account: Account::Active,
        signed_code_of_conduct: true,
    };
    client(server).groups(&person).await
}

fn names(groups: &BTreeSet<Group>) -> Vec<&str> {
    groups.iter().map(|group| group.name.as_str()).collect()
}

fn group(name: &str) -> Value {
    let mut group = alice();
    group["name"] = json!(name);
    group["is_team"] = json!(true);
    group["date_created"] = json!("1970-01-01T00:00:01+00:00");
    group
}

#[tokio::test]
async fn groups_take_one_request() {
    let server = MockServer::start().await;
    let page = page(&server, 0, 300, 3, vec![group("b-team"), group("a-team")]);
    groups_request().respond_with(json_answer(&page)).mount(&server).await;
    let groups = groups(&server).await.unwrap();
    assert_eq!(names(&groups), ["a-team", "b-team"]);
    assert!(groups.iter().all(|group| group.fingerprint == Fingerprint(1_000_000)));
    assert_eq!(requests(&server).await, ["/devel/~alice/super_teams?ws.size=300"]);
}

#[tokio::test]
async fn groups_are_read_from_all_pages() {
    let server = MockServer::start().await;
    let first = page(&server, 0, 300, 301, vec![group("a-team")]);
    let second = page(&server, 300, 300, 301, vec![group("b-team")]);
    groups_request().and(query_param_is_missing("ws.start")).respond_with(json_answer(&first)).mount(&server).await;
    groups_request().and(query_param("ws.start", "300")).respond_with(json_answer(&second)).mount(&server).await;
    assert_eq!(names(&groups(&server).await.unwrap()), ["a-team", "b-team"]);
}

#[tokio::test]
async fn groups_are_empty_without_teams() {
    let server = MockServer::start().await;
    groups_request().respond_with(json_answer(&page(&server, 0, 300, 0, vec![]))).mount(&server).await;
    assert!(groups(&server).await.unwrap().is_empty());
}

/// No community file can name such a team.
#[tokio::test]
async fn group_is_skipped_with_unusable_name() {
    let server = MockServer::start().await;
    let page = page(&server, 0, 300, 2, vec![group("x"), group("a-team")]);
    groups_request().respond_with(json_answer(&page)).mount(&server).await;
    assert_eq!(names(&groups(&server).await.unwrap()), ["a-team"]);
}

/// A skipped team would read like "not in the team".
#[rstest]
#[tokio::test]
async fn group_is_malformed_without_field(
    #[values("name", "date_created")] field: &str,
    #[values(None, Some(json!(null)), Some(json!(REDACTED)), Some(json!(1)))] value: Option<Value>,
) {
    let server = MockServer::start().await;
    let mut broken = group("b-team");
    match value {
        Some(value) => broken[field] = value,
        None => drop(broken.as_object_mut().unwrap().remove(field)),
    }
    let page = page(&server, 0, 300, 2, vec![group("a-team"), broken]);
    groups_request().respond_with(json_answer(&page)).mount(&server).await;
    assert!(matches!(groups(&server).await, Err(Error::Malformed { .. })));
}

#[rstest]
#[case::no_entries(json!({ "start": 0, "total_size": 0 }))]
#[case::no_total(json!({ "start": 0, "entries": [] }))]
#[case::null(json!(null))]
#[tokio::test]
async fn groups_are_malformed_without_list(#[case] body: Value) {
    let server = MockServer::start().await;
    groups_request().respond_with(json_answer(&body)).mount(&server).await;
    assert_eq!(groups(&server).await, Err(MALFORMED));
}

/// A rename or a suspension came between the two requests: the next look-up by identity sees it.
#[rstest]
#[tokio::test]
async fn groups_fail_at_once_when_absent(#[values(404, 410)] code: u16) {
    let server = MockServer::start().await;
    groups_request().respond_with(ResponseTemplate::new(code)).mount(&server).await;
    let error = groups(&server).await.unwrap_err();
    assert_eq!(error, Error::Status { code, oops: None });
    assert!(error.is_retryable());
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn endless_groups_are_refused() {
    let server = MockServer::start().await;
    let answer = |request: &Request| {
        let start = number(request, "ws.start");
        let link = format!("{}/x?ws.start={}", origin(request), start + 300);
        json_answer(&json!({
            "start": start, "total_size": 1_000_000, "next_collection_link": link, "entries": [group("a-team")],
        }))
    };
    groups_request().respond_with(answer).mount(&server).await;
    assert_eq!(groups(&server).await, Err(Error::TooManyPages));
    assert_eq!(requests(&server).await.len(), 20);
}
