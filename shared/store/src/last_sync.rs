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
        let runs = self.runs(domain, RUNS).await?;
        if let Some(run) = runs.iter().find(|run| run.state.is_finished()) {
            return Ok(run.started);
        }
        let update = Update::new().set_if_not_exists("since", now.to_string());
        match self.update_and_load(&keys::awaited(domain), update, None).await? {
            Updated::Done(item) => Ok(decode::<Awaited>(item)?.since),
            Updated::ConditionFailed(_) => Err(StoreError::Conflict),
        }
    }

    /// Health check: reads an item that never exists.
    pub async fn check_health(&self) -> Result<(), StoreError> {
        self.get_raw(&keys::health_check(), Consistency::Eventual).await.map(drop)
    }
}
