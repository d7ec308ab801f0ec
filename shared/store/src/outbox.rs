//! The transactional outbox: each change lies here from its own transaction on until its notices are delivered, so that a
//! crash in between loses none.
//!
//! Entries are spread over [`keys::OUTBOX_SHARDS`] partitions, since DynamoDB takes 1,000 writes a second in one. What an
//! entry's shard does not have is looked for in the one partition of the release before, so that a deployment loses none.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::audit::Entry;
use membermail_core::random::Random;
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::notices::Ended;
use crate::table::{Store, TRIES, Written, decode, number, pause, text};

/// Pages of 1 MB that a sweep reads of one partition at most. Entries in flight are read and left out, and after a long
/// outage there may be many.
const PAGES: usize = 4;

impl Store {
    pub(crate) fn outbox_write(&self, entry: &Entry) -> Result<TransactWriteItem, StoreError> {
        let put = self.put(&keys::outbox(entry.id), entry)?.build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// An outbox entry that is not delivered yet.
    pub async fn undelivered(&self, entry: Ulid) -> Result<Option<Entry>, StoreError> {
        match self.get(&keys::outbox(entry)).await? {
            Some(entry) => Ok(Some(entry)),
            None => self.get(&keys::unsharded_outbox(entry)).await,
        }
    }

    /// Undelivered outbox entries older than `time` whose message was lost, oldest first, at most `limit`. One that is
    /// [in flight](Self::mark_in_flight) until a later time is left out.
    pub async fn undelivered_before(&self, time: Timestamp, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let mut entries = self.undelivered_in(keys::UNSHARDED_OUTBOX.to_owned(), time, limit).await?;
        let read = |shard| self.undelivered_in(keys::outbox_shard(shard), time, limit);
        // Four queries at a time. The oldest entries overall are among the oldest of each shard.
        for first in (0..keys::OUTBOX_SHARDS).step_by(4) {
            let (a, b, c, d) = tokio::try_join!(read(first), read(first + 1), read(first + 2), read(first + 3))?;
            entries.extend([a, b, c, d].into_iter().flatten());
            entries.sort_by_key(|entry| entry.id);
            entries.truncate(limit);
        }
        Ok(entries)
    }

    async fn undelivered_in(&self, partition: String, time: Timestamp, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let millis = u64::try_from(time.as_millisecond()).unwrap_or_default();
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk < :end")
            .filter_expression("attribute_not_exists(on_its_way_until) OR on_its_way_until < :time")
            .expression_attribute_values(":pk", text(partition))
            .expression_attribute_values(":end", text(Ulid::from_parts(millis, 0).to_string()))
            .expression_attribute_values(":time", number(time.as_second()))
            .into_paginator()
            .send();
        let (mut entries, key) = (Vec::new(), keys::unsharded_outbox(Ulid::nil()));
        for _ in 0..PAGES {
            let Some(page) = pages.next().await else { break };
            for item in page?.items.unwrap_or_default() {
                entries.push(decode(item, &key)?);
            }
            if entries.len() >= limit {
                break;
            }
        }
        entries.truncate(limit);
        Ok(entries)
    }

    /// A message for this entry is in the queue, and is tried until then at least.
    pub async fn mark_in_flight(&self, entry: Ulid, until: Timestamp) -> Result<(), StoreError> {
        for Key { pk, sk } in [keys::outbox(entry), keys::unsharded_outbox(entry)] {
            let request = self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
            let noted = request
                .update_expression("SET on_its_way_until = :until")
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_values(":until", number(until.as_second()))
                .send()
                .await;
            match noted {
                Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {}
                other => return other.map(drop).map_err(Into::into),
            }
        }
        Ok(())
    }

    /// Ends the delivery of an outbox entry in one transaction: settles its last notice, keeps the change for the next
    /// digest of `digest`, and removes the entry. Returns whether the entry was still there; where another delivery
    /// removed it, that one did the rest too, and this one writes nothing. So a change is in one digest at most.
    pub async fn mark_delivered(
        &self,
        entry: &Entry,
        last: Option<&Ended>,
        digest: Option<&DomainName>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        for key in [keys::outbox(entry.id), keys::unsharded_outbox(entry.id)] {
            if self.end_delivery(&key, entry, last, digest, now, random).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn end_delivery(
        &self,
        key: &Key,
        entry: &Entry,
        last: Option<&Ended>,
        digest: Option<&DomainName>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        for tried in 0..TRIES {
            let mut writes = vec![self.removal_if(key, "attribute_exists(pk)")?];
            if let Some(ended) = last {
                writes.push(self.settle_write(ended, now)?);
            }
            if let Some(domain) = digest {
                writes.push(self.gather_write(domain, entry)?);
            }
            match self.transact(writes).await? {
                Written::All => return Ok(true),
                Written::Failed(places) if places.contains(&0) => return Ok(false),
                // A sweep marks the entry as in flight just now.
                Written::Failed(_) => pause(tried, random).await,
            }
        }
        Err(StoreError::Conflict)
    }
}
