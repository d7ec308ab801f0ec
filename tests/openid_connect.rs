//! The example community in Chromium: sign-ins by OpenID Connect, at the fake GitLab and at two third-party providers, and
//! addresses that follow its GitLab groups.

mod groups;
mod identities;
mod logout;
mod providers;

use anyhow::{Context, Result};
use fantoccini::Locator;
use membermail_tests::chromium::Chromium;
use membermail_tests::example::Example;
use membermail_tests::wait::TIMEOUT;

const DOMAIN: &str = "community.example";

/// Opens the site and starts a sign-in at its provider.
async fn start_sign_in(chromium: &Chromium, example: &Example) -> Result<()> {
    chromium.open(&example.stack.public_url).await?;
    chromium.click(&format!("Sign in with {}", example.community.sign_in.title())).await
}

/// Confirms the destination of the member who has signed in, and waits for their address.
async fn wait_for_address(chromium: &Chromium, example: &Example, username: &str) -> Result<()> {
    let page = &chromium.page;
    page.wait().for_url(&example.stack.public_url).await.context("no return from the provider")?;
    chromium.confirm_destination(&example.stack).await?;
    chromium.wait_for(&format!("{username}@{DOMAIN} now forwards to {username}@mail.example"), TIMEOUT).await
}

/// Fills in a field of a foreign page.
async fn fill_in(chromium: &Chromium, selector: &str, text: &str) -> Result<()> {
    let found = chromium.page.wait().for_element(Locator::Css(selector)).await;
    Ok(found.with_context(|| format!("no {selector}"))?.send_keys(text).await?)
}

/// Presses a button of a foreign page.
async fn press_button(chromium: &Chromium, selector: &str) -> Result<()> {
    let found = chromium.page.wait().for_element(Locator::Css(selector)).await;
    Ok(found.with_context(|| format!("no {selector}"))?.click().await?)
}

/// Signs in on the pages of npm's oidc-provider, and consents.
async fn sign_in_at_oidc_provider(chromium: &Chromium, subject: &str) -> Result<()> {
    fill_in(chromium, "input[name=login]", subject).await?;
    fill_in(chromium, "input[name=password]", "any").await?;
    press_button(chromium, "button[type=submit]").await?;
    chromium.page.wait().for_element(Locator::Css("input[value=consent]")).await.context("no consent page")?;
    press_button(chromium, "button[type=submit]").await
}
