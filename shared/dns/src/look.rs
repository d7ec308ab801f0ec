//! All that is looked at of one domain.

use membermail_core::address::DomainName;
use membermail_core::domain_mail::{Dmarc, Mx, Spf, dmarc_domains};
use membermail_core::domain_proof::{Seen, Token, Unanswered};
use tokio::time::timeout;

use crate::resolver::Resolver;

/// What DNS says of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Its record.
    pub record: Seen,
    /// Where its mail goes.
    pub mx: Mx,
    /// Who may send as it.
    pub spf: Spf,
    /// What becomes of mail that only claims to come from it.
    pub dmarc: Dmarc,
}

/// Asks for everything at once. Whatever goes wrong is part of the answer.
pub async fn look(resolver: &Resolver, domain: &DomainName, token: &Token) -> Look {
    let name = domain.as_str();
    let (texts, hosts, dmarc) = tokio::join!(resolver.txt(name), resolver.mx(name), dmarc(resolver, domain));
    Look { record: Seen::among(&texts, token), mx: Mx::of(&hosts), spf: Spf::of(&texts), dmarc }
}

/// The domain's own record, or that of the next domain around it which has one (RFC 7489, 6.6.3). All of them together
/// take no longer than one question.
async fn dmarc(resolver: &Resolver, domain: &DomainName) -> Dmarc {
    let found = async {
        for around in dmarc_domains(domain) {
            let dmarc = Dmarc::of(&resolver.txt(&format!("_dmarc.{around}")).await, &around, domain);
            if dmarc != Dmarc::None {
                return dmarc;
            }
        }
        Dmarc::None
    };
    let late = Dmarc::Unanswered { why: Unanswered::TimedOut };
    timeout(resolver.patience(), found).await.unwrap_or(late)
}
