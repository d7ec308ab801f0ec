//! `cargo dev watch`: the site of `cargo dev up` with the functions under `cargo lambda watch`, which rebuilds and
//! restarts them when a source changes. Routes, queues and environment come from the deployed stack.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use membermail_toolbox::net::free_port;
use membermail_toolbox::service::{HealthCheck, Service, ServiceConfig};
use membermail_toolbox::step;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::front::{self, Target};
use crate::shutdown::Shutdown;
use crate::site::{self, Site};
use crate::up::{self, Options};
use crate::{aws, serve, stack_file};

mod event_source;
pub(crate) mod wiring;

use wiring::Wiring;

/// Starts the site and runs until a signal.
pub(crate) async fn watch(options: &Options) -> Result<()> {
    let name = &options.name.name;
    let started = Instant::now();
    let mut shutdown = Shutdown::new()?;
    let options = site::Options { queues: false, ..options.site() };
    let (site, mut server, event_sources) = tokio::select! {
        running = start(&options) => running?,
        // Dropping the future stops the services that have started.
        () = shutdown.requested() => return Ok(()),
    };
    site.run.publish(stack_file::describe(&site, &options.state)?, &site.url)?;
    up::print_summary(&site, name, started);
    println!("  edit:     a changed function is rebuilt on its next invocation; its log appears here");
    shutdown.requested().await;
    println!("stopping …");
    drop(event_sources);
    server.stop()?;
    site.stop()
}

async fn start(options: &site::Options) -> Result<(Site, Service, JoinSet<()>)> {
    let (site, listener) = Site::deploy(options).await?;
    let wiring = step::with_progress("read the stack's configuration", || Wiring::read(&site.emulator.url))?;
    let server = serve_functions(&site.emulator.url, &wiring.environment).await?;
    let event_sources = event_source::start(wiring.queues, &aws::local(&site.emulator.url).await, &server.url)?;
    front::serve(listener, Target::Functions { server: server.url.clone(), routes: wiring.routes })?;
    Ok((site, server, event_sources))
}

/// Starts `cargo lambda watch` with the environment of the deployed functions.
async fn serve_functions(endpoint: &str, environment: &BTreeMap<String, String>) -> Result<Service> {
    let port = free_port()?;
    let mut command = serve::command(port)?;
    command.arg("--quiet");
    aws::keep_local(&mut command, endpoint).envs(environment);
    Service::start(ServiceConfig {
        name: "cargo lambda watch",
        command,
        url: format!("http://127.0.0.1:{port}"),
        // There is no health endpoint; this path always responds and invokes no function.
        health: HealthCheck::HttpAny("/.rt/2022-07-01/telemetry"),
        log: None,
        startup_timeout: Duration::from_secs(60),
    })
    .await
}

/// Runs the AWS command line and parses its output.
fn query(endpoint: &str, arguments: &[&str]) -> Result<Value> {
    let output = step::capture(aws::cli(Some(endpoint)).args(arguments))?;
    serde_json::from_str(&output).with_context(|| format!("invalid output of {}", arguments.join(" ")))
}

/// The last part of an ARN: the name of a function or queue.
fn name_of(arn: &str) -> Result<&str> {
    match arn.rsplit_once(':') {
        Some((_, name)) if !name.is_empty() => Ok(name),
        _ => bail!("{arn:?} is not an ARN"),
    }
}
