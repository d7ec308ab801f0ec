//! Logout at npm's oidc-provider: from our page (RP-Initiated Logout 1.0), and from the provider (Back-Channel Logout 1.0).

use anyhow::{Context, Result, ensure};
use fantoccini::Locator;
use membermail_fakes::gitlab::{CLIENT_ID, CLIENT_SECRET};
use membermail_tests::chromium::{Chromium, Settings};
use membermail_tests::example::Example;
use membermail_tests::peers::Provider;
use membermail_tests::wait::TIMEOUT;
use serde_json::json;
use url::Url;

use super::{press_button, sign_in_at_oidc_provider, start_sign_in, wait_for_address};

/// A member who is signed in at a provider and here.
struct SignedIn {
    example: Example,
    provider: Provider,
    chromium: Chromium,
}

async fn signed_in(prefix: &str) -> Result<SignedIn> {
    let mut example = Example::start().await?;
    let (username, subject) = example.new_member(prefix).await?;
    let site = &example.stack.public_url;
    let client = json!({
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [example.callback("localhost")?],
        "post_logout_redirect_uris": [site],
        "backchannel_logout_uri": format!("{site}logout/localhost-{{port}}"),
    });
    let users = json!({ &subject: format!("{username}@mail.example") });
    let provider = example.stack.oidc_provider(&json!({ "client": client, "users": users })).await?;
    example.use_provider(&provider.root).await?;
    let chromium = Chromium::start(&example.stack, Settings { scripts: true }).await?;
    start_sign_in(&chromium, &example).await?;
    sign_in_at_oidc_provider(&chromium, &subject).await?;
    wait_for_address(&chromium, &example, &username).await?;
    Ok(SignedIn { example, provider, chromium })
}

/// Confirms the sign-out on the provider's page, which returns to the site without a session.
async fn sign_out_at_provider(signed_in: &SignedIn) -> Result<()> {
    let SignedIn { example, chromium, .. } = signed_in;
    press_button(chromium, "button[name=logout][value=yes]").await?;
    chromium.page.wait().for_url(&example.stack.public_url).await.context("no return from the provider")?;
    chromium.wait_for(&format!("Sign in with {}", example.community.sign_in.title()), TIMEOUT).await
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn sign_out_continues_at_provider() -> Result<()> {
    let signed_in = signed_in("rp-logout").await?;
    let SignedIn { example, provider, chromium } = &signed_in;
    chromium.click("Sign out").await?;
    let link = format!("main a[href^='{}']", provider.root);
    let link = chromium.page.wait().for_element(Locator::Css(&link)).await.context("no link to the provider")?;
    // Here the session has ended already.
    let mut elsewhere = chromium.page.get_all_cookies().await?;
    elsewhere.retain(|cookie| cookie.name() == "session");
    ensure!(elsewhere.is_empty(), "the session has not ended");
    link.click().await?;
    sign_out_at_provider(&signed_in).await?;
    // The provider asks for the password again.
    start_sign_in(chromium, example).await?;
    chromium.page.wait().for_element(Locator::Css("input[name=login]")).await?;
    signed_in.chromium.close().await
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn logout_at_provider_ends_session() -> Result<()> {
    let signed_in = signed_in("op-logout").await?;
    let SignedIn { example, provider, chromium } = &signed_in;
    let site = example.stack.public_url.as_str();
    let parameters = [("client_id", CLIENT_ID), ("post_logout_redirect_uri", site)];
    let end = Url::parse_with_params(provider.root.join("session/end")?.as_str(), parameters)?;
    chromium.open(&end).await?;
    sign_out_at_provider(&signed_in).await?;
    signed_in.chromium.close().await
}
