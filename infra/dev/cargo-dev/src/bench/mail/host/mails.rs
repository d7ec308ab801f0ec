//! The mails of the benchmark: with a DKIM signature of their author's domain, like nearly all real mail, and without.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use membermail_test_mail_host::install;
use membermail_test_mail_host::keys::create_key;
use membermail_test_mail_host::options::SELECTOR;

/// Size of a message in bytes, without its signature.
const MESSAGE_BYTES: usize = 4_096;

/// The author's domain.
const DOMAIN: &str = "elsewhere.example";
pub(super) const SENDER: &str = "sender@elsewhere.example";
pub(super) const RECIPIENT: &str = "somebody0@ubuntu.com";

/// Signs the standard input. The subject is not covered, so that it can differ in each message.
const SIGN: &str = r#"
import sys, dkim
selector, domain, key = sys.argv[1:]
mail = sys.stdin.buffer.read()
fields = [b"from", b"to", b"date", b"message-id"]
key = open(key, "rb").read()
relaxed = (b"relaxed", b"relaxed")
signature = dkim.sign(
    mail, selector.encode(), domain.encode(), key, canonicalize=relaxed, include_headers=fields)
sys.stdout.buffer.write(signature + mail)
"#;

/// A mail whose subject can be replaced.
pub(super) struct Mail(String);

impl Mail {
    /// A mail without a signature.
    pub(super) fn unsigned() -> Self {
        let body = "A line of text.\r\n".repeat(MESSAGE_BYTES / 17);
        Self(format!(
            "From: <{SENDER}>\r\nTo: <{RECIPIENT}>\r\nDate: Sun, 29 Nov 2026 02:00:00 +0000\r\n\
             Message-ID: <1@{DOMAIN}>\r\nSubject: \r\n\r\n{body}"
        ))
    }

    /// The mail with a signature of this key.
    pub(super) fn signed(&self, key: &Path) -> Result<Self> {
        let mut python = Command::new(install::python());
        python.args(["-c", SIGN, SELECTOR, DOMAIN]).arg(key).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn()?;
        child.stdin.take().context("no pipe")?.write_all(self.0.as_bytes())?;
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "dkimpy failed");
        Ok(Self(String::from_utf8(output.stdout)?))
    }

    /// The mail with this subject.
    pub(super) fn with_subject(&self, subject: &str) -> String {
        self.0.replacen("\r\nSubject: \r\n", &format!("\r\nSubject: {subject}\r\n"), 1)
    }

    /// The mail in the form that `smtp-source -F` reads.
    pub(super) fn for_smtp_source(&self) -> String {
        self.0.replace("\r\n", "\n")
    }
}

/// Creates the author's key; returns its DNS record, and the SPF record of its servers.
pub(super) fn create_sender(key: &Path) -> Result<Vec<(String, String)>> {
    Ok(vec![
        (format!("{SELECTOR}._domainkey.{DOMAIN}"), create_key(key)?),
        (DOMAIN.to_owned(), "v=spf1 ip4:127.0.0.1 -all".to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_is_replaced_in_header() {
        let mail = Mail::unsigned();
        assert!(mail.with_subject("One").contains("\r\nSubject: One\r\n\r\nA line"));
        assert!(!mail.for_smtp_source().contains('\r'));
    }
}
