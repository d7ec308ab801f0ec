//! Decides on the greeting and on the replies to EHLO.

use membermail_core::address::DomainName;

use super::connection::Reply;
use super::report::{Check, Finding};

/// A service of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// Mail from anywhere.
    Smtp,
    /// Our own notices.
    Submission,
}

/// What a port said.
#[derive(Clone, Debug)]
pub(super) struct Transcript {
    pub(super) service: Service,
    /// The port, for the findings.
    pub(super) subject: String,
    pub(super) greeting: Reply,
    /// The reply to EHLO before TLS.
    pub(super) clear: Reply,
    /// The reply to EHLO after STARTTLS, if TLS works.
    pub(super) encrypted: Option<Reply>,
}

/// Extensions that answer questions about addresses, or ask for reports about destinations (RFC 3461).
const UNWANTED: [&str; 4] = ["VRFY", "EXPN", "ETRN", "DSN"];
const WANTED: [&str; 2] = ["SIZE", "PIPELINING"];

impl Transcript {
    pub(super) fn findings(&self, host: &DomainName) -> Vec<Finding> {
        vec![self.host_name(host), self.starttls(), self.extensions(), self.auth()]
    }

    fn host_name(&self, host: &DomainName) -> Finding {
        let check = Check::HostName;
        for (what, reply) in [("the greeting", &self.greeting), ("the reply to EHLO", &self.clear)] {
            let name = reply.lines.first().and_then(|line| line.split_whitespace().next()).unwrap_or_default();
            if !name.eq_ignore_ascii_case(host.as_str()) {
                let reason = format!("{what} has the name {name:?}");
                return Finding::fail(
                    check,
                    &self.subject,
                    reason,
                    format!("set hostname in mail-host.toml to {host}"),
                );
            }
        }
        Finding::pass(check, &self.subject, "greeting and EHLO have the host's name")
    }

    fn starttls(&self) -> Finding {
        if has(&self.clear, "STARTTLS") {
            return Finding::pass(Check::Starttls, &self.subject, "offered");
        }
        let next = "check smtpd_tls_chain_files and the log of Postfix";
        Finding::fail(Check::Starttls, &self.subject, "not offered", next)
    }

    fn extensions(&self) -> Finding {
        let check = Check::Extensions;
        let replies = [Some(&self.clear), self.encrypted.as_ref()];
        let mut offered =
            UNWANTED.into_iter().filter(|name| replies.into_iter().flatten().any(|reply| has(reply, name)));
        if let Some(name) = offered.next() {
            let next = format!("render the configuration again; {name} tells strangers about addresses");
            return Finding::fail(check, &self.subject, format!("{name} is offered"), next);
        }
        if let Some(name) = WANTED.into_iter().find(|name| !has(&self.clear, name)) {
            let next = "check smtpd_discard_ehlo_keywords";
            return Finding::warning(check, &self.subject, format!("{name} is not offered"), next);
        }
        Finding::pass(check, &self.subject, "SIZE and PIPELINING; neither VRFY, EXPN, ETRN nor DSN")
    }

    fn auth(&self) -> Finding {
        let check = Check::Auth;
        if has(&self.clear, "AUTH") {
            let next = "set smtpd_tls_auth_only = yes, and smtpd_sasl_auth_enable on the submission port only";
            return Finding::fail(check, &self.subject, "AUTH is offered without TLS", next);
        }
        let is_offered = self.encrypted.as_ref().map(|reply| has(reply, "AUTH"));
        match (self.service, is_offered) {
            (Service::Smtp, Some(true)) => {
                let next = "set smtpd_sasl_auth_enable on the submission port only";
                Finding::fail(check, &self.subject, "AUTH is offered on the port for mail from anywhere", next)
            }
            (Service::Smtp, _) => Finding::pass(check, &self.subject, "not offered"),
            (Service::Submission, Some(true)) => Finding::pass(check, &self.subject, "offered after STARTTLS only"),
            (Service::Submission, Some(false)) => {
                let next = "add [login] to mail-host.toml, unless all notices come from submitters";
                Finding::warning(check, &self.subject, "AUTH is not offered", next)
            }
            (Service::Submission, None) => {
                Finding::warning(check, &self.subject, "not offered without TLS", "make STARTTLS work first")
            }
        }
    }
}

/// Whether a reply to EHLO has this keyword. Old clients read `AUTH=`, so servers offer it too.
fn has(ehlo: &Reply, keyword: &str) -> bool {
    let keywords = ehlo.lines.iter().skip(1).filter_map(|line| line.split([' ', '=']).next());
    keywords.into_iter().any(|name| name.eq_ignore_ascii_case(keyword))
}

