//! When each domain last completed a sync, for the alarm on overdue syncs, and the health check of the table.

use jiff::Timestamp;
use membermail_core::address::DomainName;
use serde::Deserialize;

use crate::error::StoreError;
use crate::keys;
use crate::table::{Consistency, Store, Update, Updated, decode};

/// Latest runs to search. Two sync periods have fewer runs, even with every retry.
const RUNS: i32 = 50;

#[derive(Deserialize)]
struct Awaited {
    since: Timestamp,
}

impl Store {
    /// Returns the start time of the newest completed sync of a domain. Without one, records and returns the time of the first
    /// call, so that the age of a domain that never completes a sync grows too.
    pub async fn track_last_sync(&self, domain: &DomainName, now: Timestamp) -> Result<Timestamp, StoreError> {
        if let Some(finished) = self.last_finished_run(domain).await? {
            return Ok(finished);
        }
        let update = Update::new().set_if_not_exists("since", now.to_string());
        match self.update_and_load(&keys::awaited(domain), update, None).await? {
            Updated::Done(item) => Ok(decode::<Awaited>(item)?.since),
            Updated::ConditionFailed(_) => Err(StoreError::Conflict),
        }
    }

    /// The same without recording anything: none if no sync of the domain has completed and none was awaited yet.
    pub async fn last_sync(&self, domain: &DomainName) -> Result<Option<Timestamp>, StoreError> {
        if let Some(finished) = self.last_finished_run(domain).await? {
            return Ok(Some(finished));
        }
        Ok(self.get::<Awaited>(&keys::awaited(domain)).await?.map(|awaited| awaited.since))
    }

    async fn last_finished_run(&self, domain: &DomainName) -> Result<Option<Timestamp>, StoreError> {
        let runs = self.runs(domain, RUNS).await?;
        Ok(runs.iter().find(|run| run.state.is_finished()).map(|run| run.started))
    }

    /// Health check: reads an item that never exists.
    pub async fn check_health(&self) -> Result<(), StoreError> {
        self.get_raw(&keys::health_check(), Consistency::Eventual).await.map(drop)
    }
}
