//! Fetches the DNS records of one domain.

use membermail_core::address::DomainName;
use membermail_core::domain_mail::{Dmarc, DmarcWalk, Mx, Spf};
use membermail_core::domain_proof::{Seen, Token, Unanswered};
use tokio::time::timeout;

use crate::resolver::Resolver;

/// The DNS records of a domain that a check needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainRecords {
    /// The TXT record that proves ownership.
    pub record: Seen,
    /// The mail servers.
    pub mx: Mx,
    /// The SPF policy: the servers that may send mail for the domain.
    pub spf: Spf,
    /// The DMARC policy: the handling of forged mail.
    pub dmarc: Dmarc,
}

/// Fetches all records concurrently. Errors are part of the result.
pub async fn fetch_records(resolver: &Resolver, domain: &DomainName, token: &Token) -> DomainRecords {
    let name = domain.as_str();
    let (texts, hosts, dmarc) = tokio::join!(resolver.txt(name), resolver.mx(name), dmarc(resolver, domain));
    DomainRecords { record: Seen::among(&texts, token), mx: Mx::of(&hosts), spf: Spf::of(&texts), dmarc }
}

/// The DMARC policy of the domain (RFC 9989, 4.10). All queries share the timeout of one query.
async fn dmarc(resolver: &Resolver, domain: &DomainName) -> Dmarc {
    let walked = async {
        let mut walk = DmarcWalk::new(domain);
        while let Some(name) = walk.next_name() {
            walk.answer(&resolver.txt(&format!("_dmarc.{name}")).await);
        }
        walk.result()
    };
    let timed_out = Dmarc::Unanswered { why: Unanswered::TimedOut };
    timeout(resolver.timeout(), walked).await.unwrap_or(timed_out)
}
