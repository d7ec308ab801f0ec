//! Recipients that the host must accept or refuse. A probe ends after RCPT, so no mail is sent.

use membermail_core::address::DomainName;

use super::connection::Reply;
use super::report::{Check, Finding, Verdict};

/// What the host must do with a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expectation {
    Accept,
    Refuse,
}

/// A transaction that ends after RCPT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Probe {
    pub(super) check: Check,
    /// The envelope sender; empty for `<>`.
    pub(super) sender: String,
    pub(super) recipient: String,
    pub(super) expectation: Expectation,
}

/// The names in the probes.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) host: DomainName,
    pub(super) domains: Vec<DomainName>,
    pub(super) return_path_domain: Option<DomainName>,
    /// A local part that no member has.
    pub(super) nobody: String,
}

/// A recipient that no host of ours serves (RFC 2606).
const FOREIGN: &str = "bob@example.org";

impl Names {
    pub(super) fn probes(&self) -> Vec<Probe> {
        [self.postmasters(), self.unknown(), self.return_path(), self.relay()].concat()
    }

    /// `postmaster` without a domain and at every domain (RFC 5321, 4.5.1), from `<>`, because bounces go there too.
    fn postmasters(&self) -> Vec<Probe> {
        let domains = self.domains.iter().chain([&self.host]).chain(&self.return_path_domain);
        let addresses = domains.map(|domain| format!("postmaster@{domain}"));
        let all = std::iter::once("postmaster".to_owned()).chain(addresses);
        all.map(|recipient| Probe::new(Check::Postmaster, "", recipient, Expectation::Accept)).collect()
    }

    fn unknown(&self) -> Vec<Probe> {
        let addresses = self.domains.iter().map(|domain| format!("{}@{domain}", self.nobody));
        addresses.map(|recipient| Probe::new(Check::UnknownAddress, "", recipient, Expectation::Refuse)).collect()
    }

    /// A sender and a recipient in the return-path domain that the host did not make.
    fn return_path(&self) -> Vec<Probe> {
        let Some(domain) = &self.return_path_domain else { return Vec::new() };
        let made_up = format!("{}@{domain}", self.nobody);
        let postmaster = format!("postmaster@{}", self.host);
        vec![
            Probe::new(Check::ReturnPath, &made_up, postmaster, Expectation::Refuse),
            Probe::new(Check::ReturnPath, "", made_up, Expectation::Refuse),
        ]
    }

    /// A foreign recipient, also in the forms that lead some hosts to relay: with a percent sign, as a source route (RFC
    /// 5321, appendix C), quoted, and as a UUCP path.
    fn relay(&self) -> Vec<Probe> {
        let host = &self.host;
        let domains = std::iter::once(host).chain(self.domains.first());
        let senders = domains.map(|domain| format!("postmaster@{domain}"));
        let mut probes = Vec::new();
        for sender in std::iter::once(String::new()).chain(senders) {
            for recipient in [
                FOREIGN.to_owned(),
                format!("bob%example.org@{host}"),
                format!("@{host}:{FOREIGN}"),
                format!("\"{FOREIGN}\"@{host}"),
                format!("\"{FOREIGN}\""),
                format!("{FOREIGN}@{host}"),
                format!("example.org!bob@{host}"),
                "bob%example.org".to_owned(),
            ] {
                probes.push(Probe::new(Check::OpenRelay, &sender, recipient, Expectation::Refuse));
            }
        }
        probes
    }
}

impl Probe {
    fn new(check: Check, sender: &str, recipient: String, expectation: Expectation) -> Self {
        Self { check, sender: sender.to_owned(), recipient, expectation }
    }

    /// Decides on the reply to RCPT, or to MAIL if that was refused.
    pub(super) fn finding(&self, reply: &Reply) -> Finding {
        let subject = match self.check {
            Check::ReturnPath | Check::OpenRelay => format!("<{}> to <{}>", self.sender, self.recipient),
            _ => self.recipient.clone(),
        };
        let text = reply.text();
        let Self { check, .. } = *self;
        match self.expectation {
            Expectation::Accept if reply.is_positive() => Finding::pass(check, subject, "accepted"),
            Expectation::Refuse if reply.is_refusal() => Finding::pass(check, subject, format!("refused: {text}")),
            Expectation::Refuse if reply.is_positive() => Finding::fail(check, subject, "accepted", self.next()),
            _ if !reply.is_refusal() => {
                Finding::warning(check, subject, text, "a temporary failure: check the log, and try again")
            }
            _ => Finding::fail(check, subject, format!("refused: {text}"), self.next()),
        }
    }

