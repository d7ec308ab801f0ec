//! A real mail host over the deployed stack's table, and somebody elsewhere who sends mail to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use membermail_alias_map::settings::MasterSecretAt;
use membermail_postfix::config::Limits;
use membermail_postfix::follow::{Said, send};
use membermail_postfix::inbox::Arrived;
use membermail_postfix::rig::{Options, Rig};
use serde::Deserialize;
use url::Url;

use crate::stack::Stack;
use crate::wait::until;

/// The sender of the tests' mails, at a domain that is not ours.
pub const SENDER: &str = "sender@elsewhere.example";

#[derive(Deserialize)]
struct File {
    mail: Description,
}

#[derive(Deserialize)]
struct Description {
    folder: PathBuf,
    python: PathBuf,
    alias_map: PathBuf,
    master_secret_arn: String,
}

/// Wide enough for a thousand mails of one client.
pub const WIDE: Limits = Limits {
    message_octets: 2_000_000,
    connections_at_once: 200,
    connections_a_minute: 100_000,
    messages_a_minute: 100_000,
    recipients_a_minute: 100_000,
};

/// Where the operators read mail: role mail of a domain without an admin goes there.
pub const OPERATORS: &str = "operators@ops.example";

/// A mail host of a test.
pub struct MailHost {
    /// It.
    pub rig: Rig,
    /// Python, with what reads signatures.
    pub python: PathBuf,
}

impl MailHost {
    /// Starts one in a folder of that name, whose `alias-map` sees AWS at `aws`, with these settings.
    pub async fn start(stack: &Stack, name: &str, aws: &Url, settings: &str, limits: Limits) -> Result<Self> {
        let change = |options: &mut Options| {
            options.endpoint_url = aws.as_str().trim_end_matches('/').to_owned();
            options.settings = settings.to_owned();
            options.limits = limits;
        };
        Self::start_as(stack, name, change).await
    }

    /// Starts one in a folder of that name, over the stack's table and with wide limits, but for what is changed.
    pub async fn start_as(stack: &Stack, name: &str, change: impl FnOnce(&mut Options)) -> Result<Self> {
        let path = std::env::var("MEMBERMAIL_STACK").context("no MEMBERMAIL_STACK: run this by `cargo dev test`")?;
        let File { mail } = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        let mut options = Options {
            folder: mail.folder.join(name),
            python: mail.python.clone(),
            alias_map: mail.alias_map,
            endpoint_url: stack.endpoint_url.as_str().trim_end_matches('/').to_owned(),
            table: stack.table.clone(),
            master_secret: MasterSecretAt::Arn(mail.master_secret_arn),
            community: "ubuntu".to_owned(),
            settings: String::new(),
            operators: OPERATORS.to_owned(),
            signs: false,
            limits: WIDE,
            socket: None,
            xclient: false,
            ports: None,
        };
        change(&mut options);
        Ok(Self {
            rig: Rig::start(options).await.with_context(|| format!("the mail host {name}"))?,
            python: mail.python,
        })
    }

    /// Sends a mail with this subject from elsewhere.
    pub async fn send(&self, recipient: &str, subject: &str) -> Result<Said> {
        send(self.rig.smtp, None, Some(SENDER), recipient, &mail(recipient, subject)).await
    }

    /// Sends a mail that must be taken.
    pub async fn deliver(&self, recipient: &str, subject: &str) -> Result<Arrived> {
        match self.send(recipient, subject).await? {
            Said::Taken(_) => self.arrived(subject, 30).await,
            said => bail!("{recipient}: {said:?}"),
        }
    }

    /// Waits for the mail with this subject.
    pub async fn arrived(&self, subject: &str, seconds: u64) -> Result<Arrived> {
        until(&format!("{subject:?} in the inbox"), Duration::from_secs(seconds), || async {
            Ok(self.rig.inbox.all()?.into_iter().find(|mail| mail.subject == subject))
        })
        .await
        .with_context(|| tail(&self.rig.log))
    }
}

/// A small mail.
pub fn mail(recipient: &str, subject: &str) -> Vec<u8> {
    format!(
        "From: A Sender <{SENDER}>\r\nTo: <{recipient}>\r\nSubject: {subject}\r\nDate: Tue, 24 Nov 2026 20:00:00 +0000\r\n\
         Message-ID: <{}@elsewhere.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         A mail from elsewhere.\r\n",
        subject.replace(' ', ".")
    )
    .into_bytes()
}

/// The end of a log.
pub fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}
