//! Addresses follow a GitLab group.

use anyhow::{Result, ensure};
use membermail_core::alias::{Reason, Status};
use membermail_store::RunState;
use membermail_tests::browser::Browser;
use membermail_tests::example::Example;
use membermail_tests::wait::TIMEOUT;
use serde_json::json;

use super::DOMAIN;

/// Signs a user in at the fake GitLab, and waits for their address.
async fn resident(example: &Example, username: &str) -> Result<Browser> {
    let stack = &example.stack;
    let mut browser = Browser::new()?;
    let away = browser.get(stack.public_url.join("sign-in")?).await?.location()?;
    let mut choose = stack.fakes_url.join("oauth/authorize/sign-in-as")?;
    choose.query_pairs_mut().append_pair("user", username).extend_pairs(away.query_pairs());
    let callback = Browser::new()?.get(choose).await?.location()?;
    let page = browser.open(callback).await?;
    ensure!(page.status == 200, "{username} landed on {}: {}", page.status, page.text);
    stack.confirm_destination(&browser).await?;
    stack.page_within(&browser, &format!("{username}@{DOMAIN} now forwards to"), TIMEOUT).await?;
    Ok(browser)
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn addresses_follow_gitlab_group() -> Result<()> {
    let example = Example::start().await?;
    let stack = &example.stack;
    let group = "community/members";
    let names = ["gl-leaver", "gl-demoted", "gl-blocked", "gl-stays1", "gl-stays2", "gl-stays3", "gl-stays4"];
    for name in names {
        example.add_user(name, json!({ "join": { group: 30 } })).await?;
        resident(&example, name).await?;
    }
    stack.sync_without_change(DOMAIN, "gl-").await?;

    example.change_user("gl-leaver", json!({ "leave": [group] })).await?;
    example.change_user("gl-demoted", json!({ "join": { group: 20 } })).await?;
    example.change_user("gl-blocked", json!({ "state": "blocked" })).await?;
    example.change_user("gl-stays1", json!({ "username": "gl-renamed" })).await?;
    let run = stack.sync(DOMAIN).await?;
    ensure!(run.state == RunState::Applied, "{run:?}");
    stack.wait_for_alias("gl-leaver@community.example", Status::Leaving, Reason::NotInTeam).await?;
    stack.wait_for_alias("gl-demoted@community.example", Status::Leaving, Reason::NotInTeam).await?;
    stack.wait_for_alias("gl-blocked@community.example", Status::Leaving, Reason::AccountSuspended).await?;
    stack.wait_for_alias("gl-renamed@community.example", Status::Active, Reason::Eligible).await?;

    example.change_user("gl-leaver", json!({ "join": { group: 30 } })).await?;
    let run = stack.sync(DOMAIN).await?;
    ensure!(run.state == RunState::Applied, "{run:?}");
    stack.wait_for_alias("gl-leaver@community.example", Status::Active, Reason::Eligible).await?;
    stack.wait_for_alias("gl-blocked@community.example", Status::Leaving, Reason::AccountSuspended).await?;
    Ok(())
}