    /// What to do if the expectation is not met.
    fn next(&self) -> &'static str {
        match self.check {
            Check::Postmaster => "check the lookup tables of Postfix and the settings of alias-map",
            Check::UnknownAddress => "set smtpd_reject_unlisted_recipient = yes: later bounces hit forged senders",
            Check::ReturnPath => "check return-path-domain in mail-host.toml and the settings of alias-map",
            _ => "disconnect the host from the internet, and render the configuration again",
        }
    }
}

/// One finding per verdict for two dozen probes of open relays, with an example; the other findings stay.
pub(super) fn summarize(subject: &str, findings: Vec<Finding>) -> Vec<Finding> {
    let (relays, mut all): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| finding.check == Check::OpenRelay);
    for verdict in [Verdict::Pass, Verdict::Warning, Verdict::Fail] {
        let alike: Vec<_> = relays.iter().filter(|finding| finding.verdict == verdict).collect();
        if let Some(first) = alike.first() {
            let reason = format!("{} of {} relay attempts: {}", alike.len(), relays.len(), first.subject);
            let reason = format!("{reason} {}", first.reason);
            all.push(Finding { subject: subject.to_owned(), reason, ..(*first).clone() });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names {
            host: "mx.forwards.example".parse().unwrap(),
            domains: ["ubuntu.com", "kubuntu.org"].map(|name| name.parse().unwrap()).to_vec(),
            return_path_domain: Some("return.forwards.example".parse().unwrap()),
            nobody: "nobody-5eed".to_owned(),
        }
    }

    fn reply(code: u16) -> Reply {
        Reply { code, lines: vec!["5.7.1 text".to_owned()] }
    }

    #[test]
    fn probes_cover_every_name() {
        let probes = names().probes();
        let lines = probes.iter().map(|Probe { check, sender, recipient, expectation }| {
            format!("{check} <{sender}> to <{recipient}>: {expectation:?}")
        });
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    }

    #[rstest::rstest]
    #[case::accepted(Expectation::Accept, 250, Verdict::Pass)]
    #[case::forwarded(Expectation::Accept, 251, Verdict::Pass)]
    #[case::refused(Expectation::Accept, 550, Verdict::Fail)]
    #[case::deferred(Expectation::Accept, 451, Verdict::Warning)]
    #[case::relay_refused(Expectation::Refuse, 554, Verdict::Pass)]
    #[case::relay_accepted(Expectation::Refuse, 250, Verdict::Fail)]
    #[case::relay_deferred(Expectation::Refuse, 450, Verdict::Warning)]
    #[case::odd_code(Expectation::Refuse, 199, Verdict::Warning)]
    fn reply_decides(#[case] expectation: Expectation, #[case] code: u16, #[case] expected: Verdict) {
        for check in [Check::Postmaster, Check::UnknownAddress, Check::ReturnPath, Check::OpenRelay] {
            let probe = Probe::new(check, "", FOREIGN.to_owned(), expectation);
            let finding = probe.finding(&reply(code));
            assert_eq!((finding.verdict, finding.next.is_some()), (expected, expected != Verdict::Pass));
        }
    }

    #[test]
    fn summary_keeps_accepted_relays() {
        let codes = [554, 250, 501];
        let probes = names().relay();
        let mut findings: Vec<_> = probes.iter().zip(codes).map(|(probe, code)| probe.finding(&reply(code))).collect();
        findings.push(Finding::pass(Check::Postmaster, "postmaster", "accepted"));
        let summary = summarize("port 25", findings);
        let lines = summary.iter().map(|Finding { verdict, check, reason, .. }| format!("{verdict} {check}: {reason}"));
        let expected = [
            "pass postmaster: accepted",
            "pass open-relay: 2 of 3 relay attempts: <> to <bob@example.org> refused: 554 5.7.1 text",
            "fail open-relay: 1 of 3 relay attempts: <> to <bob%example.org@mx.forwards.example> accepted",
        ];
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }
}
