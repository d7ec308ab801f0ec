//! The check itself: the same for the function and for an operator's command.

use futures_util::StreamExt;
use futures_util::stream;
use jiff::SignedDuration;
use membermail_core::address::DomainName;
use membermail_core::clock::Clock;
use membermail_core::community::Domain;
use membermail_core::domain_mail::{Dmarc, Mx, Spf};
use membermail_core::domain_proof::{DomainEvent, Proof, Seen};
use membermail_core::random::Random;
use membermail_dns::{Look, Resolver, look};
use membermail_store::{DomainCheck, RecordedCheck, Store, StoreError};
use serde::Serialize;

/// Domains that are looked at at the same time: enough that one silent name server does not hold up the others.
const AT_ONCE: usize = 8;

/// Rounds in which all have their turn, where there are many: each takes no longer than DNS is waited for (8 s) and a few
/// requests to the table, and the function has 120 s.
const ROUNDS: usize = 10;

/// What a check takes.
pub struct Checker {
    /// DNS.
    pub resolver: Resolver,
    /// The table.
    pub store: Store,
    /// The time.
    pub clock: Box<dyn Clock>,
    /// For the tokens of new domains.
    pub random: Box<dyn Random>,
    /// How long a domain whose record is gone still gives new addresses.
    pub grace: SignedDuration,
}

/// What came of checking some domains, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Each of them.
    pub domains: Vec<DomainReport>,
}

impl Report {
    /// How many could not be checked, though it may go better another time.
    pub fn failed(&self) -> usize {
        self.domains.iter().filter(|one| matches!(one.outcome, Outcome::Failed { .. })).count()
    }
}

/// What came of one domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DomainReport {
    /// Which.
    pub domain: DomainName,
    /// What.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of a check. That DNS did not answer is an outcome like others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// It was looked at, and the table has it.
    Checked {
        /// How far its proof is now.
        proof: Proof,
        /// What was seen of its record.
        record: Seen,
        /// What its admins are to be told.
        #[serde(skip_serializing_if = "Option::is_none")]
        event: Option<DomainEvent>,
        /// Where its mail goes.
        mx: Mx,
        /// Who may send as it.
        spf: Spf,
        /// What becomes of mail that only claims to come from it.
        dmarc: Dmarc,
    },
    /// A later look was in the table already.
    Superseded,
    /// Nobody answers for it in the community's file: it is not even looked at.
    NoAdmin,
    /// The table did not do its part.
    Failed {
        /// Why, for the log.
        reason: String,
        /// Whether it may go better another time.
        retryable: bool,
    },
}

/// Looks at these domains in DNS and records what is seen and what follows. One that fails stops no other.
pub async fn check(checker: &Checker, domains: impl IntoIterator<Item = &Domain>, request_id: &str) -> Report {
    let domains: Vec<_> = domains.into_iter().map(|domain| report(checker, domain, request_id)).collect();
    let at_once = at_once(domains.len());
    Report { domains: stream::iter(domains).buffered(at_once).collect().await }
}

/// So many at a time that the last of `count` is looked at also where no name server answers.
fn at_once(count: usize) -> usize {
    count.div_ceil(ROUNDS).max(AT_ONCE)
}

async fn report(checker: &Checker, domain: &Domain, request_id: &str) -> DomainReport {
    let outcome = if domain.admins.is_empty() {
        Outcome::NoAdmin
    } else {
        one(checker, &domain.domain, request_id)
            .await
            .unwrap_or_else(|cause| Outcome::Failed { reason: cause.to_string(), retryable: cause.is_retryable() })
    };
    DomainReport { domain: domain.domain.clone(), outcome }
}

async fn one(checker: &Checker, domain: &DomainName, request_id: &str) -> Result<Outcome, StoreError> {
    let Checker { resolver, store, clock, random, grace } = checker;
    let token = store.domain_token(domain, &**random).await?;
    let asked_at = clock.now();
    let Look { record, mx, spf, dmarc } = look(resolver, domain, &token).await;
    let seen = DomainCheck { record, mx, spf, dmarc, asked_at };
    let recorded = store.record_domain_check(domain, &seen, *grace, request_id, &**random).await?;
    let DomainCheck { record, mx, spf, dmarc, .. } = seen;
    Ok(match recorded {
        RecordedCheck::Superseded => Outcome::Superseded,
        RecordedCheck::Recorded { proof, event, .. } => Outcome::Checked { proof, record, event, mx, spf, dmarc },
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use membermail_dns::Settings;

    use super::*;

    /// As `template.yaml` has it, without what a start and the last words take.
    const TIMEOUT: Duration = Duration::from_secs(120 - 15);

    #[rstest::rstest]
    fn with_dead_dns_all_have_their_turn(#[values(1, 6, 8, 9, 80, 81, 99, 1_000, 10_001)] count: usize) {
        let rounds = count.div_ceil(at_once(count));
        let round = Settings::default().patience + Duration::from_secs(1);
        assert!(round * u32::try_from(rounds).unwrap() < TIMEOUT, "{rounds} rounds");
        assert!(count < 80 || at_once(count) <= count / 9, "{} at a time", at_once(count));
    }
}
