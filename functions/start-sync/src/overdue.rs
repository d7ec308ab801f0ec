//! Counts the domains whose syncs no longer finish.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::schedule::is_overdue;
use membermail_runtime::metrics::Measure;
use membermail_runtime::queue::Queue;
use membermail_store::{StoreError, SyncRequest};
use tracing::warn;

use crate::Context;
use crate::send::CONCURRENT_BATCHES;

/// Records the number of domains without a finished sync for two periods, if there are any: CloudWatch bills a metric for each
/// hour in which it has a value. One metric and alarm cover all domains. A table that cannot be read is an error, so Lambda
/// tries the event again.
///
/// For most domains, the item that was read anyway shows a recent sync, and a domain without an item was requested for the first
/// time a moment ago. Only for the others are the runs read, since after a crash the item can be older than the runs.
pub(crate) async fn record_overdue_domains(
    context: &Context,
    known: &BTreeMap<DomainName, SyncRequest>,
) -> Result<(), StoreError> {
    let now = context.clock.now();
    let requests = context.domains.iter().filter_map(|domain| Some((domain, known.get(domain)?)));
    let candidates = requests
        .filter(|(_, request)| request.synced_or_awaited().is_none_or(|last| is_overdue(last, now, context.period)));
    let candidates: Vec<_> = candidates.collect();
    let counts = stream::iter(candidates.chunks(Queue::BATCH)).map(|batch| count_overdue(context, batch, now));
    let overdue: u64 =
        counts.buffer_unordered(CONCURRENT_BATCHES).try_fold(0, async |sum, count| Ok(sum + count)).await?;
    if overdue > 0 {
        context.metrics.record(&Measure::DomainsWithoutSync(overdue));
    }
    Ok(())
}

/// The number of these domains without a recent sync.
async fn count_overdue(
    context: &Context,
    domains: &[(&DomainName, &SyncRequest)],
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut overdue = 0;
    for (domain, request) in domains {
        let last = context.store.last_sync(domain, Some(request)).await?;
        if let Some(last) = last.filter(|last| is_overdue(*last, now, context.period)) {
            warn!(%domain, %last, "no sync of {domain} finished for two periods");
            overdue += 1;
        }
    }
    Ok(overdue)
}
