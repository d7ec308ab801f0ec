//! A log that is being written: what is added to it from now on, line by line, and nothing of before.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::Instant;

/// Between two looks at a file.
const LOOK: Duration = Duration::from_millis(100);

/// Octets that are read at a time: a mail host writes less than that between two looks.
const MOST: u64 = 4 * 1024 * 1024;

/// The log of a mail host.
#[derive(Debug)]
pub struct MailLog(Source);

#[derive(Debug)]
enum Source {
    File(Tail),
    Lines(Receiver<io::Result<String>>),
}

/// A file from where it ended when it was first looked at.
#[derive(Debug)]
struct Tail {
    path: PathBuf,
    /// Its number; another one is a new log, which rotation has begun.
    inode: u64,
    at: u64,
    /// Of a line whose end is not written yet.
    part: Vec<u8>,
    lines: VecDeque<String>,
}

impl MailLog {
    /// A file, of which what is there already is not read.
    pub fn file(path: &Path) -> Result<Self> {
        let data = fs::metadata(path).with_context(|| format!("the mail log {}", path.display()))?;
        // Who may not read it should hear so before a mail is on its way.
        File::open(path).with_context(|| format!("the mail log {}", path.display()))?;
        let (part, lines) = (Vec::new(), VecDeque::new());
        Ok(Self(Source::File(Tail { path: path.to_owned(), inode: data.ino(), at: data.len(), part, lines })))
    }

    /// What another program writes to our standard input, as `journalctl --follow` does.
    pub fn stdin() -> Self {
        let (sender, receiver) = channel(1_000);
        // A thread of its own: a read that nobody answers would keep the runtime from ending.
        std::thread::spawn(move || {
            for line in io::stdin().lock().lines() {
                if sender.blocking_send(line).is_err() {
                    break;
                }
            }
        });
        Self(Source::Lines(receiver))
    }

    /// The next line, or none until `deadline`.
    pub async fn next(&mut self, deadline: Instant) -> Result<Option<String>> {
        match &mut self.0 {
            Source::File(tail) => tail.next(deadline).await,
            Source::Lines(lines) => match tokio::time::timeout_at(deadline, lines.recv()).await {
                Err(_) => Ok(None),
                Ok(Some(line)) => Ok(Some(line.context("the mail log")?)),
                Ok(None) => bail!("the mail log ended before the mail was delivered"),
            },
        }
    }
}

impl Tail {
    async fn next(&mut self, deadline: Instant) -> Result<Option<String>> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Ok(Some(line));
            }
            self.read().with_context(|| format!("the mail log {}", self.path.display()))?;
            if self.lines.is_empty() {
                if Instant::now() >= deadline {
                    return Ok(None);
                }
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// Takes what was added.
    fn read(&mut self) -> io::Result<()> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            // Between the old log and the new one.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let data = file.metadata()?;
        if data.ino() != self.inode || data.len() < self.at {
            (self.inode, self.at) = (data.ino(), 0);
            self.part.clear();
        }
        file.seek(SeekFrom::Start(self.at))?;
        self.at += u64::try_from(file.take(MOST).read_to_end(&mut self.part)?).unwrap_or_default();
        while let Some(end) = self.part.iter().position(|octet| *octet == b'\n') {
            let line: Vec<_> = self.part.drain(..=end).collect();
            self.lines.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    async fn next(log: &mut MailLog) -> Option<String> {
        log.next(Instant::now() + Duration::from_millis(10)).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_added_is_read_also_from_the_log_that_comes_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mail.log");
        assert!(MailLog::file(&path).unwrap_err().to_string().contains("mail.log"));
        fs::write(&path, "before\n").unwrap();
        let mut log = MailLog::file(&path).unwrap();
        assert_eq!(next(&mut log).await, None);

        let mut file = File::options().append(true).open(&path).unwrap();
        write!(file, "one\ntwo\nthr").unwrap();
        assert_eq!(next(&mut log).await.as_deref(), Some("one"));
        assert_eq!(next(&mut log).await.as_deref(), Some("two"));
        assert_eq!(next(&mut log).await, None);
        writeln!(file, "ee").unwrap();
        assert_eq!(next(&mut log).await.as_deref(), Some("three"));

        fs::rename(&path, folder.path().join("mail.log.1")).unwrap();
        assert_eq!(next(&mut log).await, None);
        fs::write(&path, "four\n").unwrap();
        assert_eq!(next(&mut log).await.as_deref(), Some("four"));
    }
}
