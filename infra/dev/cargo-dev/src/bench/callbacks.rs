//! The callback of `sso`: sequential callbacks from a fake provider, in one single-threaded process.
//!
//! The verification alone (`shared/identity/examples/verify.rs`) and the whole function are measured. For OpenID 2.0, npm's
//! `passport-ubuntu`, which the existing service uses, verifies callbacks of the same provider. It only verifies, so the
//! target is for the verification alone.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use membermail_toolbox::net::http_client;
use membermail_toolbox::process::Process;
use membermail_toolbox::{find_program, step};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

use super::aws_over_tls::{AwsOverTls, SECRET};
use super::browser;
use super::community::Community;
use super::figures::rounded;
use super::runtime_api::RuntimeApi;
use super::start::{self, NODE, SIGN_IN_SECRET};
use crate::builds::Profile;
use crate::functions::program_of;
use crate::tools;

/// Target: our verification takes at most 1/10 of the CPU time of passport-ubuntu.
const MIN_SPEEDUP: f64 = 10.0;

/// The cost of a callback.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side {
    /// Elapsed milliseconds per callback.
    pub(crate) milliseconds: f64,
    /// CPU milliseconds per callback.
    pub(crate) cpu: f64,
    /// Peak resident memory in MB.
    pub(crate) peak: f64,
}

/// The measured programs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compared {
    /// The relying party of `sso` alone, which does the same work as passport-ubuntu.
    pub(crate) verification: Side,
    /// The whole function, with its calls to AWS.
    pub(crate) sso: Side,
    /// npm's passport-ubuntu; none for OpenID Connect.
    pub(crate) passport: Option<Side>,
}

impl Side {
    fn row(&self, name: &str) -> Vec<String> {
        let Self { milliseconds, cpu, peak } = self;
        let per_second = 1000.0 / cpu;
        let figures =
            format!("{milliseconds:.2} ms, {cpu:.2} ms of CPU, {per_second:.0} per second and core, {peak:.1} MB");
        vec![format!("callback, {name}"), figures]
    }

    fn json(&self) -> Value {
        json!({
            "ms": rounded(self.milliseconds), "cpu_ms": rounded(self.cpu), "peak_mb": rounded(self.peak),
            "per_second_and_core": rounded(1000.0 / self.cpu),
        })
    }
}

impl Compared {
    /// Rows of a table with two columns.
    pub(crate) fn rows(&self) -> Vec<Vec<String>> {
        let passport = self.passport.map(|passport| passport.row("verification by passport-ubuntu"));
        let own = [
            self.verification.row("verification by sso's relying party"),
            self.sso.row("the whole sso, with session and queue"),
        ];
        passport.into_iter().chain(own).collect()
    }

    /// The figures as JSON.
    pub(crate) fn json(&self) -> Value {
        let passport = self.passport.map(|passport| passport.json());
        json!({ "verification": self.verification.json(), "sso": self.sso.json(), "passport_ubuntu": passport })
    }

    /// The missed target, if any.
    pub(crate) fn missed(&self) -> Option<String> {
        let speedup = self.passport?.cpu / self.verification.cpu;
        (speedup < MIN_SPEEDUP).then(|| {
            format!("verifying a callback takes 1/{speedup:.1} of passport-ubuntu's CPU, maximum 1/{MIN_SPEEDUP}")
        })
    }
}

/// Where the callbacks of a measurement come from.
struct Origin<'a> {
    community: Community,
    client: reqwest::Client,
    fakes: &'a Url,
    callbacks: u32,
}

/// Measures `callbacks` callbacks of each program. `sso` must be built in this profile. Changes the client that is registered
/// at the fake GitLab.
pub(crate) async fn compare(
    community: Community,
    fakes: &Url,
    callbacks: u32,
    folder: &Path,
    profile: Profile,
) -> Result<Compared> {
    ensure!(callbacks > 0, "at least one callback is needed");
    std::fs::create_dir_all(folder)?;
    let origin = Origin { community, client: http_client()?, fakes, callbacks };
    let passport = match community {
        Community::Ubuntu => {
            tools::install_peers()?;
            Some(passport(&origin).await.context("passport-ubuntu")?)
        }
        Community::Example => None,
    };
    let verification = verification(&origin).await.context("the relying party of sso")?;
    let sso = sso(&origin, folder, profile).await.context("sso")?;
    Ok(Compared { verification, sso, passport })
}

