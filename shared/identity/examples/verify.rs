//! The half of `cargo dev bench sign-in` that compares equal work: verifies callbacks one after another, as
//! `infra/dev/bench/passport.mjs` has npm's `passport-ubuntu` do it, with no web server, session or table around it.
//!
//! `verify http://127.0.0.1:PORT CALLBACKS` prints one line of JSON.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use membermail_core::clock::{Clock as _, SystemClock};
use membermail_identity::openid2::{Answer, Provider, RelyingParty, http_client};
use reqwest::header::LOCATION;
use url::Url;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let root: Url = arguments.next().context("the provider's root is missing")?.parse()?;
    let callbacks: usize = arguments.next().context("the number of callbacks is missing")?.parse()?;
    ensure!(callbacks > 0, "no callbacks, no figures");
    let provider = Provider { endpoint: root.join("+openid")?, identifier_root: root.join("+id/")? };
    let relying_party = RelyingParty::new(provider, http_client()?);

    let realm: Url = "http://site.example/".parse()?;
    let return_to = realm.join("callback")?;
    let mut choose = relying_party.authentication_request(&realm, &return_to);
    choose.set_path("/+openid/sign-in-as");
    choose.query_pairs_mut().append_pair("name", "alice");

    // Both sides get as many callbacks before the clock runs, to be warm.
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

    let (cpu, begin) = (processor_seconds()?, Instant::now());
    for url in &urls {
        verify(&relying_party, url, &return_to).await?;
    }
    let (seconds, cpu) = (begin.elapsed().as_secs_f64(), processor_seconds()? - cpu);
    println!(r#"{{"seconds":{seconds},"cpu_seconds":{cpu},"peak_mb":{}}}"#, peak_megabytes()?);
    Ok(())
}

async fn verify(relying_party: &RelyingParty, url: &Url, return_to: &Url) -> Result<()> {
    let answer = Answer::from_query(url.query().unwrap_or_default())?;
    let checked = relying_party.check(answer, return_to, SystemClock.now())?;
    relying_party.confirm(checked).await?;
    Ok(())
}

/// Of all threads, in nanoseconds: a tick of `/proc/self/stat` is as long as a hundred verifications.
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
