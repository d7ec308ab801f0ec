//! A mail server that keeps what it is given: `tests/smtp/sink.py`, which is aiosmtpd.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use membermail_toolbox::process::Process;
use membermail_toolbox::{python, workspace};
use serde_json::json;

use crate::aws;

/// The virtual environment that it is in.
const VENV: &str = "smtp";

/// The server while it runs; it ends with this value.
pub(crate) struct Mailbox {
    /// Where everything is kept.
    pub(crate) folder: PathBuf,
    /// The process.
    pub(crate) process: Process,
    port: u16,
    child: Child,
}

/// Installs it; instant when it is there.
pub(crate) fn install() -> Result<()> {
    python::install_apart(VENV, "a mail server to deliver to", &workspace().join("tests/smtp/locks/aiosmtpd.txt"))
}

/// The Python that has it.
pub(crate) fn python() -> PathBuf {
    python::program_apart(VENV, "python")
}

impl Mailbox {
    /// Starts it and waits until it listens.
    pub(crate) async fn start(state: &Path) -> Result<Self> {
        let folder = state.join("mailbox");
        fs::create_dir_all(&folder)?;
        let log = state.join("mailbox.log");
        let file = File::create(&log)?;
        let mut command = Command::new(python());
        command.arg(workspace().join("tests/smtp/sink.py")).arg(&folder).process_group(0);
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().context("cannot start the mail server")?;
        let process = i32::try_from(child.id()).ok().and_then(Process::now).context("the mail server ended at once")?;
        let mut mailbox = Self { folder, process, port: 0, child };
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if let Some(status) = mailbox.child.try_wait()? {
                bail!("the mail server ended with {status}: see {}", log.display());
            }
            if let Ok(port) = fs::read_to_string(mailbox.folder.join("port")) {
                mailbox.port = port.parse().context("the port of the mail server")?;
                return Ok(mailbox);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the mail server does not listen: see {}", log.display())
    }

    /// Puts its settings into a secret, as an operator would, and tells where that is.
    pub(crate) fn secret(&self, endpoint: &str) -> Result<String> {
        let settings = json!({
            "relay": format!("smtp://127.0.0.1:{}", self.port),
            "from": "Ubuntu mail <noreply@notices.example>",
            "reply-to": "Ubuntu mail help <help@notices.example>",
            "operators": "operators@notices.example",
        });
        let mut create = aws::cli(Some(endpoint));
        create.args(["secretsmanager", "create-secret", "--name", "membermail-mail", "--query", "ARN"]);
        let arn = membermail_toolbox::step::quietly(create.arg("--secret-string").arg(settings.to_string()))?;
        Ok(arn.trim().trim_matches('"').to_owned())
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let _ = self.process.stop(Duration::from_secs(2));
        let _ = self.child.wait();
    }
}
