//! Puts a message on the queue of `sync-team` for each domain that has none waiting: by schedule for all of them, or for
//! those that are named. By schedule it also counts the domains whose syncs no longer finish.

mod ask;
mod look_back;
#[cfg(test)]
mod tests;

use jiff::SignedDuration;
use lambda_runtime::Error;
use membermail_core::address::DomainName;
use membermail_core::clock::{Clock, SystemClock};
use membermail_runtime::aws::Aws;
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_runtime::variables::{Variables, of_process};
use membermail_store::Store;
use serde::Deserialize;

/// The input: an event of the schedule, which names no domains, or `{"domains": ["ubuntu.com"]}`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Event {
    /// Those to sync; all where none is named.
    #[serde(default)]
    pub domains: Vec<DomainName>,
    /// The id that EventBridge gives an event. It delivers an event at least once, each time with the same id.
    #[serde(default)]
    pub id: Option<String>,
}

/// The settings and clients of the function.
pub struct Context {
    /// The community's.
    pub domains: Vec<DomainName>,
    /// The table.
    pub store: Store,
    /// In front of `sync-team`.
    pub outbox: Queue,
    /// From one schedule to the next.
    pub period: SignedDuration,
    /// Receives the number of domains whose syncs do not finish.
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

/// Sends the messages that are missing. It is idempotent for each event: Lambda runs a failed invocation again with the same
/// request id, and EventBridge can deliver an event twice with the same event id.
pub async fn handle(context: &Context, event: Event, request_id: &str) -> Result<(), Error> {
    if let Some(unknown) = event.domains.iter().find(|domain| !context.domains.contains(domain)) {
        return Err(format!("{unknown} is no domain of this community").into());
    }
    let domains =
        if event.domains.is_empty() { &context.store.domains_to_sync(&context.domains).await? } else { &event.domains };
    let known = context.store.sync_requests(domains.iter()).await?;
    let asking = ask::Asking { context, event: event.id.as_deref().unwrap_or(request_id), request_id };
    asking.ask(domains, &known).await?;
    if event.domains.is_empty() {
        look_back::look_back(context, &known).await;
    }
    Ok(())
}
