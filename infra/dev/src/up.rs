//! `cargo dev up` and `cargo dev down`.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use membermail_toolbox::process::Process;
use tokio::signal::unix::{SignalKind, signal};

use crate::emulator::{self, Emulator};
use crate::site::{self, Site};
use crate::state::Started;
use crate::tools;

/// How to start.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Port of the site on this machine
    #[arg(long, default_value_t = 8480)]
    port: u16,
    /// Port of the stand-ins for the sign-in provider and Launchpad
    #[arg(long, default_value_t = 8481)]
    stand_ins_port: u16,
    /// The community, as its file in infra/communities is named
    #[arg(long, default_value = "ubuntu")]
    community: String,
    /// What stands for AWS
    #[arg(long, value_enum, default_value_t)]
    emulator: Emulator,
}

/// Starts everything and stays until it is told to stop.
pub(crate) async fn up(options: &Options) -> Result<()> {
    if let Some(started) = Started::read()? {
        bail!("it runs already, at {}; `cargo dev down` stops it", started.url);
    }
    // Asked for now, so that a Ctrl-C while things start ends them in order too.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let begin = Instant::now();
    tools::install()?;
    let options = site::Options {
        state: site::state("up"),
        port: options.port,
        stand_ins: options.stand_ins_port,
        community: options.community.clone(),
        emulator: options.emulator,
        syncs: true,
    };
    let site = tokio::select! {
        site = Site::start(&options) => site?,
        // What was started so far ends as its values are dropped.
        _ = interrupt.recv() => return Ok(()),
        _ = terminate.recv() => return Ok(()),
    };
    let this = i32::try_from(std::process::id()).ok().and_then(Process::now).context("no /proc")?;
    let processes = std::iter::once(this).chain(site.processes()).collect();
    Started { url: site.url.clone(), processes }.write()?;
    println!("\n{} is up after {:.0} s.", site.url, begin.elapsed().as_secs_f32());
    println!("  sign in:  open {}/sign-in and choose a person at {}", site.url, site.stand_ins.url);
    println!("  mail:     {}", site.mail.folder.join("mail").display());
    println!("  AWS:      {}", site.emulator.endpoint_url);
    println!("  logs:     {}", emulator::logs(&options.state).display());
    println!("  stop:     Ctrl-C, or `cargo dev down`");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    println!("stopping …");
    site.stop()?;
    Started::forget()
}

/// Ends what `up` started, also where `up` itself was killed.
pub(crate) fn down() -> Result<()> {
    let Some(started) = Started::read()? else {
        println!("nothing runs");
        return Started::forget();
    };
    for process in &started.processes {
        process.stop(Duration::from_secs(20))?;
    }
    println!("stopped what was at {}", started.url);
    Started::forget()
}
