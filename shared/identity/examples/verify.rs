//! Our half of the comparison in `cargo dev bench sign-in`: verifies callbacks one after another, as
//! `infra/dev/cargo-dev/bench/passport.mjs` has npm's `passport-ubuntu` do it, with no web server, session or table around it.
//!
//! `verify http://127.0.0.1:PORT CALLBACKS` prints one line of JSON.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use membermail_core::clock::{Clock as _, SystemClock};
use membermail_identity::openid2::{IndirectResponse, Provider, RelyingParty, http_client};
use reqwest::header::LOCATION;
use url::Url;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let root: Url = arguments.next().context("missing argument: root URL of the provider")?.parse()?;
    let callbacks: usize = arguments.next().context("missing argument: number of callbacks")?.parse()?;
    ensure!(callbacks > 0, "the number of callbacks must be positive");
    let provider = Provider { endpoint: root.join("+openid")?, identifier_root: root.join("+id/")? };
    let relying_party = RelyingParty::new(provider, http_client()?);

    let realm: Url = "http://site.example/".parse()?;
    let return_to = realm.join("callback")?;
    let mut choose = relying_party.authentication_request(&realm, &return_to);
    choose.set_path("/+openid/sign-in-as");
    choose.query_pairs_mut().append_pair("name", "alice");

    // Both programs get the same number of unmeasured callbacks first, as a warm-up.
    let warm = callbacks.div_ceil(10);
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    let mut urls = Vec::new();
    while urls.len() < callbacks + warm {
        let back = browser.get(choose.clone()).send().await?;
        let back = back.headers().get(LOCATION).with_context(|| format!("no redirect but {}", back.status()))?;
        urls.push(Url::parse(back.to_str()?)?);
    }
    for url in urls.drain(..warm) {
        verify(&relying_party, &url, &return_to).await?;
    }

    let cpu = processor_seconds()?;
    let start = Instant::now();
    for url in &urls {
        verify(&relying_party, url, &return_to).await?;
    }
    let seconds = start.elapsed().as_secs_f64();
    let cpu = processor_seconds()? - cpu;
    println!(r#"{{"seconds":{seconds},"cpu_seconds":{cpu},"peak_mb":{}}}"#, peak_megabytes()?);
    Ok(())
}

async fn verify(relying_party: &RelyingParty, url: &Url, return_to: &Url) -> Result<()> {
    let response = IndirectResponse::from_query(url.query().unwrap_or_default())?;
    let checked = relying_party.check(response, return_to, SystemClock.now())?;
    relying_party.confirm(checked).await?;
    Ok(())
}

/// CPU time of all threads. `schedstat` has nanoseconds; a tick of `/proc/self/stat` lasts as long as a hundred verifications.
fn processor_seconds() -> Result<f64> {
    let mut nanoseconds = 0.0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += text.split_whitespace().next().context("no processor time")?.parse::<f64>()?;
    }
    Ok(nanoseconds / 1e9)
}

fn peak_megabytes() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(peak.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
}
