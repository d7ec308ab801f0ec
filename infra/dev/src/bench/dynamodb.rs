//! DynamoDB Local by itself, for benchmarks: what lies between it and an emulator's gateway is not to be measured.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use membermail_toolbox::process::Process;
use membermail_toolbox::workspace;

/// A program in the background, until it is dropped.
pub(crate) struct Background {
    /// Where it listens.
    pub(crate) port: u16,
    /// The process.
    pub(crate) process: Process,
    child: Child,
}

impl Background {
    /// Starts it and waits until it listens.
    pub(crate) fn start(command: &mut Command, port: u16, log: &Path) -> Result<Self> {
        let file = File::create(log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("cannot start {:?}", command.get_program()))?;
        let process = i32::try_from(child.id()).ok().and_then(Process::now).context("it ended at once")?;
        let background = Self { port, process, child };
        let begin = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if begin.elapsed() > Duration::from_secs(30) || !background.process.runs() {
                bail!("it does not answer: see {}", log.display());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(background)
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.process.stop(Duration::from_secs(3));
        let _ = self.child.wait();
    }
}

/// Starts it with an empty memory, on a port that is free.
pub(crate) fn dynamodb(state: &Path) -> Result<Background> {
    let port = free_port()?;
    Background::start(&mut membermail_localstack::dynamodb(port)?, port, &state.join("dynamodb.log"))
}

/// Gives a command the address and credentials of a DynamoDB at this port.
pub(crate) fn aws(mut command: Command, port: u16) -> Command {
    command.env_remove("AWS_PROFILE").envs([
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}").as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ]);
    command
}

/// A program of the release build.
pub(crate) fn built(name: &str) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace().join("target"), PathBuf::from)
        .join("release")
        .join(name)
}

/// A port that nobody has.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
