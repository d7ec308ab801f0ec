//! Direct and inherited members.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ALL, answer, entries, entry, id_of};
use crate::testing::start;

/// `lib/api/helpers/members_helpers.rb`: direct, inherited, and through invited groups.
#[tokio::test]
async fn all_members_include_inherited_ones() {
    let running = start().await;
    let all = entries(&running, ALL).await;
    let direct = entries(&running, "groups/42/members").await;
    for (username, is_direct) in [("alice", true), ("bob", false), ("iris", false)] {
        assert!(entry(&all, username).is_some(), "{username}");
        assert_eq!(entry(&direct, username).is_some(), is_direct, "{username}");
    }
    assert!(entry(&all, "carol").is_none());
    let ids: BTreeSet<_> = all.iter().map(|entry| entry["id"].as_u64()).collect();
    assert_eq!(ids.len(), all.len());
}

#[rstest::rstest]
#[case::direct("alice", 30)]
#[case::inherited("bob", 40)]
#[case::not_above_invitation("iris", 30)]
#[case::highest("gus", 30)]
#[case::too_low("rita", 20)]
#[tokio::test]
async fn member_has_highest_level(#[case] username: &str, #[case] level: u8) {
    let running = start().await;
    let id = id_of(&running, username).await;
    let (status, member) = answer(&running, &format!("groups/42/members/all/{id}")).await;
    assert_eq!((status, &member["access_level"], &member["id"]), (200, &json!(level), &json!(id)));
    assert_eq!(entry(&entries(&running, ALL).await, username), Some(&member));
}

#[tokio::test]
async fn inherited_member_is_not_direct() {
    let running = start().await;
    let id = id_of(&running, "bob").await;
    assert_eq!(answer(&running, &format!("groups/42/members/{id}")).await.0, 404);
}

#[tokio::test]
async fn blocked_and_expired_members_stay_listed() {
    let running = start().await;
    let all = entries(&running, ALL).await;
    assert_eq!(entry(&all, "frank").unwrap()["state"], "blocked");
    assert!(entry(&all, "victor").unwrap()["expires_at"].is_string());
    assert_eq!(entry(&all, "alice").unwrap()["expires_at"], Value::Null);
}

#[tokio::test]
async fn changes_show_in_lists() {
    let running = start().await;
    let change = json!({ "join": { "community/members": 30 }, "username": "carol2" });
    running.control("PATCH", "gitlab/users/carol", change).await;
    running.control("PATCH", "gitlab/users/alice", json!({ "leave": ["community/members"] })).await;
    let all = entries(&running, ALL).await;
    assert!(entry(&all, "carol2").is_some() && entry(&all, "alice").is_none());
    let again = running.request("PATCH", "/control/gitlab/users/alice").json(&json!({ "leave": ["42"] })).send().await;
    assert_eq!(again.unwrap().status(), 409);
}

#[tokio::test]
async fn demoted_member_keeps_place() {
    let running = start().await;
    let place = |all: Vec<Value>| all.iter().position(|entry| entry["username"] == "pat50").unwrap();
    let before = place(entries(&running, ALL).await);
    running.control("PATCH", "gitlab/users/pat50", json!({ "join": { "42": 10 } })).await;
    let all = entries(&running, ALL).await;
    assert_eq!(entry(&all, "pat50").unwrap()["access_level"], 10);
    assert_eq!(place(all), before);
}
