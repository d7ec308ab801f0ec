//! The teams of a person.

use std::collections::BTreeSet;

use membermail_core::eligibility::{Account, Group};
use membermail_core::member::{Fingerprint, PersonName};
use rstest::rstest;
use wiremock::matchers::query_param_is_missing;

use super::*;

const MALFORMED: Error = Error::Malformed { what: "the teams of a person" };

async fn groups(server: &MockServer) -> Result<BTreeSet<Group>, Error> {
    let person = Person {
        name: PersonName::parse("alice").unwrap(),
        fingerprint: Fingerprint(1),
        account: Account::Active,
        signed_code_of_conduct: true,
    };
    client(server).groups(&person).await
}

fn names(groups: &BTreeSet<Group>) -> Vec<&str> {
    groups.iter().map(|group| group.name.as_str()).collect()
}

fn group_named(name: &str) -> Value {
    let group = changed(alice_with("name", json!(name)), "is_team", json!(true));
    changed(group, "date_created", json!("1970-01-01T00:00:01+00:00"))
}

#[tokio::test]
async fn groups_take_one_request() {
    let list = whole_list(3, vec![group_named("b-team"), group_named("a-team")]);
    let server = serve(groups_request(), json_response(&list)).await;
    let groups = groups(&server).await.unwrap();
    assert_eq!(names(&groups), ["a-team", "b-team"]);
    assert!(groups.iter().all(|group| group.fingerprint == Fingerprint(1_000_000)));
    assert_eq!(requests(&server).await, ["/devel/~alice/super_teams?ws.size=300"]);
}

#[tokio::test]
async fn groups_are_read_from_all_pages() {
    let server = MockServer::start().await;
    let first = page(&server, 0, 300, 301, vec![group_named("a-team")]);
    let second = page(&server, 300, 300, 301, vec![group_named("b-team")]);
    groups_request().and(query_param_is_missing("ws.start")).respond_with(json_response(&first)).mount(&server).await;
    groups_request().and(query_param("ws.start", "300")).respond_with(json_response(&second)).mount(&server).await;
    assert_eq!(names(&groups(&server).await.unwrap()), ["a-team", "b-team"]);
}

#[tokio::test]
async fn groups_are_empty_without_teams() {
    let server = serve(groups_request(), json_response(&whole_list(0, vec![]))).await;
    assert!(groups(&server).await.unwrap().is_empty());
}

/// No community file can name such a team.
#[tokio::test]
async fn group_is_skipped_with_unusable_name() {
    let list = whole_list(2, vec![group_named("an umlaut: ö"), group_named("a-team")]);
    let server = serve(groups_request(), json_response(&list)).await;
    assert_eq!(names(&groups(&server).await.unwrap()), ["a-team"]);
}

/// A skipped team would read like "not in the team".
#[rstest]
#[tokio::test]
async fn group_is_malformed_without_field(
    #[values("name", "date_created")] field: &str,
    #[values(None, Some(json!(null)), Some(json!(REDACTED)), Some(json!(1)))] value: Option<Value>,
) {
    let list = whole_list(2, vec![group_named("a-team"), changed(group_named("b-team"), field, value)]);
    let server = serve(groups_request(), json_response(&list)).await;
    assert!(matches!(groups(&server).await, Err(Error::Malformed { .. })));
}

#[rstest]
#[case::no_entries(json!({ "start": 0, "total_size": 0 }))]
#[case::no_total(json!({ "start": 0, "entries": [] }))]
#[case::null(json!(null))]
#[tokio::test]
async fn groups_are_malformed_without_list(#[case] body: Value) {
    let server = serve(groups_request(), json_response(&body)).await;
    assert_eq!(groups(&server).await, Err(MALFORMED));
}

/// A rename or a suspension came between the two requests: the next lookup by identity sees it.
#[rstest]
#[tokio::test]
async fn groups_fail_at_once_when_absent(#[values(404, 410)] code: u16) {
    let server = serve(groups_request(), ResponseTemplate::new(code)).await;
    let error = groups(&server).await.unwrap_err();
    assert_eq!(error, Error::Status { code, oops: None });
    assert!(error.is_retryable());
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn endless_groups_are_refused() {
    let server = serve(groups_request(), |request: &Request| {
        let start = number(request, "ws.start");
        let link = format!("{}/x?ws.start={}", origin(request), start + 300);
        json_response(&json!({
            "start": start, "total_size": 1_000_000, "next_collection_link": link, "entries": [group_named("a-team")],
        }))
    })
    .await;
    assert_eq!(groups(&server).await, Err(Error::TooManyPages));
    assert_eq!(requests(&server).await.len(), 20);
}
