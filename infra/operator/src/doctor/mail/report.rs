//! The findings, as text and as JSON.

use std::fmt;

use membermail_core::address::DomainName;
use serde::Serialize;

/// The result of all checks of a mail host.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The name of the host.
    pub(super) host: DomainName,
    /// One finding per check and subject.
    pub(super) findings: Vec<Finding>,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    pub(super) check: Check,
    /// A port, a domain or an address.
    pub(super) subject: String,
    /// What was observed.
    pub(super) reason: String,
    /// What to do, unless the check passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Verdict {
    Pass,
    /// It works but should be changed, or it could not be checked.
    Warning,
    Fail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Check {
    /// The host has an address, and the address has the host's name.
    Address,
    /// The port accepts connections.
    Port,
    /// The greeting and the reply to EHLO have the host's name.
    HostName,
    /// The offered extensions.
    Extensions,
    /// STARTTLS is offered.
    Starttls,
    /// When AUTH is offered.
    Auth,
    /// TLS 1.2 and 1.3 work.
    Tls,
    /// TLS 1.0 and 1.1 are refused.
    OldTls,
    /// No cipher without a certificate.
    AnonymousCipher,
    /// The certificate is valid for the host.
    Certificate,
    /// Required addresses are accepted.
    Postmaster,
    /// Mail to other hosts is refused.
    OpenRelay,
    /// An unknown address is refused.
    UnknownAddress,
    /// A made-up address in the return-path domain is refused.
    ReturnPath,
    /// The MX records.
    Mx,
    /// The SPF record permits the host.
    Spf,
    /// The DKIM record has a usable key.
    Dkim,
    /// A DMARC record exists.
    Dmarc,
    /// All checks together.
    Time,
}

impl Finding {
    pub(super) fn pass(check: Check, subject: impl fmt::Display, reason: impl fmt::Display) -> Self {
        Self::new(Verdict::Pass, check, subject, reason, None)
    }

    pub(super) fn warning(
        check: Check,
        subject: impl fmt::Display,
        reason: impl fmt::Display,
        next: impl fmt::Display,
    ) -> Self {
        Self::new(Verdict::Warning, check, subject, reason, Some(next.to_string()))
    }

    pub(super) fn fail(
        check: Check,
        subject: impl fmt::Display,
        reason: impl fmt::Display,
        next: impl fmt::Display,
    ) -> Self {
        Self::new(Verdict::Fail, check, subject, reason, Some(next.to_string()))
    }

    fn new(
        verdict: Verdict,
        check: Check,
        subject: impl fmt::Display,
        reason: impl fmt::Display,
        next: Option<String>,
    ) -> Self {
        Self { verdict, check, subject: subject.to_string(), reason: printable(&reason.to_string()), next }
    }
}

impl Report {
    /// The number of failed checks.
    pub(super) fn failures(&self) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == Verdict::Fail).count()
    }
}

/// Maximum characters of a reason, which can quote the host or a DNS record.
const REASON_LENGTH: usize = 200;

/// The text without control characters, which a terminal would interpret.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON_LENGTH).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.host)?;
        let width = self.findings.iter().map(|finding| finding.subject.len()).max().unwrap_or_default();
        for Finding { verdict, check, subject, reason, next } in &self.findings {
            let verdict = verdict.to_string();
            let check = check.to_string();
            write!(f, "{verdict:7}  {check:16}  {subject:width$}  {reason}")?;
            match next {
                Some(next) => writeln!(f, ". Next: {next}")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Report {
        let dmarc = "publish TXT \"v=DMARC1; p=none; rua=mailto:…\" at _dmarc.ubuntu.com";
        let findings = vec![
            Finding::pass(Check::Address, "192.0.2.25", "the reverse record has the host's name"),
            Finding::pass(Check::Tls, "port 25", "TLS 1.2 and 1.3"),
            Finding::pass(Check::OldTls, "port 25", "TLS 1.0 is refused"),
            Finding::warning(Check::Certificate, "port 25", "it expires on 2026-12-05", "renew it"),
            Finding::fail(
                Check::Postmaster,
                "postmaster@ubuntu.com",
                "refused: 550 5.1.1 User unknown",
                "check alias-map",
            ),
            Finding::pass(
                Check::OpenRelay,
                "port 25",
                "24 of 24 relay attempts: <> to <bob@example.org> refused: 554 5.7.1 Relay access denied",
            ),
            Finding::pass(Check::Mx, "ubuntu.com", "the host only"),
            Finding::pass(Check::Spf, "ubuntu.com", "permits 192.0.2.25"),
            Finding::warning(Check::Dmarc, "ubuntu.com", "no record", dmarc),
        ];
        Report { host: "mx.forwards.example".parse().unwrap(), findings }
    }

    #[test]
    fn report_has_line_per_check() {
        insta::assert_json_snapshot!(sample());
        let manual = include_str!("../../../../../docs/membermail.md");
        let text = sample().to_string();
        assert!(manual.contains(text.trim_end()), "docs/membermail.md does not show\n{text}");
        assert_eq!(sample().failures(), 1);
    }

    #[test]
    fn quoted_text_controls_no_terminal() {
        let finding = Finding::pass(Check::HostName, "port 25", format!("220 \u{1b}[2J{}", "x".repeat(500)));
        assert!(finding.reason.starts_with("220  [2Jx") && finding.reason.len() == REASON_LENGTH);
    }
}
