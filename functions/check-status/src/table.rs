//! The probes of what runs by schedule: the table tells when it ran last.

use jiff::Timestamp;
use membermail_core::domain_proof::Seen;
use membermail_core::schedule::is_overdue;
use membermail_core::status::probes::{self, DomainChecked, Verdict};
use membermail_store::{StoreError, SyncRequest};

use crate::Context;

/// For most domains, one batch read shows a recent sync. Only for the others are the runs read, since after a crash the item
/// can be older than the runs; and only up to the first domain that is late, since that is enough.
pub(crate) async fn syncs(context: &Context, now: Timestamp) -> Result<Verdict, StoreError> {
    let Some(period) = context.sync_period else { return Ok(Verdict::NoEvidence) };
    let known = context.store.sync_requests(context.domains.iter()).await?;
    let mut last = Vec::with_capacity(context.domains.len());
    for domain in &context.domains {
        let request = known.get(domain);
        let synced = match request.and_then(SyncRequest::synced_or_awaited) {
            Some(last) if !is_overdue(last, now, period) => Some(last),
            _ => context.store.last_sync(domain, request).await?,
        };
        last.push(synced);
        if synced.is_some_and(|last| is_overdue(last, now, period)) {
            break;
        }
    }
    Ok(probes::syncs(last, now, period))
}

pub(crate) async fn domain_checks(context: &Context, now: Timestamp) -> Result<Verdict, StoreError> {
    let Some(period) = context.domain_checks_period else { return Ok(Verdict::NoEvidence) };
    let checks = context.store.last_domain_checks(context.domains.iter()).await?;
    let checked = checks.iter().map(|last| {
        let is_answered = !matches!(last.seen, Seen::Unanswered(_));
        DomainChecked { at: last.checked_at, is_answered }
    });
    Ok(probes::domain_checks(checked, now, period))
}
