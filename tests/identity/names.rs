//! Names that change, pass to another person, or are swapped.

use anyhow::{Context, Result, ensure};
use membermail_core::alias::{Reason, Status};
use membermail_tests::stack::Stack;
use serde_json::json;

use super::{DOMAIN, TEAM, alias, expect_unchanged, resident, sync};

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn renamed_member_keeps_both_addresses() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let browser = resident(&stack, "id-rena").await?;
    let owner = stack.member_of(&browser).await?;
    stack.change_person("id-rena", json!({ "name": "id-renata" })).await?;
    // The name is free at once, and a stranger joins with it.
    stack.add_person(json!({ "name": "id-rena", "teams": [TEAM] })).await?;
    stack.sign_in_until("id-rena~2", "This address belongs to someone else").await?;
    sync(&stack).await?;
    stack.wait_for_alias("id-renata@edubuntu.org", Status::Active, Reason::Eligible).await?;
    ensure!(alias(&stack, "id-renata").await?.member == owner);
    ensure!(alias(&stack, "id-rena").await?.member == owner);
    expect_unchanged(&stack, &["id-rena", "id-renata"]).await
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn swapped_names_move_no_address() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // Two with distinct creation dates, and two of 2005, whose entries look the same after the swap.
    stack.add_person(json!({ "name": "id-sven", "teams": [TEAM] })).await?;
    stack.add_person(json!({ "name": "id-tove", "teams": [TEAM] })).await?;
    let old = "2005-06-15T06:00:00.123456+00:00";
    stack.add_person(json!({ "name": "id-olaf", "teams": [TEAM], "date_created": old })).await?;
    stack.add_person(json!({ "name": "id-otis", "teams": [TEAM], "date_created": old })).await?;
    let mut owners = Vec::new();
    for name in ["id-sven", "id-tove", "id-olaf", "id-otis"] {
        let browser = stack.sign_in_at(DOMAIN, name).await?;
        owners.push(stack.member_of(&browser).await?);
    }
    for (one, other) in [("id-sven", "id-tove"), ("id-olaf", "id-otis")] {
        stack.change_person(one, json!({ "name": "id-in-between" })).await?;
        stack.change_person(other, json!({ "name": one })).await?;
        stack.change_person(one, json!({ "name": other })).await?;
    }
    expect_unchanged(&stack, &["id-sven", "id-tove", "id-olaf", "id-otis"]).await?;
    for (name, owner) in ["id-sven", "id-tove", "id-olaf", "id-otis"].iter().zip(owners) {
        ensure!(alias(&stack, name).await?.member == owner, "{name} passed to another member");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn sub_address_of_victim_is_refused() -> Result<()> {
    let stack = Stack::of_this_run()?;
    resident(&stack, "id-victim").await?;
    let thief = resident(&stack, "id-thief").await?;
    stack.change_person("id-thief", json!({ "name": "id-victim+bank" })).await?;
    sync(&stack).await?;
    stack.check_again(&thief).await?;
    let page = stack.page_with(&thief, "Your Launchpad name contains a +").await?;
    ensure!(page.text.contains("id-thief@edubuntu.org now forwards to"), "{}", page.text);
    ensure!(stack.store().await.aliases_of(stack.member_of(&thief).await?).await?.len() == 1);
    Ok(())
}

/// A member who renames themselves repeatedly gets three addresses; the other names stay free.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn renames_give_three_addresses() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let browser = resident(&stack, "id-many-01").await?;
    let member = stack.member_of(&browser).await?;
    for number in 2..=49 {
        let name = format!("id-many-{number:02}");
        stack.change_person("id-many-01", json!({ "name": name })).await?;
        // Some renames are seen by a sync, some at a sign-in.
        if number % 12 == 0 {
            sync(&stack).await?;
        }
        // The sync only enqueues the new address: one that is written after a later rename takes the place of that name.
        if matches!(number, 12 | 24) {
            let address = format!("{name}@{DOMAIN}");
            stack.wait_for_alias(&address, Status::Active, Reason::Eligible).await?;
        }
    }
    stack.check_again(&browser).await?;
    stack.page_with(&browser, "You have the maximum number of addresses here").await?;
    let aliases = stack.store().await.aliases_of(member).await?;
    let here = aliases.iter().filter(|stored| stored.alias.address.domain.as_str() == DOMAIN);
    ensure!(here.count() == 3, "{aliases:?}");
    resident(&stack, "id-many-40").await.context("the name is taken").map(drop)
}
