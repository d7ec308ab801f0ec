//! The team itself: renamed, its name taken, private teams within it; and admins whose names pass on.

use anyhow::{Result, ensure};
use membermail_core::alias::Status;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::random::OsRandom;
use membermail_store::RunState;
use membermail_tests::stack::Stack;
use membermail_tests::table::operator;
use serde_json::json;

use crate::{DOMAIN, PATIENCE, TEAM, alias, resident, sync};

/// A stranger who registers the old name of a renamed team can hand out nothing.
#[tokio::test]
async fn renamed_team_stops_grants_and_removals() -> Result<()> {
    let stack = Stack::of_this_run()?;
    resident(&stack, "id-member").await?;
    sync(&stack).await?;
    stack.change_team(TEAM, json!({ "name": "edubuntu-renamed" })).await?;
    let run = stack.sync(DOMAIN).await?;
    ensure!(
        run.state == RunState::Failed && run.failure.as_ref().is_some_and(|why| why.contains("no team")),
        "{run:?}"
    );

    stack.add_team(json!({ "name": TEAM })).await?;
    stack.add(json!({ "name": "id-intruder", "teams": [format!("{TEAM}~2")] })).await?;
    let run = stack.sync(DOMAIN).await?;
    let is_replaced = run.failure.as_ref().is_some_and(|why| why.contains("another team"));
    ensure!(run.state == RunState::Failed && is_replaced, "{run:?}");
    for name in ["id-intruder", "id-member"] {
        let (browser, _) = stack.sign_in(name).await?;
        stack.page_with(&browser, "Your membership cannot be checked right now", PATIENCE).await?;
    }
    ensure!(stack.alias("id-intruder@edubuntu.org").await?.is_none());
    ensure!(alias(&stack, "id-member").await?.status == Status::Active);

    stack.remove_team(&format!("{TEAM}~2")).await?;
    stack.change_team(TEAM, json!({ "name": TEAM })).await?;
    sync(&stack).await?;
    let (browser, _) = stack.sign_in("id-member").await?;
    stack.page_with(&browser, "You are a verified member of Ubuntu", PATIENCE).await?;
    Ok(())
}

/// An entry that is hidden has its place on the pages; its people are listed like all others.
#[tokio::test]
async fn private_team_within_the_team_is_normal() -> Result<()> {
    let stack = Stack::of_this_run()?;
    resident(&stack, "id-inside").await?;
    let before = sync(&stack).await?.hidden.unwrap_or_default();
    stack
        .add_team(json!({ "name": "id-private", "is_private": true, "members": ["id-inside"], "join": [TEAM] }))
        .await?;
    stack.change("id-inside", json!({ "leave": [TEAM] })).await?;
    let run = sync(&stack).await?;
    ensure!(run.hidden == Some(before + 1), "{run:?}");
    ensure!(sync(&stack).await?.hidden == Some(before + 1));
    ensure!(alias(&stack, "id-inside").await?.status == Status::Active);
    stack.remove_team("id-private").await?;
    stack.change("id-inside", json!({ "join": [TEAM] })).await?;
    ensure!(sync(&stack).await?.hidden == Some(before));
    Ok(())
}

/// Certificate authorities validate a domain through its admins' address: it follows the member, not the name.
#[tokio::test]
async fn admin_is_the_member_not_the_name() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let browser = resident(&stack, "id-admin").await?;
    let admin = stack.member_of(&browser).await?;
    let community = membermail_communities::community("ubuntu")?;
    let domain = community.domain(&DOMAIN.parse()?).ok_or_else(|| anyhow::anyhow!("no {DOMAIN}"))?;
    let (store, issuer) = (stack.store().await, community.issuer());
    let admins = async || {
        let admins = store.admins(domain, issuer).await?;
        Ok::<_, anyhow::Error>(admins.into_iter().map(|member| member.id).collect::<Vec<_>>())
    };
    let before = admins().await?;
    ensure!(store.bind_admin(&domain.domain, admin, operator(SystemClock.now()), &OsRandom).await?);
    ensure!(admins().await?.contains(&admin));

    stack.change("id-admin", json!({ "name": "id-admin-renamed" })).await?;
    stack.add(json!({ "name": "id-admin", "teams": [TEAM] })).await?;
    let (outsider, _) = stack.sign_in("id-admin~2").await?;
    stack.page_with(&outsider, "This address belongs to someone else", PATIENCE).await?;
    sync(&stack).await?;
    let now: Vec<_> = admins().await?.into_iter().filter(|member| !before.contains(member)).collect();
    ensure!(now == [admin], "{now:?}");

    // An admin who is no longer eligible is none.
    stack.event("id-admin", json!("suspend")).await?;
    sync(&stack).await?;
    ensure!(!admins().await?.contains(&admin));
    ensure!(store.unbind_admin(&domain.domain, admin, operator(SystemClock.now()), &OsRandom).await?);
    Ok(())
}
