//! A mail server that keeps what it is given: `tests/smtp/sink.py`, which is aiosmtpd.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use membermail_toolbox::service::{Health, Plan, Service};
use membermail_toolbox::{python, workspace};
use serde_json::{Value, json};

use crate::aws;

/// The virtual environment that it is in.
const VENV: &str = "smtp";

/// The server while it runs; it ends with this value.
pub(crate) struct Mailbox {
    /// Where everything is kept.
    pub(crate) folder: PathBuf,
    port: u16,
    _service: Service,
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
        let mut command = Command::new(python());
        command.arg(workspace().join("tests/smtp/sink.py")).arg(&folder);
        let port = folder.join("port");
        let service = Service::start(Plan {
            name: "the mail server",
            command,
            url: String::new(),
            health: Health::File(port.clone()),
            log: Some(state.join("mailbox.log")),
            patience: Duration::from_secs(20),
        })
        .await?;
        let port = fs::read_to_string(port)?.parse().context("the port of the mail server")?;
        Ok(Self { folder, port, _service: service })
    }

    /// What the mail secret says of it.
    pub(crate) fn settings(&self) -> Value {
        json!({
            "relay": format!("smtp://127.0.0.1:{}", self.port),
            "from": "Ubuntu mail <noreply@notices.example>",
            "reply-to": "Ubuntu mail help <help@notices.example>",
            "operators": "operators@notices.example",
        })
    }

    /// Puts its settings into a secret, as an operator would, and tells where that is.
    pub(crate) fn secret(&self, endpoint: &str) -> Result<String> {
        let settings = self.settings();
        let mut create = aws::cli(Some(endpoint));
        create.args(["secretsmanager", "create-secret", "--name", "membermail-mail", "--query", "ARN"]);
        let arn = membermail_toolbox::step::quietly(create.arg("--secret-string").arg(settings.to_string()))?;
        Ok(arn.trim().trim_matches('"').to_owned())
    }
}
