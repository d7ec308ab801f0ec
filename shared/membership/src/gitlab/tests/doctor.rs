//! The checks, against a fake server.

use rstest::rstest;

use super::super::doctor::{Check, CheckPlan, Report, examine};
use super::settings::community;
use super::*;
use crate::doctor::Verdict;

const TOKEN_PATH: &str = "/api/v4/personal_access_tokens/self";

fn token_response(active: bool, scope: &str) -> ResponseTemplate {
    json_response(&json!({ "id": 7, "active": active, "scopes": [scope], "expires_at": "2027-01-01" }))
}

/// A server with both groups of the community, one user, and this response about the token.
async fn serve_all(token: ResponseTemplate) -> MockServer {
    let server = serve(TOKEN_PATH, token).await;
    mount(&server, "/api/v4/users/2147483647", status(404)).await;
    mount(&server, "/api/v4/users/1001", json_response(&user())).await;
    for (path, id) in [("a", 41), ("b", 42)] {
        let full_path = format!("community/{path}");
        mount(&server, &format!("/api/v4/groups/community%2F{path}"), group_response(id, &full_path)).await;
        let members = json_response(&json!([member(1), changed(member(2), "access_level", json!(10))]));
        let members = members.insert_header("x-next-page", "").insert_header("x-total", "2");
        mount(&server, &format!("/api/v4/groups/{id}/members/all"), members).await;
    }
    server
}

async fn report(server: &MockServer, identity: Option<&str>) -> Report {
    let identity = identity.map(|text| Subject::parse(text).unwrap());
    let plan = CheckPlan::new(&community(), identity, Vec::new());
    examine(&client(server), &plan, |_| {}).await.unwrap()
}

fn verdict(report: &Report, check: Check) -> Verdict {
    report.findings.iter().find(|finding| finding.check == check).unwrap().verdict
}

#[tokio::test]
async fn good_server_holds() {
    let server = serve_all(token_response(true, "read_api")).await;
    let report = report(&server, Some("1001")).await;
    assert_eq!(report.broken().count(), 0, "{report}");
    let text = report.to_string();
    assert!(text.contains("group-id = 42  # b.example: community/b"), "{text}");
    assert!(text.contains("group-id = 41  # c.example: community/a") && text.contains("expires on 2027-01-01"));
    assert!(text.contains("total 2: 2 entries on 1 pages, 1 people, 0 malformed"));
    assert!(!text.contains("member1") && !text.to_lowercase().contains("ada"), "{text}");
}

#[rstest]
#[case::refused(status(401), Verdict::Broken)]
#[case::expired(token_response(false, "read_api"), Verdict::Broken)]
#[case::other_scope(token_response(true, "read_user"), Verdict::Broken)]
#[case::wider_scope(token_response(true, "api"), Verdict::Holds)]
#[case::old_server(status(404), Verdict::Skipped)]
#[tokio::test]
async fn token_is_judged(#[case] response: ResponseTemplate, #[case] expected: Verdict) {
    let server = serve_all(response).await;
    assert_eq!(verdict(&report(&server, None).await, Check::Token), expected);
}

#[rstest]
#[case::user(Some("1001"), Verdict::Holds)]
#[case::no_account(Some("1002"), Verdict::Broken)]
#[case::name(Some("ada"), Verdict::Broken)]
#[case::none(None, Verdict::Skipped)]
#[tokio::test]
async fn user_is_judged(#[case] identity: Option<&str>, #[case] expected: Verdict) {
    let server = serve_all(token_response(true, "read_api")).await;
    assert_eq!(verdict(&report(&server, identity).await, Check::UserFields), expected);
}

#[tokio::test]
async fn missing_group_is_named() {
    let server = serve(TOKEN_PATH, token_response(true, "read_api")).await;
    mount(&server, "/api/v4/users/2147483647", status(404)).await;
    let report = report(&server, None).await;
    assert_eq!((verdict(&report, Check::Group), verdict(&report, Check::Paging)), (Verdict::Broken, Verdict::Broken));
    assert!(report.to_string().contains("not found: community/a, community/b"), "{report}");
}

#[tokio::test]
async fn unreachable_server_ends_checks() {
    let plan = CheckPlan::new(&community(), None, Vec::new());
    let checked = examine(&client_with(settings("http://127.0.0.1:1/")), &plan, |_| {}).await;
    assert_eq!(checked, Err(Error::Unreachable));
}
