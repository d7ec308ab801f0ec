//! What happens to accounts: deactivation and return, suspension, closing, merges, a second identifier.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use membermail_core::alias::{Reason, Status};
use membermail_tests::stack::Stack;
use membermail_tests::wait::until;
use serde_json::json;

use crate::{DOMAIN, PATIENCE, alias, keeps, resident, sync};

#[tokio::test]
async fn deactivated_member_leaves_and_returns() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let browser = resident(&stack, "id-dora").await?;
    let owner = stack.member_of(&browser).await?;
    stack.event("id-dora", json!("begin-deactivation")).await?;
    sync(&stack).await?;
    stack.alias_that_is("id-dora@edubuntu.org", Status::Leaving, Reason::Deactivated).await?;
    // The job leaves the teams and renames, and a stranger takes the name.
    stack.event("id-dora", json!("finish-deactivation")).await?;
    sync(&stack).await?;
    stack.add(json!({ "name": "id-dora", "teams": [crate::TEAM] })).await?;
    let (stranger, _) = stack.sign_in("id-dora~2").await?;
    stack.page_with(&stranger, "This address belongs to someone else", PATIENCE).await?;
    ensure!(alias(&stack, "id-dora").await?.member == owner);
    ensure!(stack.alias("id-dora-deactivatedaccount@edubuntu.org").await?.is_none());

    stack.event("id-dora", json!("reactivate")).await?;
    stack.change("id-dora", json!({ "name": "id-dora-again", "signed": true, "join": [crate::TEAM] })).await?;
    stack.check_again(&browser).await?;
    stack.page_with(&browser, "id-dora-again@edubuntu.org now forwards to", PATIENCE).await?;
    sync(&stack).await?;
    stack.alias_that_is("id-dora@edubuntu.org", Status::Active, Reason::Eligible).await?;
    ensure!(alias(&stack, "id-dora-again").await?.member == owner);
    Ok(())
}

#[tokio::test]
async fn account_state_is_told_by_its_name() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let events = [
        ("id-suspended", json!("suspend"), Reason::AccountSuspended, "Your Launchpad account is suspended"),
        ("id-by-admin", json!("deactivate-by-admin"), Reason::Deactivated, "Your Launchpad account is deactivated"),
        ("id-closed", json!("close"), Reason::AccountClosed, "Your Launchpad account is closed"),
    ];
    let mut browsers = Vec::new();
    for (name, event, ..) in &events {
        browsers.push(resident(&stack, name).await?);
        stack.event(name, event.clone()).await?;
    }
    sync(&stack).await?;
    for ((name, _, reason, heading), browser) in events.iter().zip(&browsers) {
        stack.alias_that_is(&format!("{name}@{DOMAIN}"), Status::Leaving, *reason).await?;
        stack.check_again(browser).await?;
        stack.page_with(browser, heading, PATIENCE).await.with_context(|| (*name).to_owned())?;
    }
    Ok(())
}

#[tokio::test]
async fn missing_preferred_address_ends_an_address() -> Result<()> {
    let stack = Stack::of_this_run()?;
    resident(&stack, "id-nora").await?;
    stack.change("id-nora", json!({ "has_preferred_email": false })).await?;
    sync(&stack).await?;
    stack.alias_that_is("id-nora@edubuntu.org", Status::Leaving, Reason::NoPreferredAddress).await?;
    stack.change("id-nora", json!({ "has_preferred_email": true })).await?;
    sync(&stack).await?;
    stack.alias_that_is("id-nora@edubuntu.org", Status::Active, Reason::Eligible).await.map(drop)
}

/// Without a second sign-in: the sync meets the merge by itself.
#[tokio::test]
async fn merged_accounts_keep_both_addresses() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mona = resident(&stack, "id-mona").await?;
    let merle = resident(&stack, "id-merle").await?;
    let owners = (stack.member_of(&mona).await?, stack.member_of(&merle).await?);
    stack.event("id-mona", json!({ "merge-into": "id-merle" })).await?;
    sync(&stack).await?;
    keeps(&stack, &["id-mona", "id-merle"]).await?;
    ensure!(alias(&stack, "id-mona").await?.member == owners.0);
    ensure!(alias(&stack, "id-merle").await?.member == owners.1);

    // Both sign-ins show both addresses from now on.
    for browser in [&mona, &merle] {
        let page = stack.page_with(browser, "id-mona@edubuntu.org now forwards to", PATIENCE).await?;
        ensure!(page.text.contains("id-merle@edubuntu.org now forwards to"), "{}", page.text);
    }
    Ok(())
}

/// A second Ubuntu One account of the same person: linked at its first sign-in, and both addresses are told.
#[tokio::test]
async fn second_identifier_leads_to_the_same_member() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let first = resident(&stack, "id-twice").await?;
    let owner = stack.member_of(&first).await?;
    stack.change("id-twice", json!({ "word": "3467bcd", "email": "id-twice-new@mail.example" })).await?;
    let (second, _) = stack.sign_in("id-twice").await?;
    stack.page_with(&second, "id-twice@edubuntu.org now forwards to id-twice@mail.example", PATIENCE).await?;
    ensure!(alias(&stack, "id-twice").await?.member == owner);
    // A later sign-in with either identifier is the member's.
    let (again, _) = stack.sign_in("id-twice").await?;
    ensure!(stack.member_of(&again).await? == owner, "the second identifier still has a member of its own");
    for address in ["id-twice@mail.example", "id-twice-new@mail.example"] {
        let subject = "Your two sign-ins are one account now";
        until(&format!("{subject:?} to {address}"), Duration::from_secs(PATIENCE), async || {
            let mails = stack.mailbox().to(address)?;
            Ok(mails.iter().any(|mail| mail.subject() == subject).then_some(()))
        })
        .await?;
    }
    keeps(&stack, &["id-twice"]).await
}
