//! What happens to accounts: deactivation and return, suspension, closing, merges, a second identifier.

use anyhow::{Context, Result, ensure};
use membermail_core::alias::{Reason, Status};
use membermail_tests::stack::Stack;
use membermail_tests::wait::{TIMEOUT, until_true};
use serde_json::json;

use super::{DOMAIN, alias, expect_unchanged, resident, sync};

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn deactivated_member_leaves_and_returns() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let browser = resident(&stack, "id-dora").await?;
    let owner = stack.member_of(&browser).await?;
    stack.apply_event("id-dora", json!("begin-deactivation")).await?;
    sync(&stack).await?;
    stack.wait_for_alias("id-dora@edubuntu.org", Status::Leaving, Reason::Deactivated).await?;
    // The job leaves the teams and renames, and a stranger takes the name.
    stack.apply_event("id-dora", json!("finish-deactivation")).await?;
    sync(&stack).await?;
    stack.add_person(json!({ "name": "id-dora", "teams": [super::TEAM] })).await?;
    stack.sign_in_until("id-dora~2", "This address belongs to someone else").await?;
    ensure!(alias(&stack, "id-dora").await?.member == owner);
    ensure!(stack.alias("id-dora-deactivatedaccount@edubuntu.org").await?.is_none());

    stack.apply_event("id-dora", json!("reactivate")).await?;
    stack.change_person("id-dora", json!({ "name": "id-dora-again", "signed": true, "join": [super::TEAM] })).await?;
    stack.check_again(&browser).await?;
    stack.page_with(&browser, "id-dora-again@edubuntu.org now forwards to").await?;
    sync(&stack).await?;
    stack.wait_for_alias("id-dora@edubuntu.org", Status::Active, Reason::Eligible).await?;
    ensure!(alias(&stack, "id-dora-again").await?.member == owner);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn account_state_is_explained() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let events = [
        ("id-suspended", json!("suspend"), Reason::AccountSuspended, "Your Launchpad account is suspended"),
        ("id-by-admin", json!("deactivate-by-admin"), Reason::Deactivated, "Your Launchpad account is deactivated"),
        ("id-closed", json!("close"), Reason::AccountClosed, "Your Launchpad account is closed"),
    ];
    let mut browsers = Vec::new();
    for (name, event, ..) in &events {
        browsers.push(resident(&stack, name).await?);
        stack.apply_event(name, event.clone()).await?;
    }
    sync(&stack).await?;
    for ((name, _, reason, heading), browser) in events.iter().zip(&browsers) {
        stack.wait_for_alias(&format!("{name}@{DOMAIN}"), Status::Leaving, *reason).await?;
        stack.check_again(browser).await?;
        stack.page_with(browser, heading).await.with_context(|| (*name).to_owned())?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn missing_preferred_address_ends_an_address() -> Result<()> {
    let stack = Stack::of_this_run()?;
    resident(&stack, "id-nora").await?;
    stack.change_person("id-nora", json!({ "has_preferred_email": false })).await?;
    sync(&stack).await?;
    stack.wait_for_alias("id-nora@edubuntu.org", Status::Leaving, Reason::NoPreferredAddress).await?;
    stack.change_person("id-nora", json!({ "has_preferred_email": true })).await?;
    sync(&stack).await?;
    stack.wait_for_alias("id-nora@edubuntu.org", Status::Active, Reason::Eligible).await.map(drop)
}

/// Without a second sign-in: the sync detects the merge.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn merged_accounts_keep_both_addresses() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mona = resident(&stack, "id-mona").await?;
    let merle = resident(&stack, "id-merle").await?;
    let owners = (stack.member_of(&mona).await?, stack.member_of(&merle).await?);
    stack.apply_event("id-mona", json!({ "merge-into": "id-merle" })).await?;
    sync(&stack).await?;
    expect_unchanged(&stack, &["id-mona", "id-merle"]).await?;
    ensure!(alias(&stack, "id-mona").await?.member == owners.0);
    ensure!(alias(&stack, "id-merle").await?.member == owners.1);

    // Both sign-ins show both addresses from now on.
    for browser in [&mona, &merle] {
        let page = stack.page_with(browser, "id-mona@edubuntu.org now forwards to").await?;
        ensure!(page.text.contains("id-merle@edubuntu.org now forwards to"), "{}", page.text);
    }
    Ok(())
}

/// A second Ubuntu One account of the same person is linked at its first sign-in, and both destinations are notified.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn second_identifier_joins_the_member() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let first = resident(&stack, "id-twice").await?;
    let owner = stack.member_of(&first).await?;
    stack
        .change_person("id-twice", json!({ "openid_identifier": "3467bcd", "email": "id-twice-new@mail.example" }))
        .await?;
    stack.sign_in_until("id-twice", "id-twice@edubuntu.org now forwards to id-twice@mail.example").await?;
    ensure!(alias(&stack, "id-twice").await?.member == owner);
    // A later sign-in with either identifier is the member's.
    let again = stack.sign_in("id-twice").await?;
    ensure!(stack.member_of(&again).await? == owner, "the second identifier still has a member of its own");
    let subject = "Your two sign-ins are now one account";
    for address in ["id-twice@mail.example", "id-twice-new@mail.example"] {
        until_true(&format!("{subject:?} to {address}"), TIMEOUT, async || {
            Ok(stack.mailbox().to(address)?.iter().any(|mail| mail.subject() == subject))
        })
        .await?;
    }
    expect_unchanged(&stack, &["id-twice"]).await
}
