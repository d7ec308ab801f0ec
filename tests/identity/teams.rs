//! The team itself: renamed, its name taken by another team, private subteams; and admins whose names pass on.

use anyhow::{Context, Result, ensure};
use membermail_core::admin::Permissions;
use membermail_core::alias::Status;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::community::Domain;
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_store::{RunState, Store};
use membermail_tests::stack::Stack;
use membermail_tests::table::operator;
use serde_json::json;

use super::{DOMAIN, TEAM, alias, resident, sync};

/// A stranger who registers the old name of a renamed team can hand out nothing.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
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
    stack.add_person(json!({ "name": "id-intruder", "teams": [format!("{TEAM}~2")] })).await?;
    let run = stack.sync(DOMAIN).await?;
    let is_replaced = run.failure.as_ref().is_some_and(|why| why.contains("a different team"));
    ensure!(run.state == RunState::Failed && is_replaced, "{run:?}");
    for name in ["id-intruder", "id-member"] {
        stack.sign_in_until(name, "We cannot check your membership right now").await?;
    }
    ensure!(stack.alias("id-intruder@edubuntu.org").await?.is_none());
    ensure!(alias(&stack, "id-member").await?.status == Status::Active);

    stack.remove_team(&format!("{TEAM}~2")).await?;
    stack.change_team(TEAM, json!({ "name": TEAM })).await?;
    sync(&stack).await?;
    stack.sign_in_until("id-member", "You are a verified member of Ubuntu").await?;
    Ok(())
}

/// A hidden entry keeps its place on the pages; its members are listed like all others.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn private_team_in_team_is_normal() -> Result<()> {
    let stack = Stack::of_this_run()?;
    resident(&stack, "id-inside").await?;
    let before = sync(&stack).await?.hidden.unwrap_or_default();
    stack
        .add_team(json!({ "name": "id-private", "is_private": true, "members": ["id-inside"], "join": [TEAM] }))
        .await?;
    stack.change_person("id-inside", json!({ "leave": [TEAM] })).await?;
    let run = sync(&stack).await?;
    ensure!(run.hidden == Some(before + 1), "{run:?}");
    ensure!(sync(&stack).await?.hidden == Some(before + 1));
    ensure!(alias(&stack, "id-inside").await?.status == Status::Active);
    stack.remove_team("id-private").await?;
    stack.change_person("id-inside", json!({ "join": [TEAM] })).await?;
    ensure!(sync(&stack).await?.hidden == Some(before));
    Ok(())
}

/// The members who can act as admins.
async fn admins(store: &Store, domain: &Domain, issuer: &str) -> Result<Vec<MemberId>> {
    Ok(store.admins(domain, issuer).await?.into_iter().map(|member| member.id).collect())
}

/// Certificate authorities validate a domain through its admins' address: it follows the member, not the name.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn admin_right_follows_member_not_name() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let browser = resident(&stack, "id-admin").await?;
    let admin = stack.member_of(&browser).await?;
    let community = membermail_communities::community("ubuntu")?;
    let domain = community.domain(&DOMAIN.parse()?).with_context(|| format!("no {DOMAIN}"))?;
    let store = stack.store().await;
    ensure!(
        store
            .bind_admin(&domain.domain, admin, Permissions::all(), operator(SystemClock.now()), &OsRandom)
            .await?
            .is_some()
    );
    ensure!(admins(&store, domain, community.issuer()).await?.contains(&admin));

    stack.change_person("id-admin", json!({ "name": "id-admin-renamed" })).await?;
    stack.add_person(json!({ "name": "id-admin", "teams": [TEAM] })).await?;
    let namesake = stack.sign_in_until("id-admin~2", "This address belongs to someone else").await?;
    let namesake = stack.member_of(&namesake).await?;
    sync(&stack).await?;
    // Other tests bind admins of their own.
    let now = admins(&store, domain, community.issuer()).await?;
    ensure!(now.contains(&admin) && !now.contains(&namesake), "{now:?}");

    // A member who is no longer eligible is no admin.
    stack.apply_event("id-admin", json!("suspend")).await?;
    sync(&stack).await?;
    ensure!(!admins(&store, domain, community.issuer()).await?.contains(&admin));
    ensure!(store.unbind_admin(&domain.domain, admin, None, operator(SystemClock.now()), &OsRandom).await?.is_some());
    Ok(())
}
