//! An SMTP server that stores all received mail: `python/mail_sink.py`, based on aiosmtpd.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use membermail_toolbox::net::free_port;
use membermail_toolbox::process::Process;
use membermail_toolbox::service::{HealthCheck, Service};

use crate::mailbox::Mailbox;
use crate::{here, install, services};

/// When connections are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Tls {
    /// From the first byte.
    Implicit,
    /// After STARTTLS, if the client wants it.
    Optional,
    /// After STARTTLS, without which no mail is accepted.
    Required,
}

/// Options of a server.
#[derive(Clone, Debug, Default)]
pub struct SinkOptions {
    /// SMTP port; a free port if absent.
    pub port: Option<u16>,
    /// TLS, with the PEM file of key and certificate.
    pub tls: Option<(Tls, PathBuf)>,
    /// `USER:PASSWORD`, without which no mail is accepted.
    pub login: Option<String>,
    /// Maximum size of a mail.
    pub max_bytes: Option<usize>,
}

/// A server; dropping it stops the program.
#[derive(Debug)]
pub struct MailSink {
    /// SMTP port.
    pub port: u16,
    /// The received mail.
    pub mailbox: Mailbox,
    options: SinkOptions,
    service: Option<Service>,
}

impl MailSink {
    /// Starts a server that stores mail in this folder.
    pub async fn start(folder: impl Into<PathBuf>, options: SinkOptions) -> Result<Self> {
        let port = options.port.map_or_else(free_port, Ok)?;
        let mut sink = Self { port, mailbox: Mailbox::in_folder(folder), options, service: None };
        sink.open().await?;
        Ok(sink)
    }

    /// Starts the server again after [`close`](Self::close), on the same port.
    pub async fn open(&mut self) -> Result<()> {
        let mut command = Command::new(install::python());
        command.arg(here().join("python/mail_sink.py")).arg(self.mailbox.folder());
        command.args(["--port", &self.port.to_string()]);
        if let Some((tls, certificate)) = &self.options.tls {
            command.args(["--tls", tls.into()]).arg("--certificate").arg(certificate);
        }
        if let Some(login) = &self.options.login {
            command.args(["--login", login]);
        }
        if let Some(max_bytes) = self.options.max_bytes {
            command.args(["--max-bytes", &max_bytes.to_string()]);
        }
        let log = self.mailbox.folder().join("sink.log");
        self.service = Some(services::start("the mail sink", command, HealthCheck::Port(self.port), log).await?);
        Ok(())
    }

    /// Stops the server; connections are refused.
    pub fn close(&mut self) {
        self.service = None;
    }

    pub(crate) fn process(&self) -> Option<Process> {
        self.service.as_ref().map(|service| service.process)
    }
}
