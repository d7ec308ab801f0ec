//! `cargo dev test`: all tests, with a stack of their own deployed for those that want one.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use membermail_toolbox::{find_program, folder, venv_program};
use serde_json::{Value, json};

use crate::emulator::{self, Emulator};
use crate::site::{self, Site};
use crate::up::Stop;
use crate::{mail, mailbox, redaction, rights, stack, tools};

/// Which tests.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Run only tests whose name holds this
    filter: Option<String>,
    /// What stands for AWS
    #[arg(long, value_enum, default_value_t, env = emulator::VARIABLE)]
    emulator: Emulator,
}

/// Starts a stack on free ports, so that it disturbs no `cargo dev up`, runs the tests and stops it.
pub(crate) async fn test(options: &Options) -> Result<()> {
    let begin = Instant::now();
    tools::install()?;
    tools::install_runner()?;
    tools::install_browser()?;
    tools::install_peers()?;
    tools::install_dns()?;
    mail::install()?;
    let state = site::state("test");
    let mut stop = Stop::new()?;
    let wanted = site::Options::named("test", options.emulator);
    let site = tokio::select! {
        site = Site::start(&wanted) => site?,
        // What was started so far ends as its values are dropped.
        () = stop.asked() => bail!("stopped"),
    };
    let file = state.join("stack.json");
    fs::write(&file, serde_json::to_vec_pretty(&describe(&site, &state)?)?)
        .with_context(|| format!("writing {}", file.display()))?;
    let mut runner = tools::runner();
    runner.args(["run", "--no-fail-fast", "--workspace"]).args(&options.filter);
    runner.env("MEMBERMAIL_STACK", &file).env(emulator::VARIABLE, options.emulator.name());
    let mut tests =
        tokio::process::Command::from(runner).kill_on_drop(true).spawn().context("cannot start the tests")?;
    let status = tokio::select! {
        status = tests.wait() => status?,
        // A Ctrl-C reaches the tests too; whoever ends only this process must not leave an emulator behind.
        () = stop.asked() => bail!("stopped"),
    };
    let logs = emulator::logs(&state);
    let rights = rights::review(&site.emulator.url, &emulator::calls(&state));
    site.stop()?;
    let took = begin.elapsed().as_secs();
    if !status.success() {
        bail!("the tests failed after {took} s; logs of the functions are in {}", logs.display());
    }
    rights?;
    let lines = redaction::check(&logs, &state.join("mail"))?;
    println!(
        "all tests passed, and the stack is gone again, after {took} s; no address or token in {lines} lines of log"
    );
    Ok(())
}

/// Where everything of a site is, for tests and other programs.
pub(crate) fn describe(site: &Site, state: &Path) -> Result<Value> {
    Ok(json!({
        "endpoint_url": site.emulator.url,
        "code_bucket": stack::BUCKET,
        "template_url": stack::template_url(),
        "public_url": site.url,
        "stand_ins_url": site.stand_ins.url,
        "table": site.output("TableName")?,
        "verify_queue_url": site.output("VerifyQueueUrl")?,
        "write_queue_url": site.output("WriteQueueUrl")?,
        "verify_dead_letters_url": site.output("VerifyDeadLettersUrl")?,
        "write_dead_letters_url": site.output("WriteDeadLettersUrl")?,
        "sync_queue_url": site.output("SyncQueueUrl")?,
        "master_secret_arn": site.output("MasterSecretArn")?,
        "api_url": format!("{}/", site.api_url()?),
        // Everything of this run descends from this process.
        "pid": std::process::id(),
        "check_domains_function": site.output("CheckDomainsFunction")?,
        "start_sync_function": site.output("StartSyncFunction")?,
        "alarm_topic_arn": site.output("AlarmTopicArn")?,
        "dashboard": site.output("DashboardName")?,
        "peers": { "python": tools::peers().python, "node_modules": tools::peers().node_modules },
        "knotd": find_program(&["knotd"]),
        "mail": mail::description(site, state)?,
        "mailbox": site.mailbox.folder,
        "smtp_python": mailbox::python(),
        "notify_queue_url": site.output("NotifyQueueUrl")?,
        "logs": emulator::logs(state),
        "python": venv_program("python"),
        "node_modules": folder().join("browser/node_modules"),
        "chromium": find_program(&tools::CHROMIUM),
        "chromedriver": find_program(&["chromedriver"]),
    }))
}
