//! The callback of `sso` beside the one of npm's `passport-ubuntu`, which the existing service signs in with: the same fake
//! provider, one callback after another, in one process each that computes on one core.
//!
//! passport-ubuntu verifies the callback and no more, so the goal is on the verification alone
//! (`shared/identity/examples/verify.rs`). The whole function stands beside it.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use membermail_toolbox::process::Process;
use membermail_toolbox::{find_program, step};
use reqwest::Url;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use tokio::process::Command;

use super::aws_over_tls::AwsOverTls;
use super::dynamodb::built;
use super::figures::rounded;
use super::invoker::Invoker;
use super::start::{self, NODE};
use crate::functions::{Profile, program_of};
use crate::tools;

/// How many callbacks the relying party of `sso` is to verify on one core while passport-ubuntu verifies one.
const TIMES: f64 = 10.0;

/// What a callback costs one side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side {
    /// Milliseconds from one callback to the next.
    pub(crate) milliseconds: f64,
    /// Milliseconds of processor time.
    pub(crate) cpu: f64,
    /// The most memory that was resident, MB.
    pub(crate) peak: f64,
}

/// All sides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compared {
    /// The relying party of `sso`: equal work with passport-ubuntu.
    pub(crate) verification: Side,
    /// The whole function, with its calls to AWS.
    pub(crate) sso: Side,
    pub(crate) passport: Side,
}

impl Compared {
    /// Rows of a table of two columns.
    pub(crate) fn rows(&self) -> Vec<Vec<String>> {
        let side = |name: &str, side: &Side| {
            let Side { milliseconds, cpu, peak } = side;
            let second = 1000.0 / cpu;
            let figures =
                format!("{milliseconds:.2} ms, {cpu:.2} ms of CPU, {second:.0} a second and core, {peak:.1} MB");
            vec![format!("callback, {name}"), figures]
        };
        vec![
            side("verification by passport-ubuntu", &self.passport),
            side("verification by sso's relying party", &self.verification),
            side("the whole sso, with session and queue", &self.sso),
        ]
    }

    /// The same as JSON.
    pub(crate) fn json(&self) -> Value {
        let side = |side: &Side| {
            let Side { milliseconds, cpu, peak } = *side;
            json!({
                "ms": rounded(milliseconds), "cpu_ms": rounded(cpu), "peak_mb": rounded(peak),
                "per_second_and_core": rounded(1000.0 / cpu),
            })
        };
        json!({
            "verification": side(&self.verification), "sso": side(&self.sso), "passport_ubuntu": side(&self.passport),
        })
    }

    /// Why the goal is missed, where it is.
    pub(crate) fn missed(&self) -> Option<String> {
        let times = self.passport.cpu / self.verification.cpu;
        (times < TIMES)
            .then(|| format!("verifying a callback takes 1/{times:.1} of passport-ubuntu's CPU, not 1/{TIMES} or less"))
    }
}

/// Measures so many callbacks of each. `sso` is built already, in this profile.
pub(crate) async fn compare(stand_ins: &Url, callbacks: u32, folder: &Path, profile: Profile) -> Result<Compared> {
    ensure!(callbacks > 0, "no callbacks, no figures");
    tools::install_peers()?;
    std::fs::create_dir_all(folder)?;
    let sso = sso(stand_ins, callbacks, folder, profile).await.context("sso")?;
    let passport = passport(stand_ins, callbacks).await.context("passport-ubuntu")?;
    let verification = verification(stand_ins, callbacks).await.context("the relying party of sso")?;
    Ok(Compared { verification, sso, passport })
}

/// The function as it runs on Lambda, with all its calls to AWS.
async fn sso(stand_ins: &Url, callbacks: u32, folder: &Path, profile: Profile) -> Result<Side> {
    let (aws, api) = (AwsOverTls::start(folder).await?, Invoker::start().await?);
    let mut command = Command::new(program_of("sso", profile));
    command.env_clear().envs(start::environment()).env("AWS_LAMBDA_FUNCTION_NAME", "sso");
    command.env("AWS_LAMBDA_RUNTIME_API", &api.address).env("SIGN_IN_URL", stand_ins.as_str());
    command.env("AWS_ENDPOINT_URL", &aws.url).env("SSL_CERT_FILE", &aws.certificates);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut running = command.spawn().context("it cannot be started")?;
    let pid = running.id().context("it ended")?;
    let process = Process::now(i32::try_from(pid)?).context("it ended")?;
    let browser = Browser { api: &api, event: serde_json::from_str(&start::event("sso")?)?, stand_ins };
    // The first ones are not measured, on both sides.
    let warm = callbacks.div_ceil(10);
    let mut events = Vec::new();
    for _ in 0..callbacks + warm {
        events.push(browser.comes_back().await?);
    }
    for event in events.drain(..usize::try_from(warm)?) {
        browser.is_signed_in(&event).await?;
    }
    let (cpu, begin) = (process.processor_time()?, Instant::now());
    for event in &events {
        browser.is_signed_in(event).await?;
    }
    let (seconds, cpu) = (begin.elapsed().as_secs_f64(), process.processor_time()?.saturating_sub(cpu).as_secs_f64());
    let peak = start::peak(pid)?;
    running.kill().await?;
    Ok(per_callback(callbacks, seconds, cpu, peak))
}

