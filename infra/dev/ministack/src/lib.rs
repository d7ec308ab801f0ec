//! The AWS emulator MiniStack (MIT licence), without any software of Amazon. Other code only knows its endpoint, the
//! standard `AWS_ENDPOINT_URL`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use membermail_toolbox::python;
use membermail_toolbox::service::{HealthCheck, Service, ServiceConfig};

mod adapt;
mod complete;

pub use adapt::adapt;
pub use complete::complete;

/// A separate virtual environment: MiniStack's dependencies conflict with the other tools.
const ENVIRONMENT: &str = "ministack";

/// Options of an emulator.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of all files; separate for each emulator.
    pub state_dir: PathBuf,
    /// Loopback port.
    pub port: u16,
    /// AWS endpoint of the functions, if not the emulator itself.
    pub functions_endpoint: Option<String>,
}

/// Installs MiniStack.
pub fn install() -> Result<()> {
    python::install_isolated(ENVIRONMENT, "MiniStack", &here().join("locks/ministack.txt"))
}

/// Starts MiniStack and waits until it is healthy.
pub async fn start(options: &Options) -> Result<Service> {
    let state = &options.state_dir;
    let url = format!("http://127.0.0.1:{}", options.port);
    let logs = state.join("logs");
    for folder in [&logs, &state.join("tmp")] {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let mut command = Command::new(python::isolated_program(ENVIRONMENT, "python"));
    command.arg(here().join("python/start.py"));
    // The functions inherit this environment, so it must not contain the developer's variables.
    command.env_clear().envs([
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        // Without both, MiniStack listens on all interfaces.
        ("BIND_HOST", "127.0.0.1"),
        ("IOT_MTLS_ENABLED", "0"),
        ("MINISTACK_HOST", "localhost"),
        ("LAMBDA_EXECUTOR", "local"),
        // Functions are limited to the permissions of their roles.
        ("AUTH", "true"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONUNBUFFERED", "1"),
    ]);
    let folders = [("HOME", ""), ("TMPDIR", "tmp"), ("STATE_DIR", "state"), ("S3_DATA_DIR", "s3")];
    command.envs(folders.map(|(name, folder)| (name, state.join(folder))));
    command.env("MEMBERMAIL_LOGS", &logs).env("GATEWAY_PORT", options.port.to_string());
    // For the functions; the emulator itself does not use it.
    command.env("AWS_ENDPOINT_URL", options.functions_endpoint.as_ref().unwrap_or(&url));
    Service::start(ServiceConfig {
        name: "the emulator",
        command,
        url,
        health: HealthCheck::HttpSuccess("/_ministack/health"),
        log: Some(state.join("emulator.log")),
        startup_timeout: Duration::from_secs(60),
    })
    .await
}

fn here() -> PathBuf {
    Path::new(&membermail_toolbox::workspace()).join("infra/dev/ministack")
}
