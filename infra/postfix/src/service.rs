//! A program in the background, with a log file, until its value is dropped.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use membermail_core::random::{self, OsRandom};
use membermail_toolbox::process::Process;

/// How long it may take until it answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// One program while it runs.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) process: Process,
    log: PathBuf,
    child: Child,
}

impl Service {
    /// Starts it, with its output in `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0);
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().with_context(|| format!("cannot start {program}"))?;
        let process = i32::try_from(child.id()).ok().and_then(Process::now);
        let process = process.with_context(|| format!("{program} ended at once"))?;
        Ok(Self { process, log: log.to_owned(), child })
    }

    /// Waits until it takes connections there.
    pub(crate) async fn answers(&mut self, port: u16) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}: {}", tail(&self.log));
            }
            if answers(port) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("it does not answer on port {port}: {}", tail(&self.log))
    }

    /// Ends it without a word, as a crash does.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.stop(Duration::from_secs(6));
        let _ = self.child.wait();
    }
}

/// Whether something takes connections there.
pub(crate) fn answers(port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), Duration::from_millis(200)).is_ok()
}

/// A port that nobody listens at just now, below those that the kernel gives to clients: one of them could have taken
/// it by the time a server binds it.
pub(crate) fn free_port() -> Result<u16> {
    for _ in 0..200 {
        let port = 20_000 + u16::from_be_bytes(random::bytes(&OsRandom)) % 12_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free")
}

/// The end of a log, for an error.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().rev().take(12).collect();
    let lines: Vec<_> = lines.into_iter().rev().collect();
    format!("{}\n{}", log.display(), lines.join("\n"))
}
