//! AWS on this machine without anything of Amazon's: MiniStack (MIT), behind an address and nothing else. Nothing
//! outside this folder knows it; functions and tools see only the standard `AWS_ENDPOINT_URL`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use membermail_toolbox::python;
use membermail_toolbox::service::{Health, Plan, Service};

mod adapt;
mod complete;

pub use adapt::adapt;
pub use complete::complete;

/// Its virtual environment: what it depends on would not agree with the other tools.
const ENVIRONMENT: &str = "ministack";

/// What one emulator is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Everything that it writes goes here; two emulators have two.
    pub state_dir: PathBuf,
    /// Where it listens.
    pub port: u16,
    /// What functions see as AWS, where that is not the emulator itself.
    pub seen_by_functions: Option<String>,
}

/// Installs it; instant when it is there.
pub fn install() -> Result<()> {
    python::install_apart(ENVIRONMENT, "MiniStack", &here().join("locks/ministack.txt"))
}

/// Starts it and waits until it answers.
pub async fn start(options: &Options) -> Result<Service> {
    let (state, url) = (&options.state_dir, format!("http://127.0.0.1:{}", options.port));
    let logs = state.join("logs");
    for folder in [&logs, &state.join("tmp")] {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let mut command = Command::new(python::program_apart(ENVIRONMENT, "python"));
    command.arg(here().join("python/start.py"));
    // Its environment is also that of the functions, so nothing of the developer's shell may be in it.
    command.env_clear().envs([
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        // Both, or it listens on every address.
        ("BIND_HOST", "127.0.0.1"),
        ("IOT_MTLS_ENABLED", "0"),
        ("MINISTACK_HOST", "localhost"),
        ("LAMBDA_EXECUTOR", "local"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONUNBUFFERED", "1"),
    ]);
    let folders = [("HOME", ""), ("TMPDIR", "tmp"), ("STATE_DIR", "state"), ("S3_DATA_DIR", "s3")];
    command.envs(folders.map(|(name, folder)| (name, state.join(folder))));
    command.env("MEMBERMAIL_LOGS", &logs).env("GATEWAY_PORT", options.port.to_string());
    // Where functions look for AWS; it is never asked by the emulator itself.
    command.env("AWS_ENDPOINT_URL", options.seen_by_functions.as_ref().unwrap_or(&url));
    Service::start(Plan {
        name: "the emulator",
        command,
        url,
        health: Health::Good("/_ministack/health"),
        log: Some(state.join("emulator.log")),
        patience: Duration::from_secs(60),
    })
    .await
}

fn here() -> PathBuf {
    Path::new(&membermail_toolbox::workspace()).join("infra/ministack")
}
