//! Groups by id and path.

use serde_json::json;

use super::{answer, json as body};
use crate::testing::start;

#[rstest::rstest]
#[case("groups/42")]
#[case("groups/community%2Fmembers?with_projects=false")]
#[case("groups/Community%2FMEMBERS")]
#[tokio::test]
async fn group_is_found(#[case] path: &str) {
    let group = body(&start().await, path).await;
    assert_eq!((&group["id"], &group["full_path"]), (&json!(42), &json!("community/members")));
    assert_eq!((&group["parent_id"], &group["path"]), (&json!(40), &json!("members")));
}

/// `lib/api/helpers.rb`, `find_group`: `find_by_full_path` without `follow_redirects`.
#[tokio::test]
async fn renamed_group_leaves_old_path() {
    let running = start().await;
    running.control("PATCH", "gitlab/groups/42", json!({ "full_path": "community/people" })).await;
    assert_eq!(answer(&running, "groups/community%2Fmembers").await.0, 404);
    assert_eq!(body(&running, "groups/42").await["full_path"], "community/people");
    assert_eq!(body(&running, "groups/community%2Fpeople%2Fart").await["id"], 43);
}

#[tokio::test]
async fn recreated_group_has_other_id() {
    let running = start().await;
    running.control("DELETE", "gitlab/groups/43", json!({})).await;
    let new = json!({ "full_path": "community/members/art", "members": { "carol": 30 } });
    running.control("POST", "gitlab/groups", new).await;
    assert_ne!(body(&running, "groups/community%2Fmembers%2Fart").await["id"], 43);
}

#[tokio::test]
async fn private_group_is_hidden_from_strangers() {
    let running = start().await;
    running.control("PATCH", "gitlab/groups/43", json!({ "is_private": true })).await;
    assert_eq!(answer(&running, "groups/43/members/all").await.0, 404);
    running.control("PATCH", "gitlab/users/membermail-reader", json!({ "join": { "43": 10 } })).await;
    assert_eq!(answer(&running, "groups/43/members/all").await.0, 200);
}
