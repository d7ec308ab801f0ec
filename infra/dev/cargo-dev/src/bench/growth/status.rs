//! The usage of the public status page: samples by `check-status`, the requests that they send to our own site, and samples of
//! mail by the mail host.

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::http::Uri;
use jiff::Timestamp;
use membermail_core::status::{Component, Sample};
use serde_json::json;
use tokio::net::TcpListener;

use super::template::HOURS;
use super::usage::Usage;
use super::world::World;
use crate::bench::{browser, probed_site};

/// Serves a site at which sign-in works, until the process exits. Returns its URL.
pub(crate) async fn start_site() -> Result<String> {
    let app = Router::new().fallback(async |uri: Uri| probed_site::respond(uri.path()));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(url)
}

/// The usage of all samples of a month, with this number of scheduled invocations.
pub(crate) async fn measure(world: &World, invocations: f64) -> Result<Usage> {
    let mut usage = Usage::default();
    // All components are due at the full hour.
    let full = sample(world, "2026-11-28T10:00:00Z", 3).await?;
    let only_sign_in = sample(world, "2026-11-28T10:05:00Z", 1).await?;
    let times = |component: Component| HOURS * 3600.0 / component.interval().as_secs_f64();
    let full_times = times(Component::Syncs).min(invocations);
    usage += &(&full * full_times);
    usage += &(&only_sign_in * (invocations - full_times));
    for page in [probed_site::HEALTH, probed_site::SIGN_IN] {
        let (response, request, _) = world.invoke("sso", &browser::get(page, &[], None)?).await?;
        let status = response["statusCode"].as_u64().context("no status")?;
        ensure!(status < 400, "{page} responded with {status}");
        usage += &(&request * times(Component::SignIn).min(invocations));
    }
    usage += &(&mail_sample(world).await? * times(Component::Mail));
    Ok(usage)
}

/// One invocation, which has to sample this number of components. Counts a request to the provider too.
async fn sample(world: &World, time: &str, components: usize) -> Result<Usage> {
    let (response, usage, _) = world.invoke("check-status", &json!({ "time": time })).await?;
    let outcomes = response.as_array().context("no outcomes")?;
    ensure!(outcomes.len() == components, "it sampled {response} at {time}");
    ensure!(outcomes.iter().all(|outcome| outcome["counted"] == true), "a sample was not counted: {response}");
    Ok(usage)
}

/// A sample by the canary of the mail host.
async fn mail_sample(world: &World) -> Result<Usage> {
    let store = world.store().await;
    let at: Timestamp = "2026-11-28T10:00:00Z".parse()?;
    world.cloud.reset();
    store.record_sample(Sample { component: Component::Mail, is_ok: true, at }, at).await?;
    Ok(world.cloud.reset().usage)
}
