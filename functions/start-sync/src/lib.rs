//! Puts one message a domain on the queue of `sync-team`: by schedule for all of them, or for those that are named. By
//! schedule it also looks back, and counts the domains whose syncs no longer come to their end.

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Error;
use membermail_core::address::DomainName;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::message::SyncTeam;
use membermail_runtime::aws::Aws;
use membermail_runtime::batch::chain;
use membermail_runtime::metrics::{Measure, Metrics};
use membermail_runtime::queue::Queue;
use membermail_runtime::variables::{Variables, of_process};
use membermail_store::Store;
use serde::Deserialize;
use tracing::{error, info, warn};

/// What it is invoked with: a schedule's event, which names no domains, or `{"domains": ["ubuntu.com"]}`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Event {
    /// Those to sync; all where none is named.
    #[serde(default)]
    pub domains: Vec<DomainName>,
}

/// What the function holds through its life.
pub struct Context {
    /// The community's.
    pub domains: Vec<DomainName>,
    /// The table.
    pub store: Store,
    /// In front of `sync-team`.
    pub outbox: Queue,
    /// From one schedule to the next.
    pub period: SignedDuration,
    /// Where it goes how many domains have no syncs that end.
    pub metrics: Metrics,
    /// The time.
    pub clock: Box<dyn Clock>,
}

impl Context {
    /// Reads the settings and builds the clients.
    pub async fn from_env() -> Result<Self, Error> {
        let mut variables = Variables::new(&of_process);
        let community = variables.required("COMMUNITY");
        let table = variables.required("TABLE_NAME");
        let outbox = variables.required("SYNC_QUEUE_URL");
        let period: Option<i64> = variables.optional("SYNC_PERIOD_SECONDS");
        variables.finish()?;
        let community = membermail_communities::community(&community)?;
        let aws = Aws::from_env().await?;
        Ok(Self {
            domains: community.domain_names().cloned().collect(),
            store: Store::new(aws.dynamodb(), table),
            outbox: Queue::new(aws.sqs(), outbox),
            period: SignedDuration::from_secs(period.unwrap_or(3600)),
            metrics: Metrics::to_log(),
            clock: Box::new(SystemClock),
        })
    }
}

/// Sends the messages. A schedule that fires twice does no harm: a domain has one run at a time.
pub async fn handle(context: &Context, event: Event, request_id: &str) -> Result<(), Error> {
    if let Some(unknown) = event.domains.iter().find(|domain| !context.domains.contains(domain)) {
        return Err(format!("{unknown} is no domain of this community").into());
    }
    let domains = if event.domains.is_empty() { &context.domains } else { &event.domains };
    let request_id = request_id.to_owned();
    let messages: Vec<_> = domains
        .iter()
        .map(|domain| SyncTeam { domain: domain.clone(), release: None, full: false, request_id: request_id.clone() })
        .collect();
    context.outbox.send_all(&messages).await?;
    info!(domains = messages.len(), "syncs asked for");
    if event.domains.is_empty() {
        look_back(context).await;
    }
    Ok(())
}

/// Counts the domains of which no sync came to its end for two periods. The alarm is on this one metric, so a domain more
/// is a change of the community's file only. Where the table does not answer there is no metric, which is an alarm too.
async fn look_back(context: &Context) {
    let now = context.clock.now();
    let mut without = 0;
    for domain in &context.domains {
        match context.store.last_sync(domain, now).await {
            Ok(last) if is_overdue(last, now, context.period) => {
                warn!(%domain, %last, "no sync of {domain} came to its end for two periods");
                without += 1;
            }
            Ok(_) => {}
            Err(cause) => return error!(%domain, cause = chain(&cause), "whether syncs come to their end is not known"),
        }
    }
    context.metrics.record(&Measure::DomainsWithoutSync(without));
}

/// A sync begins a moment after it is asked for, and a schedule is not exact: with half a period more, two periods have
/// passed in any case, and the third has not.
fn is_overdue(last: Timestamp, now: Timestamp, period: SignedDuration) -> bool {
    now.duration_since(last) > period * 2 + period / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::just_now("11:59:00", false)]
    #[case::one_period("11:00:00", false)]
    #[case::two_periods("10:00:02", false)]
    #[case::the_schedule_was_late("09:59:30", false)]
    #[case::two_periods_and_the_third_is_due("09:00:02", true)]
    #[case::long_ago("00:00:00", true)]
    fn a_domain_is_overdue_after_two_periods(#[case] last: &str, #[case] overdue: bool) {
        let last = format!("2026-11-24T{last}Z").parse().unwrap();
        assert_eq!(is_overdue(last, "2026-11-24T12:00:00Z".parse().unwrap(), SignedDuration::from_hours(1)), overdue);
    }
}
