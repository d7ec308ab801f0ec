//! The groups of a person, and a group by its path.

use std::collections::BTreeSet;

use rstest::rstest;

use super::*;
use crate::Source;

const ADA_PATH: &str = "/api/v4/groups/42/members/all/1001";

/// A server with the group and Ada's membership.
async fn serve_membership(response: ResponseTemplate) -> MockServer {
    let server = serve(GROUP_PATH, group_response(42, GROUP)).await;
    mount(&server, ADA_PATH, response).await;
    server
}

fn ada_with(field: &str, value: impl Into<Option<Value>>) -> ResponseTemplate {
    json_response(&changed(changed(member(1001), "username", json!("ada")), field, value))
}

async fn is_member(response: ResponseTemplate) -> Result<bool, Error> {
    let server = serve_membership(response).await;
    let groups = client(&server).groups(&ada()).await?;
    assert!(groups.is_empty() || groups == BTreeSet::from([group()]));
    Ok(!groups.is_empty())
}

#[tokio::test]
async fn groups_are_read_by_id() {
    let server = serve_membership(ada_with("access_level", json!(30))).await;
    let client = client(&server);
    for _ in 0..2 {
        assert_eq!(client.groups(&ada()).await, Ok([group()].into()));
    }
    let group = format!("{GROUP_PATH}?with_projects=false");
    assert_eq!(requests(&server).await, [&group, ADA_PATH, ADA_PATH], "the group is cached");
}

#[rstest]
#[case::guest(10, false)]
#[case::planner(15, false)]
#[case::reporter(20, false)]
#[case::developer(30, true)]
#[case::maintainer(40, true)]
#[case::owner(50, true)]
#[case::minimal_access(5, false)]
#[tokio::test]
async fn membership_needs_minimum_level(#[case] level: u32, #[case] expected: bool) {
    assert_eq!(is_member(ada_with("access_level", json!(level))).await, Ok(expected));
}

#[rstest]
#[case::not_a_member(status(404), false)]
#[case::blocked(ada_with("state", json!("blocked")), false)]
#[case::awaiting(ada_with("membership_state", json!("awaiting")), false)]
#[case::community_edition(ada_with("membership_state", None), true)]
#[case::expired_years_ago(ada_with("expires_at", json!("2020-01-01")), false)]
#[case::expires_today(ada_with("expires_at", json!("2026-11-24")), false)]
#[case::expires_tomorrow(ada_with("expires_at", json!("2026-11-25")), true)]
#[tokio::test]
async fn membership_must_count_now(#[case] response: ResponseTemplate, #[case] expected: bool) {
    assert_eq!(is_member(response).await, Ok(expected));
}

/// A missing field is never "not a member".
#[rstest]
#[tokio::test]
async fn membership_is_malformed_without_field(
    #[values("id", "state", "access_level", "expires_at")] field: &str,
    #[values(None, Some(json!({})), Some(json!("soon")))] value: Option<Value>,
) {
    let text_state = field == "state" && value == Some(json!("soon"));
    let result = is_member(ada_with(field, value)).await;
    assert!(text_state || matches!(result, Err(Error::Malformed { .. })), "{result:?}");
}

#[tokio::test]
async fn other_member_is_malformed() {
    assert_eq!(is_member(ada_with("id", json!(1002))).await, Err(Error::Malformed { what: "a member of a group" }));
}

/// A token that is refused must not look like "not a member".
#[rstest]
#[tokio::test]
async fn refused_token_is_no_answer(#[values(401, 403)] code: u16) {
    let error = is_member(status(code)).await.unwrap_err();
    assert_eq!(error, Error::TokenRefused { code });
    assert!(error.is_retryable() && !error.is_transient());
}

#[tokio::test]
async fn group_is_found_by_path() {
    let server = serve(GROUP_PATH, group_response(42, "Community/Members")).await;
    assert_eq!(client(&server).group(&team()).await, Ok(Some(group())), "paths are equal regardless of their case");
}

/// GitLab follows the redirect of a renamed group, so the old path answers with a group elsewhere.
#[rstest]
#[case::renamed(group_response(42, "community/former-members"))]
#[case::moved_up(group_response(42, "members"))]
#[case::absent(status(404))]
#[tokio::test]
async fn renamed_group_is_absent(#[case] response: ResponseTemplate) {
    let server = serve(GROUP_PATH, response).await;
    let client = client(&server);
    assert_eq!(client.group(&team()).await, Ok(None));
    assert_eq!(client.groups(&ada()).await, Ok(BTreeSet::new()));
}

/// Another group at the same path has another id, which the pin of the domain reveals.
#[tokio::test]
async fn recreated_group_has_other_fingerprint() {
    let server = serve(GROUP_PATH, group_response(43, GROUP)).await;
    mount(&server, "/api/v4/groups/43/members/all/1001", ada_with("access_level", json!(50))).await;
    let other = Group { fingerprint: Fingerprint(43), ..group() };
    assert_eq!(client(&server).groups(&ada()).await, Ok([other].into()));
}

/// A sync asks for the group itself before it reads, so a stale cache entry does not outlive it.
#[tokio::test]
async fn group_by_name_bypasses_cache() {
    let server = MockServer::start().await;
    let first = Mock::given(path(GROUP_PATH)).respond_with(group_response(42, GROUP)).up_to_n_times(1);
    first.mount(&server).await;
    mount(&server, GROUP_PATH, group_response(43, GROUP)).await;
    let client = client(&server);
    assert_eq!(client.group(&team()).await.unwrap().unwrap().fingerprint, Fingerprint(42));
    assert_eq!(client.group(&team()).await.unwrap().unwrap().fingerprint, Fingerprint(43));
    assert_eq!(client.cached_group(&team()).unwrap().fingerprint, Fingerprint(43));
}

#[rstest]
#[tokio::test]
async fn group_is_malformed_without_field(#[values("id", "full_path")] field: &str) {
    let response = changed(json!({ "id": 42, "full_path": GROUP }), field, None);
    let server = serve(GROUP_PATH, json_response(&response)).await;
    assert_eq!(client(&server).group(&team()).await, Err(Error::Malformed { what: "a group" }));
}

/// GitLab takes a path of digits for an id.
#[tokio::test]
async fn path_of_digits_is_no_id() {
    let server = serve("/api/v4/groups/42", group_response(42, GROUP)).await;
    assert_eq!(client(&server).group(&TeamName::parse("42").unwrap()).await, Ok(None));
}
