//! `cargo dev test`: deploys a separate stack and runs all tests against it.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::dynamodb::start_dynamodb;
use crate::emulator::{self, Emulator};
use crate::shutdown::Shutdown;
use crate::site::{self, Site};
use crate::{mail, permissions, received_mail, redaction, serve, stack_file, tools};

/// The maximum heap of DynamoDB Local in megabytes. SQLite keeps the tables outside of it.
const HEAP: u32 = 512;

/// Options of `cargo dev test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Run only tests whose name contains this text
    filter: Option<String>,
    /// AWS emulator
    #[arg(long, value_enum, default_value_t, env = emulator::VARIABLE)]
    emulator: Emulator,
}

/// Starts a stack on free ports, next to any `cargo dev up`, runs the tests and stops the stack.
pub(crate) async fn test(options: &Options) -> Result<()> {
    let started = Instant::now();
    tools::install()?;
    tools::install_runner()?;
    tools::install_sam()?;
    tools::install_browser()?;
    tools::install_peers()?;
    tools::install_tested_with()?;
    mail::install()?;
    let state = site::state("test");
    let mut shutdown = Shutdown::new()?;
    let site_options = site::Options::named("test", options.emulator);
    let site = tokio::select! {
        site = Site::start(&site_options) => site?,
        // Dropping the future stops the services that have started.
        () = shutdown.requested() => bail!("stopped"),
    };
    let mut description = stack_file::describe(&site, &state)?;
    // LocalStack's gateway is slow, so tests that create their own tables use DynamoDB directly and leave it to the other tests.
    let dynamodb = match options.emulator {
        Emulator::Localstack => Some(start_dynamodb(&state, HEAP).await?),
        Emulator::Docker | Emulator::Ministack => None,
    };
    if let Some(dynamodb) = &dynamodb {
        description["dynamodb_url"] = dynamodb.url().into();
    }
    let file = state.join("stack.json");
    fs::write(&file, serde_json::to_vec_pretty(&description)?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    serve::write_environment(&state, &site.emulator.url)?;
    let mut runner = tools::runner();
    // Tests of the stack are ignored by a plain `cargo test`. Here they run too, and fail without a stack.
    runner.args(["run", "--no-fail-fast", "--workspace", "--run-ignored", "all"]).args(&options.filter);
    runner.env("MEMBERMAIL_STACK", &file).env(emulator::VARIABLE, options.emulator.name());
    let mut tests =
        tokio::process::Command::from(runner).kill_on_drop(true).spawn().context("cannot start the tests")?;
    let status = tokio::select! {
        status = tests.wait() => status?,
        // Ctrl-C also reaches the tests. After a SIGTERM to this process alone, `kill_on_drop` stops them.
        () = shutdown.requested() => bail!("stopped"),
    };
    let logs = emulator::logs(&state);
    let permissions = permissions::review(&site.emulator.url, &state, &emulator::calls(&state));
    site.stop()?;
    let seconds = started.elapsed().as_secs();
    if !status.success() {
        bail!("tests failed after {seconds} s; see the logs of the functions in {}", logs.display());
    }
    permissions?;
    let lines = redaction::check(&logs, &state.join("mail"))?;
    println!("redaction: no address or token in {lines} log lines");
    let mails = received_mail::check(&state.join("mail"))?;
    println!("confidentiality: no destination in {mails} mails that left a mail host");
    println!("all tests passed in {seconds} s; the stack is stopped");
    Ok(())
}
