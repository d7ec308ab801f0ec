//! When a domain's syncs last came to their end, for the alarm that tells when they no longer do.

use aws_sdk_dynamodb::types::ReturnValue;
use jiff::Timestamp;
use membermail_core::address::DomainName;
use serde::Deserialize;

use crate::error::StoreError;
use crate::keys;
use crate::table::{Store, decode, text};

/// Runs that are looked at: those of two periods, even where each is tried again and again, are fewer.
const RUNS: i32 = 50;

#[derive(Deserialize)]
struct Awaited {
    since: Timestamp,
}

impl Store {
    /// When the newest sync of a domain began of those that came to their end; where none did, since when that has been
    /// waited for, which is now where nobody has waited before.
    pub async fn last_sync(&self, domain: &DomainName, now: Timestamp) -> Result<Timestamp, StoreError> {
        let runs = self.runs(domain, RUNS).await?;
        if let Some(run) = runs.iter().find(|run| run.state.is_finished()) {
            return Ok(run.started);
        }
        let key = keys::awaited(domain);
        let update =
            self.client.update_item().table_name(&self.table).key("pk", text(&key.pk)).key("sk", text(&key.sk));
        let update = update
            .update_expression("SET since = if_not_exists(since, :now)")
            .expression_attribute_values(":now", text(now.to_string()))
            .return_values(ReturnValue::AllNew);
        let item = update.send().await?.attributes.unwrap_or_default();
        Ok(decode::<Awaited>(item, &key)?.since)
    }

    /// Whether the table answers; reads nothing that there is.
    pub async fn reach(&self) -> Result<(), StoreError> {
        let key = keys::nothing();
        let request = self.client.get_item().table_name(&self.table);
        request.key("pk", text(key.pk)).key("sk", text(key.sk)).send().await?;
        Ok(())
    }
}
