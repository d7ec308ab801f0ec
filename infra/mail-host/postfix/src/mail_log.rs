//! Follows a log from its current end, line by line, also across log rotation.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::Instant;

/// Interval between reads of a file.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Maximum bytes per read; a mail host writes less in one interval.
const MAX_READ: u64 = 4 * 1024 * 1024;

/// The log of a mail host.
#[derive(Debug)]
pub struct MailLog(Source);

#[derive(Debug)]
enum Source {
    File(Tail),
    Lines(Receiver<io::Result<String>>),
}

/// The new lines of a file.
#[derive(Debug)]
struct Tail {
    path: PathBuf,
    /// Detects log rotation: the new file has another inode.
    inode: u64,
    offset: u64,
    /// The start of an incomplete line.
    partial: Vec<u8>,
    lines: VecDeque<String>,
}

impl MailLog {
    /// Follows a file from its current end.
    pub fn file(path: &Path) -> Result<Self> {
        let unreadable = || format!("cannot read the mail log {}", path.display());
        let metadata = fs::metadata(path).with_context(unreadable)?;
        // Fails early, before a mail is sent, if permissions are missing.
        File::open(path).with_context(unreadable)?;
        Ok(Self(Source::File(Tail {
            path: path.to_owned(),
            inode: metadata.ino(),
            offset: metadata.len(),
            partial: Vec::new(),
            lines: VecDeque::new(),
        })))
    }

    /// Follows the standard input, such as the output of `journalctl --follow`.
    pub fn stdin() -> Self {
        let (sender, receiver) = channel(1_000);
        // A separate thread, because a blocking read would delay the shutdown of the runtime.
        std::thread::spawn(move || {
            for line in io::stdin().lock().lines() {
                if sender.blocking_send(line).is_err() {
                    break;
                }
            }
        });
        Self(Source::Lines(receiver))
    }

    /// The next line, or `None` if there is none before `deadline`.
    pub async fn next(&mut self, deadline: Instant) -> Result<Option<String>> {
        match &mut self.0 {
            Source::File(tail) => tail.next(deadline).await,
            Source::Lines(lines) => match tokio::time::timeout_at(deadline, lines.recv()).await {
                Err(_) => Ok(None),
                Ok(Some(line)) => Ok(Some(line.context("cannot read the mail log")?)),
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
            self.read().with_context(|| format!("cannot read the mail log {}", self.path.display()))?;
            if self.lines.is_empty() {
                if Instant::now() >= deadline {
                    return Ok(None);
                }
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        }
    }

    /// Reads the lines that were added.
    fn read(&mut self) -> io::Result<()> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            // During log rotation.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        if metadata.ino() != self.inode || metadata.len() < self.offset {
            self.inode = metadata.ino();
            self.offset = 0;
            self.partial.clear();
        }
        file.seek(SeekFrom::Start(self.offset))?;
        self.offset += u64::try_from(file.take(MAX_READ).read_to_end(&mut self.partial)?).unwrap_or_default();
        while let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
            let line: Vec<_> = self.partial.drain(..=end).collect();
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
    async fn new_lines_are_read_across_rotation() {
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
