//! When each domain last finished a sync, for the alarm on overdue syncs, and the health check of the table.

use jiff::Timestamp;
use membermail_core::address::DomainName;

use crate::error::StoreError;
use crate::keys;
use crate::sync_requests::SyncRequest;
use crate::table::{Consistency, Store};

/// Latest runs to search. Two sync periods have fewer runs, even with every retry.
const RUNS: i32 = 50;

impl Store {
    /// The start of the newest finished sync of a domain, or else the time of its first request; none without either. A crash
    /// can leave the request older than the runs, which are read here.
    pub async fn last_sync(
        &self,
        domain: &DomainName,
        request: Option<&SyncRequest>,
    ) -> Result<Option<Timestamp>, StoreError> {
        let runs = self.runs(domain, RUNS).await?;
        let finished = runs.iter().find(|run| run.state.is_finished()).map(|run| run.started);
        let noted = request.and_then(SyncRequest::synced);
        Ok(finished.max(noted).or_else(|| request.and_then(SyncRequest::awaited)))
    }

    /// Health check: reads an item that never exists.
    pub async fn check_health(&self) -> Result<(), StoreError> {
        self.get_raw(&keys::health_check(), Consistency::Eventual).await.map(drop)
    }
}