#[cfg(test)]
mod tests {
    use super::super::report::Verdict;
    use super::*;

    const HOST: &str = "mx.forwards.example";

    fn reply(code: u16, lines: &[&str]) -> Reply {
        Reply { code, lines: lines.iter().map(|line| (*line).to_owned()).collect() }
    }

    fn transcript(service: Service) -> Transcript {
        let auth = if service == Service::Submission { "AUTH PLAIN" } else { "8BITMIME" };
        Transcript {
            service,
            subject: "port 25".to_owned(),
            greeting: reply(220, &["MX.forwards.example ESMTP"]),
            clear: reply(250, &[HOST, "PIPELINING", "SIZE 26214400", "STARTTLS", "8BITMIME"]),
            encrypted: Some(reply(250, &[HOST, "PIPELINING", "SIZE 26214400", auth])),
        }
    }

    fn verdict(transcript: &Transcript, check: Check) -> Verdict {
        let findings = transcript.findings(&HOST.parse().unwrap());
        findings.into_iter().find(|finding| finding.check == check).unwrap().verdict
    }

    #[rstest::rstest]
    #[case(Service::Smtp)]
    #[case(Service::Submission)]
    fn right_port_passes(#[case] service: Service) {
        let findings = transcript(service).findings(&HOST.parse().unwrap());
        assert!(findings.iter().all(|finding| finding.verdict == Verdict::Pass), "{findings:?}");
    }

    #[rstest::rstest]
    #[case::other_name("mail.other.example ESMTP", HOST)]
    #[case::no_greeting("", HOST)]
    #[case::other_ehlo("mx.forwards.example ESMTP", "localhost")]
    fn other_host_name_fails(#[case] greeting: &str, #[case] name: &str) {
        let mut transcript = transcript(Service::Smtp);
        transcript.greeting = reply(220, &[greeting]);
        transcript.clear.lines[0] = name.to_owned();
        assert_eq!(verdict(&transcript, Check::HostName), Verdict::Fail);
    }

    #[rstest::rstest]
    #[case::vrfy("VRFY")]
    #[case::etrn("etrn")]
    #[case::expn("EXPN")]
    #[case::dsn("DSN")]
    fn unwanted_extension_fails(#[case] keyword: &str) {
        let mut before = transcript(Service::Smtp);
        before.clear.lines.push(keyword.to_owned());
        let mut after = transcript(Service::Submission);
        after.encrypted.as_mut().unwrap().lines.push(keyword.to_owned());
        for transcript in [before, after] {
            assert_eq!(verdict(&transcript, Check::Extensions), Verdict::Fail);
        }
    }

    #[rstest::rstest]
    #[case::size(2, Check::Extensions, Verdict::Warning)]
    #[case::pipelining(1, Check::Extensions, Verdict::Warning)]
    #[case::starttls(3, Check::Starttls, Verdict::Fail)]
    fn missing_extension_is_reported(#[case] line: usize, #[case] check: Check, #[case] expected: Verdict) {
        let mut transcript = transcript(Service::Smtp);
        transcript.clear.lines.remove(line);
        assert_eq!(verdict(&transcript, check), expected);
    }

    #[rstest::rstest]
    #[case::clear_on_smtp(Service::Smtp, Some("AUTH PLAIN"), Some("SIZE"), Verdict::Fail)]
    #[case::clear_on_submission(Service::Submission, Some("AUTH=PLAIN"), Some("AUTH PLAIN"), Verdict::Fail)]
    #[case::encrypted_on_smtp(Service::Smtp, None, Some("AUTH PLAIN"), Verdict::Fail)]
    #[case::never_on_submission(Service::Submission, None, Some("SIZE"), Verdict::Warning)]
    #[case::no_tls_on_submission(Service::Submission, None, None, Verdict::Warning)]
    #[case::no_tls_on_smtp(Service::Smtp, None, None, Verdict::Pass)]
    #[case::similar_word(Service::Smtp, Some("AUTHX"), Some("XAUTH"), Verdict::Pass)]
    fn auth_belongs_to_encrypted_submission(
        #[case] service: Service,
        #[case] clear: Option<&str>,
        #[case] encrypted: Option<&str>,
        #[case] expected: Verdict,
    ) {
        let mut transcript = transcript(service);
        transcript.clear.lines.extend(clear.map(str::to_owned));
        transcript.encrypted = encrypted.map(|line| reply(250, &[HOST, line]));
        assert_eq!(verdict(&transcript, Check::Auth), expected);
    }
}
