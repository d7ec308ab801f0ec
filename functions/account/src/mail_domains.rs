//! Whether a domain accepts mail at all.

use async_trait::async_trait;
use membermail_core::domain_proof::DnsAnswer;
use membermail_domains::Resolver;

/// Finds the mail servers of a domain.
#[async_trait]
pub trait MailDomains: Send + Sync {
    /// The hosts of the MX records, without trailing dots: an empty name for a null MX.
    async fn mx(&self, domain: &str) -> DnsAnswer<String>;
}

#[async_trait]
impl MailDomains for Resolver {
    async fn mx(&self, domain: &str) -> DnsAnswer<String> {
        Self::mx(self, domain).await
    }
}

/// Whether the domain states that it accepts no mail (null MX: one record with an empty host; RFC 7505, 3). Without MX
/// records, mail goes to the host itself (RFC 5321, 5.1), and without an answer, the domain gets the benefit of the doubt.
pub(crate) fn is_null_mx(answer: &DnsAnswer<String>) -> bool {
    matches!(answer, DnsAnswer::Records(hosts) if matches!(hosts.as_slice(), [host] if host.is_empty()))
}

#[cfg(test)]
mod tests {
    use membermail_core::domain_proof::Unanswered;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::null_mx(Some(&[""][..]), true)]
    #[case::mail_server(Some(&["mx.mail.example"][..]), false)]
    #[case::broken_null_mx(Some(&["", "mx.mail.example"][..]), false)]
    #[case::no_records(None, false)]
    fn only_null_mx_is_refused(#[case] hosts: Option<&[&str]>, #[case] expected: bool) {
        let records = hosts.map(|hosts| hosts.iter().map(ToString::to_string).collect());
        assert_eq!(is_null_mx(&records.map_or(DnsAnswer::Missing, DnsAnswer::Records)), expected);
    }

    #[test]
    fn missing_answer_is_accepted() {
        for why in [Unanswered::TimedOut, Unanswered::ServerFailure, Unanswered::Refused, Unanswered::Unusable] {
            assert!(!is_null_mx(&DnsAnswer::Unanswered(why)));
        }
    }
}
