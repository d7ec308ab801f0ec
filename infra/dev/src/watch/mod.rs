//! `cargo dev watch`: the site as `cargo dev up` has it, but with the functions under `cargo lambda watch`, which
//! compiles and starts them anew when a source changes. What the functions are wired to is read from the deployed
//! stack: routes of the API, queues in front of functions, and their environment.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use membermail_toolbox::service::{Health, Plan, Service};
use membermail_toolbox::{step, venv_program, workspace};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::front::{self, Target};
use crate::site::{self, Site};
use crate::up::{self, Options, Stop};
use crate::{aws, emulator, functions, test};

mod pump;
pub(crate) mod routes;
mod wiring;

use wiring::Wiring;

/// Starts everything and stays until it is told to stop.
pub(crate) async fn watch(options: &Options) -> Result<()> {
    let name = &options.name.name;
    let (mut stop, begin) = (Stop::new()?, Instant::now());
    let options = site::Options { queues: false, ..options.site() };
    let (site, mut server, pumps) = tokio::select! {
        started = start(&options) => started?,
        // What was started so far ends as its values are dropped.
        () = stop.asked() => return Ok(()),
    };
    site.run.announce(test::describe(&site, &options.state)?, &site.url)?;
    up::tell(&site, name, begin);
    println!("  edit:     a function is compiled and started anew when it is next needed; its log comes here");
    stop.asked().await;
    println!("stopping …");
    drop(pumps);
    server.stop()?;
    site.stop()
}

async fn start(options: &site::Options) -> Result<(Site, Service, JoinSet<()>)> {
    let (site, listener) = Site::deploy(options).await?;
    let wiring = step::during("read how the functions are wired", || Wiring::read(&site.emulator.url))?;
    let server = serve_functions(&site.emulator.url, &wiring.environment).await?;
    let pumps = pump::start(wiring.queues, &aws::local(&site.emulator.url).await, &server.url)?;
    front::serve(listener, Target::Functions { server: server.url.clone(), routes: wiring.routes })?;
    Ok((site, server, pumps))
}

/// `cargo lambda watch` with all functions in the environment that the stack gives them.
async fn serve_functions(endpoint: &str, environment: &BTreeMap<String, String>) -> Result<Service> {
    let port = emulator::free_port()?;
    let mut command = Command::new(venv_program("cargo-lambda"));
    command.current_dir(workspace()).args(["lambda", "watch", "--quiet", "--wait", "--disable-cors"]);
    command.args(["--invoke-address", "127.0.0.1", "--invoke-port", &port.to_string()]);
    functions::with_tools_in_path(&mut command)?;
    aws::keep_local(&mut command, endpoint).envs(environment);
    Service::start(Plan {
        name: "cargo lambda watch",
        command,
        url: format!("http://127.0.0.1:{port}"),
        // It has no health of its own. This answers whatever it is asked, and leads to no function.
        health: Health::Any("/.rt/2022-07-01/telemetry"),
        log: None,
        patience: Duration::from_secs(60),
    })
    .await
}

/// What the AWS command line at this endpoint says.
fn ask(endpoint: &str, arguments: &[&str]) -> Result<Value> {
    let said = step::quietly(aws::cli(Some(endpoint)).args(arguments))?;
    serde_json::from_str(&said).with_context(|| format!("what {} said", arguments.join(" ")))
}

/// The last part of a name of AWS: of a function, or of a queue.
fn name_of(arn: &str) -> Result<&str> {
    match arn.rsplit_once(':') {
        Some((_, name)) if !name.is_empty() => Ok(name),
        _ => bail!("{arn:?} is no ARN"),
    }
}
