//! Names that change, pass on, and are swapped.

use anyhow::{Context, Result, ensure};
use membermail_core::alias::{Reason, Status};
use membermail_tests::stack::Stack;
use serde_json::json;

use crate::{DOMAIN, PATIENCE, TEAM, alias, keeps, resident, sync};

#[tokio::test]
async fn renamed_member_keeps_both_addresses() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let browser = resident(&stack, "id-rena").await?;
    let owner = stack.member_of(&browser).await?;
    stack.change("id-rena", json!({ "name": "id-renata" })).await?;
    // The name is free at once, and a stranger joins with it.
    stack.add(json!({ "name": "id-rena", "teams": [TEAM] })).await?;
    let (stranger, _) = stack.sign_in("id-rena~2").await?;
    stack.page_with(&stranger, "This address belongs to someone else", PATIENCE).await?;
    sync(&stack).await?;
    stack.alias_that_is("id-renata@edubuntu.org", Status::Active, Reason::Eligible).await?;
    ensure!(alias(&stack, "id-renata").await?.member == owner);
    ensure!(alias(&stack, "id-rena").await?.member == owner);
    keeps(&stack, &["id-rena", "id-renata"]).await
}

#[tokio::test]
async fn swapped_names_move_no_address() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // Two with dates of their own, and two of 2005, whose pages look the same after the swap.
    stack.add(json!({ "name": "id-sven", "teams": [TEAM] })).await?;
    stack.add(json!({ "name": "id-tove", "teams": [TEAM] })).await?;
    let old = "2005-06-15T06:00:00.123456+00:00";
    stack.add(json!({ "name": "id-olaf", "teams": [TEAM], "date_created": old })).await?;
    stack.add(json!({ "name": "id-otis", "teams": [TEAM], "date_created": old })).await?;
    let mut owners = Vec::new();
    for name in ["id-sven", "id-tove", "id-olaf", "id-otis"] {
        let (browser, _) = stack.sign_in(name).await?;
        stack.page_with(&browser, &format!("{name}@{DOMAIN} now forwards to"), PATIENCE).await?;
        owners.push(stack.member_of(&browser).await?);
    }
    for (one, other) in [("id-sven", "id-tove"), ("id-olaf", "id-otis")] {
        stack.change(one, json!({ "name": "id-in-between" })).await?;
        stack.change(other, json!({ "name": one })).await?;
        stack.change(one, json!({ "name": other })).await?;
    }
    keeps(&stack, &["id-sven", "id-tove", "id-olaf", "id-otis"]).await?;
    for (name, owner) in ["id-sven", "id-tove", "id-olaf", "id-otis"].iter().zip(owners) {
        ensure!(alias(&stack, name).await?.member == owner, "{name} passed to another member");
    }
    Ok(())
}

#[tokio::test]
async fn sub_address_of_a_victim_is_refused() -> Result<()> {
    let stack = Stack::of_this_run()?;
    resident(&stack, "id-victim").await?;
    let thief = resident(&stack, "id-thief").await?;
    stack.change("id-thief", json!({ "name": "id-victim+bank" })).await?;
    sync(&stack).await?;
    stack.check_again(&thief).await?;
    let page = stack.page_with(&thief, "Your Launchpad name contains a +", PATIENCE).await?;
    ensure!(page.text.contains("id-thief@edubuntu.org now forwards to"), "{}", page.text);
    ensure!(stack.store().await.aliases_of(stack.member_of(&thief).await?).await?.len() == 1);
    Ok(())
}

/// A member who renames themselves again and again gets three addresses, and leaves the other names to others.
#[tokio::test]
async fn renames_give_three_addresses() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let browser = resident(&stack, "id-many-01").await?;
    let member = stack.member_of(&browser).await?;
    for number in 2..=49 {
        stack.change("id-many-01", json!({ "name": format!("id-many-{number:02}") })).await?;
        // Some of the names are met by a sync, and some by the member.
        if number % 12 == 0 {
            sync(&stack).await?;
        }
    }
    stack.check_again(&browser).await?;
    stack.page_with(&browser, "You have as many addresses here as one person can have", PATIENCE).await?;
    let aliases = stack.store().await.aliases_of(member).await?;
    let here = aliases.iter().filter(|stored| stored.alias.address.domain.as_str() == DOMAIN);
    ensure!(here.count() == 3, "{aliases:?}");
    let (other, _) = {
        stack.add(json!({ "name": "id-many-40", "teams": [TEAM] })).await?;
        stack.sign_in("id-many-40").await?
    };
    stack.page_with(&other, "id-many-40@edubuntu.org now forwards to", PATIENCE).await.context("the name is taken")?;
    Ok(())
}
