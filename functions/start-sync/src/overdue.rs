//! Counts the domains whose syncs no longer finish.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::schedule::is_overdue;
use membermail_runtime::batch::chain;
use membermail_runtime::metrics::Measure;
use membermail_runtime::queue::Queue;
use membermail_store::SyncRequest;
use tracing::{error, warn};

use crate::Context;
use crate::send::CONCURRENT_BATCHES;

/// Records the number of domains without a finished sync for two periods. One metric and alarm cover all domains. If the table
/// request fails, no metric is recorded, which raises the alarm as well.
///
/// For most domains, the item that was read anyway shows a recent sync. Only for the others are the runs read, since after a
/// crash the item can be older than the runs.
pub(crate) async fn record_overdue_domains(context: &Context, known: &BTreeMap<DomainName, SyncRequest>) {
    let now = context.clock.now();
    let candidates = context.domains.iter().filter(|domain| {
        let synced = known.get(domain).and_then(SyncRequest::synced);
        synced.is_none_or(|last| is_overdue(last, now, context.period))
    });
    let candidates: Vec<_> = candidates.collect();
    let counts = stream::iter(candidates.chunks(Queue::BATCH)).map(|batch| count_overdue(context, batch, now));
    let counts: Vec<_> = counts.buffer_unordered(CONCURRENT_BATCHES).collect().await;
    let Some(overdue) = counts.into_iter().sum::<Option<u64>>() else { return };
    context.metrics.record(&Measure::DomainsWithoutSync(overdue));
}

/// The number of these domains without a recent sync; `None` if the table request fails.
async fn count_overdue(context: &Context, domains: &[&DomainName], now: Timestamp) -> Option<u64> {
    let mut overdue = 0;
    for domain in domains {
        match context.store.track_last_sync(domain, now).await {
            Ok(last) if is_overdue(last, now, context.period) => {
                warn!(%domain, %last, "no sync of {domain} finished for two periods");
                overdue += 1;
            }
            Ok(_) => {}
            Err(cause) => {
                error!(%domain, cause = chain(&cause), "reading the last sync failed");
                return None;
            }
        }
    }
    Some(overdue)
}
