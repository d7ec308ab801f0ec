//! What arrived at the mail server, and how it is made to refuse.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use anyhow::{Context, Result};
use mail_parser::{HeaderName, Message, MessageParser};

use crate::wait::until;

/// The folder of `tests/smtp/sink.py`.
#[derive(Clone, Debug)]
pub struct Mailbox {
    folder: PathBuf,
}

/// A message, as a mail program reads it.
#[derive(Clone, Debug)]
pub struct Mail(Message<'static>);

impl Mailbox {
    /// What is kept in this folder.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// All mail to an address so far, in the order of its coming.
    pub fn to(&self, address: &str) -> Result<Vec<Mail>> {
        let mut files: Vec<_> = fs::read_dir(self.folder.join("mail"))?.collect::<io::Result<_>>()?;
        files.sort_by_key(fs::DirEntry::file_name);
        let mut all = Vec::new();
        for file in files.iter().filter(|file| file.path().extension().is_some_and(|ending| ending == "eml")) {
            let bytes = fs::read(file.path())?;
            let mail = MessageParser::default().parse(&bytes).context("a message that is none")?;
            let mail = Mail(mail.into_owned());
            if mail.header("X-Envelope-To").contains(address) {
                all.push(mail);
            }
        }
        Ok(all)
    }

    /// Waits until so much mail to an address has come.
    pub async fn wait_for(&self, address: &str, count: usize, seconds: u64) -> Result<Vec<Mail>> {
        until(&format!("{count} messages to {address}"), Duration::from_secs(seconds), || async move {
            Ok(Some(self.to(address)?).filter(|mail| mail.len() >= count))
        })
        .await
        .with_context(|| format!("{} came", self.to(address).map_or(0, |mail| mail.len())))
    }

    /// Answers mail to an address (or to `all`) so, until the value is dropped.
    pub fn refuse(&self, address: &str, reply: &str) -> Result<Refusal> {
        let file = self.folder.join("refuse").join(address);
        let part = self.folder.join(format!(".refuse-{address}"));
        // Never seen half written.
        fs::write(&part, reply)?;
        fs::rename(part, &file)?;
        Ok(Refusal { file })
    }

    /// How often mail to an address was refused.
    pub fn refused(&self, address: &str) -> usize {
        let log = fs::read_to_string(self.folder.join("refused")).unwrap_or_default();
        log.lines().filter(|line| line.split(' ').next() == Some(address)).count()
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Mail {
    /// The subject.
    pub fn subject(&self) -> &str {
        self.0.subject().unwrap_or_default()
    }

    /// The text alone.
    pub fn text(&self) -> String {
        self.0.body_text(0).unwrap_or_default().replace("\r\n", "\n")
    }

    /// The HTML.
    pub fn html(&self) -> String {
        self.0.body_html(0).unwrap_or_default().into_owned()
    }

    /// What the reader's mail program knows it by.
    pub fn message_id(&self) -> &str {
        self.0.message_id().unwrap_or_default()
    }

    /// A header as it came.
    pub fn header(&self, name: &'static str) -> &str {
        let name = HeaderName::parse(name).unwrap_or(HeaderName::Other(name.into()));
        self.0.header_raw(name).unwrap_or_default().trim()
    }
}

/// While it lives, mail is refused.
#[derive(Debug)]
pub struct Refusal {
    file: PathBuf,
}

impl Drop for Refusal {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}
