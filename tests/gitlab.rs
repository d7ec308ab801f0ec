//! python-gitlab, the usual client of GitLab's API, reads the fake of GitLab unpatched.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use membermail_fakes::gitlab::TOKEN;
use membermail_tests::peers::OwnFakes;
use membermail_tests::stack::Stack;
use serde_json::{Value, json};

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn python_gitlab_reads_group_and_members() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let fakes = OwnFakes::start("").await?;
    let alice = fakes.control("gitlab/users/alice").await?["id"].as_u64().context("no id")?;
    let root = fakes.root.as_str().trim_end_matches('/');
    let arguments = [root, TOKEN, "community/members", &alice.to_string()];
    let found: Value = serde_json::from_str(&stack.python("browse_gitlab.py", &arguments).await?)?;

    ensure!(found["own"] == "membermail-reader", "{}", found["own"]);
    ensure!(found["group"] == json!({ "id": 42, "full_path": "community/members", "parent_id": 40 }));
    let user = json!({ "id": alice, "username": "alice", "state": "active", "bot": false });
    ensure!(found["user"] == user, "{}", found["user"]);
    let group = fakes.control("gitlab/groups/42").await?;
    let [direct, all] = ["direct", "all"].map(|list| found[list].as_array().cloned().unwrap_or_default());
    ensure!(all.len() > 200 && group["all"] == all.len() && found["total"] == all.len(), "{group}");
    ensure!(found["total_pages"] == 3 && found["per_page"] == 100, "{} pages", found["total_pages"]);
    ensure!(group["direct"] == direct.len(), "{group}");
    let ids: BTreeSet<_> = all.iter().map(|entry| entry["id"].as_u64()).collect();
    ensure!(ids.len() == all.len(), "somebody is there twice");

    let entry = |list: &[Value], name: &str| list.iter().find(|entry| entry["username"] == name).cloned();
    let member = json!({
        "id": alice, "username": "alice", "state": "active", "access_level": 30, "expires_at": null,
    });
    ensure!(entry(&all, "alice").as_ref() == Some(&member) && found["one"] == member, "{}", found["one"]);
    // Inherited from the group above, and through an invited group.
    for name in ["bob", "iris"] {
        ensure!(entry(&all, name).is_some() && entry(&direct, name).is_none(), "{name}");
    }
    ensure!(entry(&all, "frank").is_some_and(|frank| frank["state"] == "blocked"));
    ensure!(entry(&all, "victor").is_some_and(|victor| victor["expires_at"].is_string()));

    ensure!(found["no_group"] == json!(["GitlabGetError", 404, "404 Group Not Found"]), "{}", found["no_group"]);
    ensure!(found["no_user"] == json!(["GitlabGetError", 404, "404 User Not Found"]), "{}", found["no_user"]);
    ensure!(found["no_member"] == json!(["GitlabGetError", 404, "404 Not Found"]), "{}", found["no_member"]);
    for case in ["wrong_token", "no_token"] {
        let expected = json!(["GitlabAuthenticationError", 401, "401 Unauthorized"]);
        ensure!(found[case] == expected, "{case}: {}", found[case]);
    }
    Ok(())
}
