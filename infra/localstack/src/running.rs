//! An emulator from start to stop.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use membermail_toolbox::process::Process;

use crate::{Flavour, Options, docker, host};

/// How long it may take until it answers.
const PATIENCE: Duration = Duration::from_secs(90);

/// One emulator that answers.
#[derive(Debug)]
pub struct Running {
    /// What `AWS_ENDPOINT_URL` is set to.
    pub endpoint_url: String,
    /// The process; everything else is a descendant of it.
    pub process: Process,
    /// What it has to say for itself.
    pub log: PathBuf,
    child: Child,
}

/// Starts an emulator and waits until it answers.
pub async fn start(options: &Options) -> Result<Running> {
    let port = match options.port {
        Some(port) => port,
        None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port(),
    };
    fs::create_dir_all(options.logs())?;
    let mut command = match options.flavour {
        Flavour::Host => host::command(options, port)?,
        Flavour::Docker => docker::command(port),
    };
    let log = options.state_dir.join("emulator.log");
    let file = File::create(&log)?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    // A group of its own: a Ctrl-C in the terminal is for us, and we stop it in order.
    command.process_group(0);
    let child = command.spawn().context("cannot start the emulator")?;
    let process = i32::try_from(child.id()).ok().and_then(Process::now).context("the emulator ended at once")?;
    let mut running = Running { endpoint_url: format!("http://127.0.0.1:{port}"), process, log, child };
    if let Err(error) = running.wait().await {
        running.stop()?;
        return Err(error);
    }
    Ok(running)
}

impl Running {
    /// Ends it with everything that it started.
    pub fn stop(&mut self) -> Result<()> {
        self.process.stop(Duration::from_secs(10))?;
        self.child.wait().context("waiting for the emulator")?;
        Ok(())
    }

    async fn wait(&mut self) -> Result<()> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let health = format!("{}/_localstack/health", self.endpoint_url);
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                bail!("the emulator ended with {status}: see {}", self.log.display());
            }
            if client.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("the emulator does not answer: see {}", self.log.display())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only where an error came in between; whoever stops in order has done it already.
        let _ = self.process.stop(Duration::from_secs(3));
        let _ = self.child.wait();
    }
}
