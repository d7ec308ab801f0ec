//! Whether the syncs of all domains finish.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_runtime::batch::chain;
use membermail_runtime::metrics::Measure;
use membermail_runtime::queue::Queue;
use membermail_store::SyncRequest;
use tracing::{error, warn};

use crate::Context;
use crate::ask::IN_FLIGHT;

/// Counts the domains without a finished sync for two periods. The alarm is on this one metric, so a further domain is a
/// change of the community's file only. Where the table does not answer there is no metric, which is an alarm too.
///
/// The item that was read anyway tells of most domains that their last sync is recent. Only the runs of the others are read:
/// the item can be older than the runs, for example after a crash.
pub(crate) async fn look_back(context: &Context, known: &BTreeMap<DomainName, SyncRequest>) {
    let now = context.clock.now();
    let is_recent = |domain: &&DomainName| {
        let synced = known.get(*domain).and_then(SyncRequest::synced);
        synced.is_some_and(|last| !is_overdue(last, now, context.period))
    };
    let others: Vec<_> = context.domains.iter().filter(|domain| !is_recent(domain)).collect();
    let counts = stream::iter(others.chunks(Queue::BATCH)).map(|batch| count(context, batch, now));
    let counts: Vec<_> = counts.buffer_unordered(IN_FLIGHT).collect().await;
    let Some(without) = counts.into_iter().sum::<Option<u64>>() else { return };
    context.metrics.record(&Measure::DomainsWithoutSync(without));
}

/// How many of these domains have no recent sync; none, where the table does not answer.
async fn count(context: &Context, domains: &[&DomainName], now: Timestamp) -> Option<u64> {
    let mut without = 0;
    for domain in domains {
        match context.store.last_sync(domain, now).await {
            Ok(last) if is_overdue(last, now, context.period) => {
                warn!(%domain, %last, "no sync of {domain} has finished for two periods");
                without += 1;
            }
            Ok(_) => {}
            Err(cause) => {
                error!(%domain, cause = chain(&cause), "it is not known whether syncs finish");
                return None;
            }
        }
    }
    Some(without)
}

/// A sync begins a moment after it is asked for, and a schedule is not exact. Half a period of tolerance covers both.
pub(crate) fn is_overdue(last: Timestamp, now: Timestamp, period: SignedDuration) -> bool {
    now.duration_since(last) > period * 2 + period / 2
}
