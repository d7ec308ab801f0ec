//! The destination of all mail here: a server that nobody here wrote (aiosmtpd) and that keeps each mail in a Maildir,
//! with its envelope in `X-MailFrom` and `X-RcptTo`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use mail_parser::{HeaderValue, MessageParser};
use membermail_toolbox::process::Process;
use membermail_toolbox::service::Service;
use serde::Serialize;

use crate::rig::{background, free_port};

/// Octets of one mail at most: less than Postfix takes, so that there can be a mail which only its destination refuses.
pub const LARGEST: usize = 1_000_000;

/// The inbox while it runs.
#[derive(Debug)]
pub struct Inbox {
    /// Its port.
    pub port: u16,
    maildir: PathBuf,
    folder: PathBuf,
    python: PathBuf,
    /// Key and certificate: it offers TLS and does not insist, as the world's mail servers do.
    tls: PathBuf,
    service: Option<Service>,
}

/// A mail that arrived.
#[derive(Clone, Debug, Serialize)]
pub struct Arrived {
    /// Seconds since 1970.
    pub at: u64,
    /// The envelope's sender; empty for a bounce.
    pub sender: String,
    /// The envelope's recipients.
    pub recipients: Vec<String>,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// All of it, as it arrived, without what the inbox put before it.
    #[serde(skip)]
    pub raw: Vec<u8>,
}

impl Inbox {
    pub(crate) async fn start(python: &Path, folder: &Path, tls: &Path, port: Option<u16>) -> Result<Self> {
        let port = port.map_or_else(free_port, Ok)?;
        let (maildir, folder, python) = (folder.join("inbox"), folder.to_owned(), python.to_owned());
        let mut inbox = Self { port, maildir, folder, python, tls: tls.to_owned(), service: None };
        inbox.open().await?;
        Ok(inbox)
    }

    /// Takes mail again after [`close`](Self::close).
    pub async fn open(&mut self) -> Result<()> {
        let mut command = Command::new(&self.python);
        command.args(["-m", "aiosmtpd", "--nosetuid", "--size", &LARGEST.to_string(), "--no-requiretls"]);
        command.arg("--tlscert").arg(&self.tls).arg("--tlskey").arg(&self.tls);
        command.args(["--listen", &format!("127.0.0.1:{}", self.port)]);
        command.args(["--class", "aiosmtpd.handlers.Mailbox"]).arg(&self.maildir);
        self.service = Some(background("the inbox", command, self.port, self.folder.join("inbox.log")).await?);
        Ok(())
    }

    /// Takes no mail any more, as a server that is down.
    pub fn close(&mut self) {
        self.service = None;
    }

    pub(crate) fn process(&self) -> Option<Process> {
        self.service.as_ref().map(|service| service.process)
    }

    /// All that arrived, the latest last.
    pub fn all(&self) -> Result<Vec<Arrived>> {
        all(&self.maildir)
    }

    /// Where it is kept.
    pub fn maildir(&self) -> &Path {
        &self.maildir
    }
}

/// All mail of a Maildir, the latest last.
pub fn all(maildir: &Path) -> Result<Vec<Arrived>> {
    let mut files = Vec::new();
    // Before the first mail there is no folder.
    for entry in fs::read_dir(maildir.join("new")).into_iter().flatten() {
        let entry = entry?;
        files.push((entry.metadata()?.modified()?, entry.path()));
    }
    files.sort();
    files.iter().map(|(at, path)| read(*at, &fs::read(path)?)).collect()
}

fn read(at: std::time::SystemTime, raw: &[u8]) -> Result<Arrived> {
    let message = MessageParser::default().parse(raw).context("not a mail")?;
    let header = |name: &str| match message.header(name) {
        Some(HeaderValue::Text(text)) => text.trim().to_owned(),
        Some(HeaderValue::TextList(list)) => list.join(", "),
        _ => String::new(),
    };
    let recipients = header("X-RcptTo").split(',').map(|one| one.trim().to_owned()).collect();
    Ok(Arrived {
        at: at.duration_since(std::time::UNIX_EPOCH)?.as_secs(),
        sender: header("X-MailFrom").trim_matches('<').trim_matches('>').to_owned(),
        recipients,
        subject: message.subject().unwrap_or_default().to_owned(),
        text: message.body_text(0).unwrap_or_default().into_owned(),
        raw: without_envelope(raw),
    })
}

/// The mail without the headers that the inbox added, which no signature knows of.
fn without_envelope(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let (mut in_headers, mut drops) = (true, false);
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if in_headers && line.trim_ascii().is_empty() {
            in_headers = false;
        }
        let continues = line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        if in_headers && !continues {
            drops = [b"X-Peer:".as_slice(), b"X-MailFrom:", b"X-RcptTo:"].iter().any(|name| line.starts_with(name));
        }
        if !(in_headers && drops) {
            out.extend_from_slice(line);
        }
    }
    out
}
