//! `cargo dev test`: all tests, with a stack of their own deployed for those that want one.

use std::fs;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use membermail_toolbox::{find_program, folder, venv_program, workspace};
use serde_json::json;

use crate::emulator::{self, Emulator};
use crate::mail;
use crate::site::{self, Site};
use crate::tools;

/// Which tests.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Run only tests whose name holds this
    filter: Option<String>,
    /// What stands for AWS
    #[arg(long, value_enum, default_value_t)]
    emulator: Emulator,
}

/// Starts a stack on free ports, so that it disturbs no `cargo dev up`, runs the tests and stops it.
pub(crate) async fn test(options: &Options) -> Result<()> {
    let begin = Instant::now();
    tools::install()?;
    tools::install_browser()?;
    let peers = tools::install_peers()?;
    let state = site::state("test");
    let start = site::Options {
        state: state.clone(),
        port: 0,
        stand_ins: 0,
        community: "ubuntu".to_owned(),
        emulator: options.emulator,
        syncs: false,
    };
    let site = Site::start(&start).await?;
    let description = json!({
        "endpoint_url": site.emulator.endpoint_url,
        "public_url": site.url,
        "stand_ins_url": site.stand_ins.url,
        "table": site.output("TableName")?,
        "verify_queue_url": site.output("VerifyQueueUrl")?,
        "write_queue_url": site.output("WriteQueueUrl")?,
        "sync_queue_url": site.output("SyncQueueUrl")?,
        "verify_dead_letters_url": site.output("VerifyDeadLettersUrl")?,
        "write_dead_letters_url": site.output("WriteDeadLettersUrl")?,
        "master_secret_arn": site.output("MasterSecretArn")?,
        "notify_queue_url": site.output("NotifyQueueUrl")?,

        "mail": site.mail.folder,
        "smtp_python": mail::python(),
        "logs": emulator::logs(&state),
        "peers": { "python": peers.python, "node_modules": peers.node_modules },
        "python": venv_program("python"),
        "node_modules": folder().join("browser/node_modules"),
        "chromium": find_program(&tools::CHROMIUM),
        "chromedriver": find_program(&["chromedriver"]),
    });
    let file = state.join("stack.json");
    fs::write(&file, serde_json::to_vec_pretty(&description)?)
        .with_context(|| format!("writing {}", file.display()))?;
    let mut cargo = Command::new("cargo");
    match find_program(&["cargo-nextest"]) {
        Some(_) => cargo.args(["nextest", "run", "--no-fail-fast"]),
        None => cargo.arg("test"),
    };
    cargo.current_dir(workspace()).arg("--workspace").args(&options.filter).env("MEMBERMAIL_STACK", &file);
    // The site's front is a task of this process, so its thread must not be held up by the wait.
    let status = tokio::task::spawn_blocking(move || cargo.status()).await?.context("cannot start the tests")?;
    let logs = emulator::logs(&state);
    site.stop()?;
    let took = begin.elapsed().as_secs();
    if !status.success() {
        bail!("the tests failed after {took} s; logs of the functions are in {}", logs.display());
    }
    println!("all tests passed, and the stack is gone again, after {took} s");
    Ok(())
}
