//! A sign-in with the events that API Gateway sends to functions.

use anyhow::{Context, Result, ensure};

use super::usage::Usage;
use super::world::World;
use crate::bench::browser;
use crate::bench::community::Community;

/// The usage of a sign-in.
pub(crate) struct SignedIn {
    /// From `/sign-in` to the last notice.
    pub(crate) usage: Usage,
    /// One view of the member's page.
    pub(crate) page: Usage,
}

/// Signs a person in, delivers all messages, and requests the page.
pub(crate) async fn sign_in(world: &World, name: &str) -> Result<SignedIn> {
    let (redirect, mut usage, _) = world.invoke("sso", &browser::get("/sign-in", &[], None)?).await?;
    let cookie = browser::cookies(&redirect).into_iter().next().context("no sign-in cookie")?;
    let request = browser::header(&redirect, "location")?.parse()?;
    let fakes = world.launchpad.url.parse()?;
    let callback = Community::Ubuntu.choose_person(&world.client, &fakes, name, &request).await?;
    let event = browser::get("/callback", &browser::query_of(&callback), Some(&cookie))?;
    let (response, callback_usage, sent) = world.invoke("sso", &event).await?;
    usage += &callback_usage;
    ensure!(response["statusCode"] == 303, "{name} is not signed in: {response}");
    let session = browser::cookies(&response).into_iter().find(|cookie| cookie.contains("session="));
    let session = session.with_context(|| format!("no session cookie in {response}"))?;
    usage += &world.deliver(sent).await?;
    let (response, page, _) = world.invoke("account", &browser::get("/", &[], Some(&session))?).await?;
    ensure!(response["statusCode"] == 200, "{name} got no page: {response}");
    let body = response["body"].as_str().unwrap_or_default();
    ensure!(body.contains(&format!("{name}@")), "{name} has no address: {body}");
    Ok(SignedIn { usage, page })
}
