//! The folder of a [`MailSink`](crate::sink::MailSink): received mail, and recipients to refuse.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use mail_parser::{HeaderName, Message, MessageParser};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

/// The folder of a server.
#[derive(Clone, Debug)]
pub struct Mailbox {
    folder: PathBuf,
}

/// A received mail.
#[derive(Clone, Debug, Deserialize)]
pub struct ReceivedMail {
    /// Envelope sender; empty for a bounce.
    pub sender: String,
    /// Envelope recipients.
    pub recipients: Vec<String>,
    /// User name of the login.
    pub login: Option<String>,
    /// Whether the connection was encrypted.
    pub is_tls: bool,
    /// The mail as received.
    #[serde(skip)]
    pub raw: Vec<u8>,
    #[serde(skip)]
    message: Message<'static>,
}

impl Mailbox {
    /// The server of this folder.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Number of received mails.
    pub fn count(&self) -> Result<usize> {
        Ok(self.files()?.len())
    }

    /// All received mail, oldest first.
    pub fn all(&self) -> Result<Vec<ReceivedMail>> {
        self.files()?.iter().map(|file| ReceivedMail::read(file)).collect()
    }

    /// The mail after the first `skipped`, with the times of arrival.
    pub fn arrivals(&self, skipped: usize) -> Result<Vec<(ReceivedMail, SystemTime)>> {
        let files = self.files()?.into_iter().skip(skipped);
        files.map(|file| Ok((ReceivedMail::read(&file)?, fs::metadata(&file)?.modified()?))).collect()
    }

    /// All mail to an address, oldest first.
    pub fn to(&self, address: &str) -> Result<Vec<ReceivedMail>> {
        let mut mails = self.all()?;
        mails.retain(|mail| mail.recipients.iter().any(|recipient| recipient == address));
        Ok(mails)
    }

    /// Waits until an address has received `count` mails.
    pub async fn wait_for(&self, address: &str, count: usize, seconds: u64) -> Result<Vec<ReceivedMail>> {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        loop {
            let mails = self.to(address)?;
            if mails.len() >= count {
                return Ok(mails);
            }
            ensure!(Instant::now() < deadline, "{} of {count} mails to {address} after {seconds} s", mails.len());
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Refuses mail to an address, or to `all`, with this reply until the value is dropped.
    pub fn refuse(&self, address: &str, reply: &str) -> Result<Refusal> {
        self.refuse_at("refuse", address, reply)
    }

    /// Refuses mail to an address after its data, with this reply, until the value is dropped.
    pub fn refuse_after_data(&self, address: &str, reply: &str) -> Result<Refusal> {
        self.refuse_at("refuse-data", address, reply)
    }

    fn refuse_at(&self, phase: &str, address: &str, reply: &str) -> Result<Refusal> {
        let file = self.folder.join(phase).join(address);
        // Renamed when complete, because the server reads the file at any time.
        let unfinished = self.folder.join(format!(".refuse-{address}"));
        fs::write(&unfinished, reply)?;
        fs::rename(unfinished, &file)?;
        Ok(Refusal { file })
    }

    /// How often mail to an address was refused.
    pub fn refused(&self, address: &str) -> usize {
        let log = fs::read_to_string(self.folder.join("refused")).unwrap_or_default();
        log.lines().filter(|line| line.split(' ').next() == Some(address)).count()
    }

    fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.folder.join("mail"))? {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == "eml") {
                files.push(file);
            }
        }
        files.sort_unstable();
        Ok(files)
    }
}

impl ReceivedMail {
    fn read(file: &Path) -> Result<Self> {
        let envelope: Self = serde_json::from_slice(&fs::read(file.with_extension("json"))?)?;
        let raw = fs::read(file)?;
        let message = MessageParser::default().parse(&raw).with_context(|| format!("{} is no mail", file.display()))?;
        let message = message.into_owned();
        Ok(Self { raw, message, ..envelope })
    }

    /// Subject header.
    pub fn subject(&self) -> &str {
        self.message.subject().unwrap_or_default()
    }

    /// Text body.
    pub fn text(&self) -> String {
        self.message.body_text(0).unwrap_or_default().replace("\r\n", "\n")
    }

    /// HTML body.
    pub fn html(&self) -> String {
        self.message.body_html(0).unwrap_or_default().into_owned()
    }

    /// Message-ID header.
    pub fn message_id(&self) -> &str {
        self.message.message_id().unwrap_or_default()
    }

    /// A raw header.
    pub fn header(&self, name: &'static str) -> &str {
        let name = HeaderName::parse(name).unwrap_or(HeaderName::Other(name.into()));
        self.message.header_raw(name).unwrap_or_default().trim()
    }
}

/// Mail is refused until this value is dropped.
#[derive(Debug)]
pub struct Refusal {
    file: PathBuf,
}

impl Drop for Refusal {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}