/// The function as on Lambda, with all its calls to AWS.
async fn sso(origin: &Origin<'_>, folder: &Path, profile: Profile) -> Result<Side> {
    let Origin { community, client, fakes, callbacks } = origin;
    let aws = AwsOverTls::start(folder).await?;
    let api = RuntimeApi::start().await?;
    let mut command = start::function_command(&program_of("sso", profile), "sso", &api);
    command.env("COMMUNITY", community.id()).env("SIGN_IN_URL", fakes.as_str());
    command.env("AWS_ENDPOINT_URL", &aws.url).env("SSL_CERT_FILE", &aws.certificates);
    if *community == Community::Example {
        command.env("SIGN_IN_SECRET_ARN", SIGN_IN_SECRET);
        let callback = format!("https://mail.example.org/callback/localhost-{}", fakes.port().context("no port")?);
        let application = json!({ "secrets": [SECRET], "redirect_uris": [callback] });
        let control = fakes.join("control/gitlab/oauth/application")?;
        client.put(control).json(&application).send().await?.error_for_status()?;
    }
    let mut running = command.spawn().context("cannot start it")?;
    let pid = running.id().context("it exited")?;
    let process = Process::find(i32::try_from(pid)?).context("it exited")?;
    // Warm-up callbacks are not measured, for all programs.
    let warm_up = callbacks.div_ceil(10);
    let mut events = Vec::new();
    for _ in 0..callbacks + warm_up {
        events.push(callback_event(&api, origin).await?);
    }
    for event in events.drain(..usize::try_from(warm_up)?) {
        complete_sign_in(&api, &event).await?;
    }
    let cpu_before = process.cpu_time()?;
    let started = Instant::now();
    for event in &events {
        complete_sign_in(&api, event).await?;
    }
    let seconds = started.elapsed().as_secs_f64();
    let cpu = process.cpu_time()?.saturating_sub(cpu_before).as_secs_f64();
    let peak = process.peak_memory()?;
    running.kill().await?;
    Ok(per_callback(*callbacks, seconds, cpu, peak))
}

/// Starts a sign-in and chooses a person at the provider; returns the event of the callback.
async fn callback_event(api: &RuntimeApi, origin: &Origin<'_>) -> Result<Value> {
    let redirect = api.invoke(&browser::get("/sign-in", &[], None)?).await?;
    let request = browser::header(&redirect, "location")?.parse()?;
    let cookie = browser::cookies(&redirect).into_iter().next().context("no sign-in cookie")?;
    let callback = origin.community.choose_person(&origin.client, origin.fakes, "alice", &request).await?;
    browser::get(callback.path(), &browser::query_of(&callback), Some(&cookie))
}

async fn complete_sign_in(api: &RuntimeApi, event: &Value) -> Result<()> {
    let response = api.invoke(event).await?;
    let cookies = response["multiValueHeaders"]["set-cookie"].to_string();
    ensure!(response["statusCode"] == 303 && cookies.contains("session"), "not signed in: {response}");
    Ok(())
}

/// passport-ubuntu alone, without a web server: see infra/dev/cargo-dev/bench/passport.mjs.
async fn passport(origin: &Origin<'_>) -> Result<Side> {
    let mut node = std::process::Command::new(find_program(NODE.programs).context("no node")?);
    node.arg(membermail_toolbox::workspace().join("infra/dev/cargo-dev/bench/passport.mjs"))
        .arg(tools::peers().node_modules);
    run(node, origin).await
}

/// The relying party alone, as a release build: see shared/identity/examples/verify.rs.
async fn verification(origin: &Origin<'_>) -> Result<Side> {
    let mut cargo = step::cargo();
    cargo.args(["build", "--release", "--package", "membermail-identity", "--example", "verify"]);
    tokio::task::spawn_blocking(move || step::capture(&mut cargo)).await??;
    let mut verify = std::process::Command::new(program_of("examples/verify", Profile::Release));
    verify.arg(match origin.community {
        Community::Ubuntu => "openid2",
        Community::Example => "openid-connect",
    });
    run(verify, origin).await
}

/// Runs a program that prints its figures as JSON.
async fn run(mut command: std::process::Command, origin: &Origin<'_>) -> Result<Side> {
    command.arg(origin.fakes.as_str().trim_end_matches('/')).arg(origin.callbacks.to_string());
    let text = tokio::task::spawn_blocking(move || step::capture(&mut command)).await??;
    let figures: Figures = serde_json::from_str(text.trim()).with_context(|| text.clone())?;
    Ok(per_callback(origin.callbacks, figures.seconds, figures.cpu_seconds, figures.peak_mb))
}

#[derive(Deserialize)]
struct Figures {
    seconds: f64,
    cpu_seconds: f64,
    peak_mb: f64,
}

fn per_callback(callbacks: u32, seconds: f64, cpu: f64, peak: f64) -> Side {
    let factor = 1000.0 / f64::from(callbacks);
    Side { milliseconds: seconds * factor, cpu: cpu * factor, peak }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::exactly_ten_times(1.0, true)]
    #[case::nearly_ten_times(1.1, false)]
    fn verification_is_compared_by_cpu(#[case] cpu: f64, #[case] is_met: bool) {
        let passport = Side { milliseconds: 20.0, cpu: 10.0, peak: 9.0 };
        let compared = Compared { verification: Side { cpu, ..passport }, sso: passport, passport: Some(passport) };
        assert_eq!(compared.missed().is_none(), is_met);
        assert_eq!(Compared { passport: None, ..compared }.missed(), None);
    }
}
