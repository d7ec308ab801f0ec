//! A member adds a second account of the provider, and removes it again.

use anyhow::{Context, Result, ensure};
use fantoccini::Locator;
use membermail_core::alias::{Reason, Status};
use membermail_tests::chromium::{Chromium, Settings};
use membermail_tests::example::Example;
use membermail_tests::wait::{TIMEOUT, until};
use serde_json::json;

use super::{DOMAIN, fill_in, start_sign_in, wait_for_address};

/// Reloads the page of accounts until it has this number of buttons to remove one.
async fn wait_for_accounts(chromium: &Chromium, example: &Example, removable: usize) -> Result<()> {
    let page = example.stack.public_url.join("identities")?;
    let form = Locator::Css("form[action$='/identities/remove']");
    until(&format!("{removable} accounts to remove"), TIMEOUT, async || {
        chromium.open(&page).await?;
        Ok((chromium.page.find_all(form).await?.len() == removable).then_some(()))
    })
    .await
}

/// The account that is added is in no group, so the address is due to the first one alone.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn address_stays_while_accounts_change() -> Result<()> {
    let example = Example::start().await?;
    let (username, _) = example.new_member("two-accounts").await?;
    let second = format!("second-{username}");
    example.add_user(&second, json!({})).await?;
    let subject = example.user_id(&second).await?;
    let chromium = Chromium::start(&example.stack, Settings { scripts: true }).await?;
    start_sign_in(&chromium, &example).await?;
    choose(&chromium, &username).await?;
    wait_for_address(&chromium, &example, &username).await?;
    let address = format!("{username}@{DOMAIN}");
    let before = example.stack.existing_alias(&address).await?;

    wait_for_accounts(&chromium, &example, 0).await?;
    chromium.click(&format!("Add another account at {}", example.community.sign_in.title())).await?;
    choose(&chromium, &second).await?;
    chromium.wait_for("Your account is being added.", TIMEOUT).await?;
    wait_for_accounts(&chromium, &example, 2).await?;
    let remove = format!("//li[contains(., 'Identifier: {subject}')]//button");
    chromium
        .page
        .find(Locator::XPath(&remove))
        .await
        .context("no button to remove the second account")?
        .click()
        .await?;
    chromium.wait_for("The account was removed", TIMEOUT).await?;
    wait_for_accounts(&chromium, &example, 0).await?;
    let text = chromium.find("main").await?.text().await?;
    ensure!(!text.contains(&subject), "{text}");
    chromium.check_no_errors().await?;

    let after = example.stack.wait_for_alias(&address, Status::Active, Reason::Eligible).await?;
    ensure!((after.member, after.version) == (before.member, before.version), "{before:?} became {after:?}");
    chromium.close().await
}

/// Chooses a user on the page of the fake GitLab, which lists only some of them before a search.
async fn choose(chromium: &Chromium, username: &str) -> Result<()> {
    chromium.page.wait().for_element(Locator::Css("input[name=search]")).await.context("no page of the provider")?;
    fill_in(chromium, "input[name=search]", &format!("{username}\n")).await?;
    chromium.page.wait().for_element(Locator::LinkText(username)).await.context("no such user")?.click().await?;
    Ok(())
}
