//! Sends a message to `sync-team` for each domain that has none waiting: for all domains by schedule, or for the named ones.
//! A scheduled event also counts the domains whose syncs no longer finish.

mod overdue;
mod send;
#[cfg(test)]
mod tests;

use jiff::SignedDuration;
use lambda_runtime::Error;
use membermail_core::address::DomainName;
use membermail_core::clock::{Clock, SystemClock};
use membermail_runtime::environment::Environment;
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_runtime::variables::Variables;
use membermail_store::Store;
use serde::Deserialize;

/// An event of the schedule, which names no domains, or `{"domains": ["ubuntu.com"]}`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Event {
    /// The domains to sync; all if empty.
    #[serde(default)]
    pub domains: Vec<DomainName>,
    /// The id that EventBridge gives an event. Delivery is at least once, each time with the same id.
    #[serde(default)]
    pub id: Option<String>,
}

/// The settings and clients of the function.
pub struct Context {
    /// The domains of the community.
    pub domains: Vec<DomainName>,
    /// The table.
    pub store: Store,
    /// The queue of `sync-team`.
    pub sync_queue: Queue,
    /// The interval of the schedule.
    pub period: SignedDuration,
    /// Receives the number of domains whose syncs do not finish.
    pub metrics: Metrics,
    /// The time.
    pub clock: Box<dyn Clock>,
}

impl Context {
    /// Reads the settings and builds the clients.
    pub async fn from_env() -> Result<Self, Error> {
        let mut variables = Variables::of_process();
        let sync_queue = variables.required("SYNC_QUEUE_URL");
        let period = variables.optional("SYNC_PERIOD_SECONDS").unwrap_or(3600);
        let environment = Environment::load(variables).await?;
        Ok(Self {
            domains: environment.community.domain_names().cloned().collect(),
            sync_queue: environment.queue(sync_queue),
            metrics: environment.metrics(),
            store: environment.store,
            period: SignedDuration::from_secs(period),
            clock: Box::new(SystemClock),
        })
    }
}

/// Sends the missing messages. Idempotent per event: Lambda retries a failed invocation with the same request id, and
/// EventBridge redelivers an event with the same event id.
pub async fn handle(context: &Context, event: Event, request_id: &str) -> Result<(), Error> {
    if let Some(unknown) = event.domains.iter().find(|domain| !context.domains.contains(domain)) {
        return Err(format!("{unknown} is not a domain of this community").into());
    }
    let domains =
        if event.domains.is_empty() { &context.store.domains_to_sync(&context.domains).await? } else { &event.domains };
    let known = context.store.sync_requests(domains.iter()).await?;
    let sender = send::Sender { context, event: event.id.as_deref().unwrap_or(request_id), request_id };
    sender.send_missing(domains, &known).await?;
    if event.domains.is_empty() {
        overdue::record_overdue_domains(context, &known).await?;
    }
    Ok(())
}