struct Browser<'a> {
    api: &'a Invoker,
    event: Value,
    stand_ins: &'a Url,
}

impl Browser<'_> {
    /// Goes to the provider by `/sign-in`, and comes back with an assertion: the event of the callback.
    async fn comes_back(&self) -> Result<Value> {
        let away = self.api.invoke(&self.event).await?;
        let header = |name: &str| -> Result<String> {
            let value = &away["multiValueHeaders"][name][0];
            Ok(value.as_str().with_context(|| format!("no {name} in {away}"))?.to_owned())
        };
        let (location, cookie) = (header("location")?, header("set-cookie")?);
        let mut choose = self.stand_ins.join("+openid/sign-in-as")?;
        choose.query_pairs_mut().append_pair("name", "alice").extend_pairs(location.parse::<Url>()?.query_pairs());
        let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build()?;
        let back = client.get(choose).send().await?;
        let back = back.headers().get("location").with_context(|| format!("no redirect but {}", back.status()))?;
        let back: Url = back.to_str()?.parse()?;
        let mut event = self.event.clone();
        let one: serde_json::Map<_, _> = back.query_pairs().map(|(name, value)| (name.into(), json!(value))).collect();
        let many: serde_json::Map<_, _> = one.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
        event["queryStringParameters"] = one.into();
        event["multiValueQueryStringParameters"] = many.into();
        for place in ["/resource", "/path", "/requestContext/path", "/requestContext/resourcePath"] {
            *event.pointer_mut(place).with_context(|| format!("the event has no {place}"))? = json!("/callback");
        }
        let cookie = cookie.split(';').next().unwrap_or_default();
        event["headers"]["Cookie"] = json!(cookie);
        event["multiValueHeaders"]["Cookie"] = json!([cookie]);
        Ok(event)
    }

    async fn is_signed_in(&self, event: &Value) -> Result<()> {
        let home = self.api.invoke(event).await?;
        let cookies = home["multiValueHeaders"]["set-cookie"].to_string();
        ensure!(home["statusCode"] == 303 && cookies.contains("session"), "not signed in: {home}");
        Ok(())
    }
}

/// Node with nothing but the strategy: see infra/dev/bench/passport.mjs.
async fn passport(stand_ins: &Url, callbacks: u32) -> Result<Side> {
    let mut node = std::process::Command::new(find_program(NODE.programs).context("no node")?);
    node.arg(membermail_toolbox::workspace().join("infra/dev/bench/passport.mjs")).arg(tools::peers().node_modules);
    measured(node, stand_ins, callbacks).await
}

/// The relying party with nothing around it: see shared/identity/examples/verify.rs. As it is shipped: a release build.
async fn verification(stand_ins: &Url, callbacks: u32) -> Result<Side> {
    let mut cargo = std::process::Command::new("cargo");
    cargo.current_dir(membermail_toolbox::workspace());
    cargo.args(["build", "--release", "--package", "membermail-identity", "--example", "verify"]);
    tokio::task::spawn_blocking(move || step::quietly(&mut cargo)).await??;
    measured(std::process::Command::new(built("release", "examples/verify")), stand_ins, callbacks).await
}

/// Runs one side, which prints its figures as JSON.
async fn measured(mut side: std::process::Command, stand_ins: &Url, callbacks: u32) -> Result<Side> {
    side.arg(stand_ins.as_str().trim_end_matches('/')).arg(callbacks.to_string());
    let text = tokio::task::spawn_blocking(move || step::quietly(&mut side)).await??;
    let figures: Value = serde_json::from_str(text.trim()).with_context(|| text.clone())?;
    let number = |name: &str| figures[name].as_f64().with_context(|| format!("no {name} in {figures}"));
    Ok(per_callback(callbacks, number("seconds")?, number("cpu_seconds")?, number("peak_mb")?))
}

fn per_callback(callbacks: u32, seconds: f64, cpu: f64, peak: f64) -> Side {
    let each = |seconds: f64| seconds * 1000.0 / f64::from(callbacks);
    Side { milliseconds: each(seconds), cpu: each(cpu), peak }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::exactly_ten_times(1.0, true)]
    #[case::nearly_ten_times(1.1, false)]
    fn verification_is_compared_by_cpu(#[case] cpu: f64, #[case] is_met: bool) {
        let side = |cpu| Side { milliseconds: 20.0, cpu, peak: 9.0 };
        let compared = Compared { verification: side(cpu), sso: side(12.0), passport: side(10.0) };
        assert_eq!(compared.missed().is_none(), is_met);
    }
}
