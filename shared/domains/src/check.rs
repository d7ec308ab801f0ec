//! Checks domains and records the results.

use futures_util::StreamExt;
use futures_util::stream;
use jiff::SignedDuration;
use membermail_core::address::DomainName;
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::Clock;
use membermail_core::community::Domain;
use membermail_core::domain_mail::{Dmarc, Mx, Spf};
use membermail_core::domain_proof::{DomainEvent, Proof, Seen};
use membermail_core::random::Random;
use membermail_store::{DomainCheck, RecordedCheck, Store, StoreError};
use serde::Serialize;

use crate::records::{DomainRecords, fetch_records};
use crate::resolver::Resolver;

/// Minimum number of concurrent checks, so that one unresponsive name server does not delay the others.
const MIN_CONCURRENCY: usize = 8;

/// Maximum rounds of concurrent checks. A round takes at most the DNS timeout (8 s) and a few requests to the table, and the
/// function has 120 s.
const MAX_ROUNDS: usize = 10;

/// The dependencies of a check.
pub struct Checker {
    /// DNS.
    pub resolver: Resolver,
    /// The table.
    pub store: Store,
    /// The time.
    pub clock: Box<dyn Clock>,
    /// Random bytes for the tokens of new domains.
    pub random: Box<dyn Random>,
    /// Grace period during which members of a domain without its record still get new addresses.
    pub grace: SignedDuration,
}

/// The results of checking several domains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// One report per domain, in the requested order.
    pub domains: Vec<DomainReport>,
}

impl Report {
    /// The number of failed checks.
    pub fn failed(&self) -> usize {
        self.domains.iter().filter(|report| matches!(report.outcome, Outcome::Failed { .. })).count()
    }
}

/// The result of checking one domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DomainReport {
    /// The domain.
    pub domain: DomainName,
    /// The outcome of its check.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// The outcome of a check. A missing answer from DNS is recorded like any other result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// The domain was checked and the result recorded.
    Checked {
        /// The state of its proof of ownership.
        proof: Proof,
        /// The observed TXT record.
        record: Seen,
        /// The change that its admins are notified of.
        #[serde(skip_serializing_if = "Option::is_none")]
        event: Option<DomainEvent>,
        /// The mail servers.
        mx: Mx,
        /// The SPF policy.
        spf: Spf,
        /// The DMARC policy.
        dmarc: Dmarc,
    },
    /// The table already has the result of a later check.
    Superseded,
    /// The community file documents no admin, so the domain is not checked.
    NoAdmin,
    /// The table request failed.
    Failed {
        /// The error, for the log.
        reason: String,
        /// Whether a retry can succeed.
        retryable: bool,
    },
}

/// Checks domains in DNS and records the results. One failure does not stop the other checks.
pub async fn check(checker: &Checker, domains: impl IntoIterator<Item = &Domain>, request_id: &str) -> Report {
    let domains: Vec<_> = domains.into_iter().map(|domain| report(checker, domain, request_id)).collect();
    let concurrency = concurrency(domains.len());
    Report { domains: stream::iter(domains).buffered(concurrency).collect().await }
}

/// Concurrent checks for `count` domains, such that all fit into the function's timeout even if no name server answers.
fn concurrency(count: usize) -> usize {
    count.div_ceil(MAX_ROUNDS).max(MIN_CONCURRENCY)
}

async fn report(checker: &Checker, domain: &Domain, request_id: &str) -> DomainReport {
    let Checker { resolver, store, clock, random, grace } = checker;
    let cause = Cause { actor: Actor::DomainCheck, by: None, request_id, now: clock.now() };
    check_one(resolver, store, domain, *grace, cause, &**random).await
}

/// Checks one domain for the actor of this cause, to whom the audit log attributes a change of the proof. `grace` is that of
/// the [`Checker`].
pub async fn check_one(
    resolver: &Resolver,
    store: &Store,
    domain: &Domain,
    grace: SignedDuration,
    cause: Cause<'_>,
    random: &dyn Random,
) -> DomainReport {
    let outcome = if domain.admins.is_empty() {
        Outcome::NoAdmin
    } else {
        check_domain(resolver, store, &domain.domain, grace, cause, random)
            .await
            .unwrap_or_else(|cause| Outcome::Failed { reason: cause.to_string(), retryable: cause.is_retryable() })
    };
    DomainReport { domain: domain.domain.clone(), outcome }
}

async fn check_domain(
    resolver: &Resolver,
    store: &Store,
    domain: &DomainName,
    grace: SignedDuration,
    cause: Cause<'_>,
    random: &dyn Random,
) -> Result<Outcome, StoreError> {
    let token = store.ensure_domain_token(domain, random).await?;
    let DomainRecords { record, mx, spf, dmarc } = fetch_records(resolver, domain, &token).await;
    let seen = DomainCheck { record, mx, spf, dmarc, asked_at: cause.now };
    let recorded = store.record_domain_check(domain, &seen, grace, cause, random).await?;
    let DomainCheck { record, mx, spf, dmarc, .. } = seen;
    Ok(match recorded {
        RecordedCheck::Superseded => Outcome::Superseded,
        RecordedCheck::Recorded { proof, event, .. } => Outcome::Checked { proof, record, event, mx, spf, dmarc },
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::settings::Settings;

    /// The timeout in `template.yaml`, minus the time for a cold start and the response.
    const TIMEOUT: Duration = Duration::from_secs(120 - 15);

    #[rstest::rstest]
    fn dead_dns_fits_in_timeout(#[values(1, 6, 8, 9, 80, 81, 99, 1_000, 10_001)] count: usize) {
        let rounds = count.div_ceil(concurrency(count));
        let round = Settings::default().timeout + Duration::from_secs(1);
        assert!(round * u32::try_from(rounds).unwrap() < TIMEOUT, "{rounds} rounds");
        assert!(count < 80 || concurrency(count) <= count / 9, "{} concurrent checks", concurrency(count));
    }
}
