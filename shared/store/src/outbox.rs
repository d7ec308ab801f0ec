//! The transactional outbox: the transaction of a change puts an entry here, which is deleted once its notices are delivered,
//! so that a crash in between loses none.
//!
//! Entries are spread over [`keys::OUTBOX_SHARDS`] partitions: DynamoDB accepts 1,000 writes a second in one partition.

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::audit::Entry;
use membermail_core::random::Random;
use ulid::Ulid;

use crate::audit;
use crate::digests::put_news;
use crate::error::StoreError;
use crate::keys;
use crate::notices::{Ended, put_settled};
use crate::table::{Consistency, Query, Slot, Store, TRIES, Update, Write, decode, item_exists, path, pause};

/// Pages of 1 MB that a sweep reads of one partition at most. Entries in flight are read and left out, and there can be
/// many after a long outage.
const PAGES: usize = 4;

/// Puts an entry into the audit log, the history of its member and the outbox, as part of the transaction of its change.
pub(crate) fn announce(entry: &Entry) -> Result<Vec<Write>, StoreError> {
    let mut writes = audit::record(entry)?;
    writes.push(Write::put(&keys::outbox(entry.id), entry)?);
    Ok(writes)
}

impl Store {
    /// Loads an undelivered outbox entry.
    pub async fn undelivered(&self, entry: Ulid) -> Result<Option<Entry>, StoreError> {
        self.get(&keys::outbox(entry)).await
    }

    /// Undelivered outbox entries older than `time`, oldest first, at most `limit`, without those that are
    /// [in flight](Self::mark_in_flight) at `time`.
    pub async fn undelivered_before(&self, time: Timestamp, limit: usize) -> Result<Vec<Entry>, StoreError> {
        // Four queries at a time. The oldest entries overall are among the oldest of each shard.
        let shards = stream::iter(0..keys::OUTBOX_SHARDS).map(|shard| self.undelivered_in(shard, time, limit));
        let mut entries = shards.buffer_unordered(4).try_concat().await?;
        entries.sort_by_key(|entry| entry.id);
        entries.truncate(limit);
        Ok(entries)
    }

    async fn undelivered_in(&self, shard: u8, time: Timestamp, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let millis = u64::try_from(time.as_millisecond()).unwrap_or_default();
        let in_flight = path("in_flight_until");
        let query = Query::partition(keys::outbox_shard(shard), Consistency::Strong)
            .before(Ulid::from_parts(millis, 0).to_string())
            .filter(in_flight.not_exists().or(in_flight.lt(time.as_second())));
        let mut entries = Vec::new();
        let mut next = None;
        for _ in 0..PAGES {
            let page = self.query_page(&query, next).await?;
            for item in page.items {
                entries.push(decode(item)?);
            }
            next = page.next;
            if entries.len() >= limit || next.is_none() {
                break;
            }
        }
        entries.truncate(limit);
        Ok(entries)
    }

    /// Marks an entry as in flight: its message is in the queue, which retries it at least until that time.
    pub async fn mark_in_flight(&self, entry: Ulid, until: Timestamp) -> Result<(), StoreError> {
        let update = Update::new().set("in_flight_until", until.as_second());
        self.write(Write::update(&keys::outbox(entry), update).when(item_exists())).await.map(drop)
    }

    /// Ends the delivery of an outbox entry in one transaction: deletes the entry, settles its last notice and adds the
    /// change to the next digest of `digest`. Returns false if another delivery has deleted the entry and done the rest, so
    /// that a change is in one digest at most.
    pub async fn mark_delivered(
        &self,
        entry: &Entry,
        last: Option<&Ended>,
        digest: Option<&DomainName>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let delete = Write::delete(&keys::outbox(entry.id)).when(item_exists()).slot(Slot::OutboxEntry);
        let mut writes = vec![delete];
        if let Some(ended) = last {
            writes.push(put_settled(ended, now)?);
        }
        if let Some(domain) = digest {
            writes.push(put_news(domain, entry)?);
        }
        for tried in 0..TRIES {
            let transacted = self.commit(writes.clone()).await?;
            if transacted.is_committed() {
                return Ok(true);
            }
            if transacted.has_failed(Slot::OutboxEntry) {
                return Ok(false);
            }
            // A sweep is marking the entry as in flight.
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }
}
