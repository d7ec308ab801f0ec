//! Users and tokens.

use serde_json::{Value, json};

use super::{answer, id_of, json as body};
use crate::gitlab::TOKEN;
use crate::testing::start;

#[tokio::test]
async fn user_has_fields_of_gitlab() {
    let running = start().await;
    let id = id_of(&running, "alice").await;
    let alice = body(&running, &format!("users/{id}")).await;
    assert_eq!(alice["id"], id);
    assert_eq!(
        (&alice["username"], &alice["state"], &alice["bot"]),
        (&json!("alice"), &json!("active"), &json!(false))
    );
    assert_eq!(alice["web_url"], format!("{}/alice", running.root));
    assert!(alice.get("email").is_none() && alice["public_email"].is_null());
    assert!(alice["created_at"].is_string());
}

#[rstest::rstest]
#[case("frank", "blocked")]
#[case("lars", "ldap_blocked")]
#[case("bela", "banned")]
#[case("erin", "deactivated")]
#[case("penny", "blocked_pending_approval")]
#[tokio::test]
async fn user_shows_state(#[case] username: &str, #[case] state: &str) {
    let running = start().await;
    let id = id_of(&running, username).await;
    let user = body(&running, &format!("users/{id}")).await;
    assert_eq!(user["state"], state);
    assert!(user.get("created_at").is_none());
}

#[tokio::test]
async fn only_user_shows_bot() {
    let running = start().await;
    let id = id_of(&running, "group_42_bot_0123456789abcdef0123456789abcdef").await;
    assert_eq!(body(&running, &format!("users/{id}")).await["bot"], true);
    let member = body(&running, &format!("groups/42/members/all/{id}")).await;
    assert!(member.get("bot").is_none() && member["state"] == "active");
}

#[rstest::rstest]
#[case("users/1", 404, json!({ "message": "404 User Not Found" }))]
#[case("users/alice", 400, json!({ "error": "id is invalid" }))]
#[case("groups/1", 404, json!({ "message": "404 Group Not Found" }))]
#[case("groups/42/members/all/1", 404, json!({ "message": "404 Not Found" }))]
#[tokio::test]
async fn missing_entry_is_error(#[case] path: &str, #[case] status: u16, #[case] expected: Value) {
    assert_eq!(answer(&start().await, path).await, (status, expected));
}

/// `lib/api/users.rb`: 403 without any token, unlike everywhere else.
#[rstest::rstest]
#[case("users/1001", None, 403)]
#[case("users/1001", Some("wrong"), 401)]
#[case("groups/42", None, 401)]
#[case("groups/42/members/all", None, 401)]
#[case("groups/42/members/all", Some("wrong"), 401)]
#[case("user", None, 401)]
#[tokio::test]
async fn request_needs_token(#[case] path: &str, #[case] token: Option<&str>, #[case] status: u16) {
    let running = start().await;
    let request = running.request("GET", &format!("/api/v4/{path}"));
    let request = match token {
        Some(token) => request.header("private-token", token),
        None => request,
    };
    assert_eq!(request.send().await.unwrap().status(), status);
}

#[tokio::test]
async fn bearer_token_is_accepted() {
    let running = start().await;
    let own = running.request("GET", "/api/v4/user").bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(own.json::<Value>().await.unwrap()["username"], "membermail-reader");
}

#[tokio::test]
async fn replaced_token_is_refused() {
    let running = start().await;
    running.control("PUT", "gitlab/tokens", json!({ "new": "carol" })).await;
    assert_eq!(answer(&running, "user").await.0, 401);
    let own = running.request("GET", "/api/v4/user").header("private-token", "new").send().await.unwrap();
    assert_eq!(own.json::<Value>().await.unwrap()["username"], "carol");
}

#[tokio::test]
async fn reset_restores_users() {
    let running = start().await;
    running.control("PATCH", "gitlab/users/alice", json!({ "username": "alice2", "state": "blocked" })).await;
    running.control("POST", "reset", json!({})).await;
    assert_eq!(running.json("/control/gitlab/users/alice").await["state"], "active");
}
