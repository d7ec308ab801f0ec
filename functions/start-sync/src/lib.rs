//! Puts one message a domain on the queue of `sync-team`: by schedule for all of them, or for those that are named.

use lambda_runtime::Error;
use membermail_core::address::DomainName;
use membermail_core::message::SyncTeam;
use membermail_runtime::aws::Aws;
use membermail_runtime::queue::Queue;
use membermail_runtime::variables::{Variables, of_process};
use serde::Deserialize;
use tracing::info;

/// What it is invoked with: a schedule's event, which names no domains, or `{"domains": ["ubuntu.com"]}`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Event {
    /// Those to sync; all where none is named.
    #[serde(default)]
    pub domains: Vec<DomainName>,
}

/// What the function holds through its life.
pub struct Context {
    domains: Vec<DomainName>,
    outbox: Queue,
}

impl Context {
    /// Reads the settings and builds the clients.
    pub async fn from_env() -> Result<Self, Error> {
        let mut variables = Variables::new(&of_process);
        let community = variables.required("COMMUNITY");
        let outbox = variables.required("SYNC_QUEUE_URL");
        variables.finish()?;
        let community = membermail_communities::community(&community)?;
        let outbox = Queue::new(Aws::from_env().await?.sqs(), outbox);
        Ok(Self { domains: community.domain_names().cloned().collect(), outbox })
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
        .map(|domain| SyncTeam { domain: domain.clone(), release: None, request_id: request_id.clone() })
        .collect();
    context.outbox.send_all(&messages).await?;
    info!(request_id, domains = messages.len(), "syncs asked for");
    Ok(())
}
