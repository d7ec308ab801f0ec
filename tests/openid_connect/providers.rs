//! Sign-ins at GitLab (a fake), npm's oidc-provider and PyPI's canaille, to an address in the table.

use anyhow::{Context, Result, ensure};
use membermail_core::alias::Status;
use membermail_core::member::Identity;
use membermail_fakes::gitlab::{CLIENT_ID, CLIENT_SECRET};
use membermail_tests::chromium::{Chromium, Settings};
use membermail_tests::example::Example;
use serde_json::json;

use super::{DOMAIN, fill_in, press_button, sign_in_at_oidc_provider, start_sign_in, wait_for_address};

/// The address is active, and belongs to the member of this subject at the current provider.
async fn check_address(example: &Example, username: &str, subject: &str) -> Result<()> {
    let alias = example.stack.existing_alias(&format!("{username}@{DOMAIN}")).await?;
    ensure!(alias.status == Status::Active, "{alias:?}");
    let issuer = example.community.issuer().to_owned();
    let found = example.stack.store().await.member_to_look_up(alias.member).await?;
    let (_, identities) = found.context("the address has no owner")?;
    ensure!(
        identities.contains(&Identity { issuer, subject: subject.parse()? }),
        "the address belongs to somebody else"
    );
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn member_signs_in_at_gitlab() -> Result<()> {
    let example = Example::start().await?;
    let chromium = Chromium::start(&example.stack, Settings { scripts: true }).await?;
    start_sign_in(&chromium, &example).await?;
    ensure!(chromium.heading().await? == "Who are you?");
    chromium.click("alice").await?;
    wait_for_address(&chromium, &example, "alice").await?;
    chromium.check_no_errors().await?;
    check_address(&example, "alice", &example.user_id("alice").await?).await?;
    // The ID token names the identity at the former provider too.
    let former = example.stack.control("people/alice").await?["openid_identifier"].as_str().map(str::to_owned);
    let root = example.stack.fakes_url.as_str();
    let former = format!("{root}+id/{}", former.context("alice has no identifier")?);
    let identity = Identity { issuer: format!("{root}+openid"), subject: former.parse()? };
    let owner = example.stack.store().await.owner_of(&identity).await?;
    ensure!(owner == Some(example.stack.owner_of(&format!("alice@{DOMAIN}")).await?), "{owner:?}");
    // Nothing on the page is of another community.
    let text = chromium.find("body").await?.text().await?;
    ensure!(!text.contains("Launchpad") && !text.contains("Ubuntu"), "{text}");
    chromium.close().await
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn member_signs_in_at_oidc_provider() -> Result<()> {
    let mut example = Example::start().await?;
    let (username, subject) = example.new_member("op").await?;
    let client = json!({
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [example.callback("localhost")?],
    });
    let settings = json!({ "client": client, "users": { &subject: format!("{username}@mail.example") } });
    let provider = example.stack.oidc_provider(&settings).await?;
    example.use_provider(&provider.root).await?;
    let chromium = Chromium::start(&example.stack, Settings { scripts: true }).await?;
    start_sign_in(&chromium, &example).await?;
    sign_in_at_oidc_provider(&chromium, &subject).await?;
    wait_for_address(&chromium, &example, &username).await?;
    check_address(&example, &username, &subject).await?;
    chromium.close().await
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn member_signs_in_at_canaille() -> Result<()> {
    let mut example = Example::start().await?;
    let (username, subject) = example.new_member("canaille").await?;
    let settings = json!({
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uri": example.callback("127.0.0.1")?,
        "users": { &subject: format!("{username}@mail.example") },
    });
    let provider = example.stack.canaille(&settings).await?;
    example.use_provider(&provider.root).await?;
    let chromium = Chromium::start(&example.stack, Settings { scripts: true }).await?;
    start_sign_in(&chromium, &example).await?;
    fill_in(&chromium, "input[name=login]", &subject).await?;
    press_button(&chromium, "#loginform button[type=submit]").await?;
    fill_in(&chromium, "input[name=password]", "password").await?;
    press_button(&chromium, "#passwordform button[type=submit]").await?;
    press_button(&chromium, "#accept").await?;
    wait_for_address(&chromium, &example, &username).await?;
    check_address(&example, &username, &subject).await?;
    chromium.close().await
}
