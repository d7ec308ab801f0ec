//! The digest for the admins of a domain: gathered changes, and the one batch of them that is being sent.
//!
//! A digest names [`NAMED`] changes and counts the others. `BATCH` is the digest that is being sent: the ids of the changes
//! that it names, which stay in the table until all admins have it, and the number of the others. Each page of the others
//! is counted and deleted in one transaction, so that after a crash a change is either still gathered or counted, and never
//! both. Once the count is complete, `BATCH` does not change any more, and each retry sends the same mail. One last
//! transaction deletes it together with the changes that it names.

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::audit::Entry;
use membermail_core::digest::Tally;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::table::{Consistency, Query, Slot, Store, Update, Write, attribute, item_exists, path};

/// Maximum changes that a digest names: with `BATCH` itself as many as one transaction can delete.
const NAMED: usize = 99;
/// Sort key of the claim on the message that will send the digest.
const DUE: &str = "DUE";

/// The content of one digest, the same at each retry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The id of the digest.
    pub id: Ulid,
    /// The changes that it names, oldest first.
    pub news: Vec<Entry>,
    /// The counts of the other changes.
    pub others: Tally,
    entries: Vec<Ulid>,
}

impl Batch {
    /// The start time of the batch.
    pub fn started_at(&self) -> Timestamp {
        let millis = i64::try_from(self.id.timestamp_ms()).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
    }
}

/// The content of a domain's next digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gathered {
    /// No change is gathered.
    Nothing,
    /// The count is not complete: call again.
    Unfinished,
    /// All changes that the digest covers.
    All(Batch),
}

#[derive(Serialize, Deserialize)]
struct StoredBatch {
    id: Ulid,
    entries: Vec<Ulid>,
    others: Tally,
    /// Whether the others are still being counted.
    is_counting: bool,
}

/// The claim on the message that will send a digest.
#[derive(Serialize, Deserialize)]
struct Due {
    /// In seconds since 1970, which conditions can compare.
    due_until: i64,
}

#[derive(Deserialize)]
struct SortKey {
    sk: String,
}

/// Puts a change into the next digest of its domain.
pub(crate) fn put_news(domain: &DomainName, entry: &Entry) -> Result<Write, StoreError> {
    Write::put(&keys::news(domain, entry.id), entry)
}

impl Store {
    /// Adds a change to the next digest of its domain. Idempotent.
    pub async fn gather(&self, domain: &DomainName, entry: &Entry) -> Result<(), StoreError> {
        self.write(put_news(domain, entry)?).await.map(drop)
    }

    /// Claims to send the message that will send the domain's digest at `until`. Returns false if another message is in
    /// the queue.
    pub async fn claim_digest(
        &self,
        domain: &DomainName,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let due_until = path("due_until");
        let is_free = due_until.not_exists().or(due_until.le(now.as_second()));
        self.write(put_due(domain, until)?.when(is_free)).await
    }

    /// Records that a message in the queue will send the domain's digest at `until`.
    pub async fn extend_digest_claim(&self, domain: &DomainName, until: Timestamp) -> Result<(), StoreError> {
        self.write(put_due(domain, until)?).await.map(drop)
    }

    /// Releases the claim: the message was received, or could not be sent. Changes gathered from now on need another one.
    pub async fn release_digest(&self, domain: &DomainName) -> Result<(), StoreError> {
        self.delete(&keys::digest_claim(domain)).await
    }

    /// Whether the domain's digest has any content: gathered changes, or a batch.
    pub async fn has_news(&self, domain: &DomainName) -> Result<bool, StoreError> {
        // `BATCH` and `DUE` sort before the changes, so that two items are enough.
        let query = Query::partition(keys::batch(domain).pk, Consistency::Strong).attributes(&["pk", "sk"]).limit(2);
        let items: Vec<SortKey> = self.first_page(&query).await?;
        Ok(items.iter().any(|item| item.sk != DUE))
    }

    /// Deletes gathered changes older than `time`, oldest first, in at most `steps` transactions. Returns their number, and
    /// whether these were all.
    pub async fn drop_news_before(
        &self,
        domain: &DomainName,
        time: Timestamp,
        steps: usize,
    ) -> Result<(u64, bool), StoreError> {
        let end = Ulid::from_parts(u64::try_from(time.as_millisecond()).unwrap_or_default(), 0);
        let mut dropped = 0;
        for _ in 0..steps {
            let old = self.news(domain, None, end).await?;
            if old.is_empty() {
                return Ok((dropped, true));
            }
            let deletes = old.iter().map(|entry| delete_news(domain, entry));
            self.commit(deletes.collect()).await?.committed()?;
            dropped += old.len() as u64;
        }
        Ok((dropped, false))
    }

    /// Prepares the domain's next digest: the batch of an earlier attempt, or else a new batch of the gathered changes. A call
    /// counts at most `steps` pages of the changes that the digest does not name.
    pub async fn prepare_digest(&self, domain: &DomainName, new: Ulid, steps: usize) -> Result<Gathered, StoreError> {
        let stored = match self.get(&keys::batch(domain)).await? {
            None => self.start_batch(domain, new).await?,
            stored => stored,
        };
        let Some(mut stored): Option<StoredBatch> = stored else { return Ok(Gathered::Nothing) };
        if stored.is_counting {
            match self.count_others(domain, &stored, steps).await? {
                Some(others) => stored.others = others,
                None => return Ok(Gathered::Unfinished),
            }
        }
        let StoredBatch { id, entries, others, .. } = stored;
        // Loaded after the batch is stored: from then on only this batch covers these changes, and those of a concurrent
        // digest are deleted.
        let keys: Vec<_> = entries.iter().map(|entry| keys::news(domain, *entry)).collect();
        let mut news: Vec<Entry> = self.get_all(&keys).await?;
        news.sort_by_key(|entry| entry.id);
        Ok(Gathered::All(Batch { id, news, others, entries }))
    }

    async fn start_batch(&self, domain: &DomainName, new: Ulid) -> Result<Option<StoredBatch>, StoreError> {
        let news = self.news(domain, None, Ulid::from_parts(u64::MAX, u128::MAX)).await?;
        if news.is_empty() {
            return Ok(None);
        }
        let entries: Vec<_> = news.iter().map(|entry| entry.id).collect();
        // Less than a page leaves nothing to count.
        let is_counting = entries.len() == NAMED;
        let batch = StoredBatch { id: new, entries, others: Tally::default(), is_counting };
        self.commit(vec![Write::create(&keys::batch(domain), &batch)?]).await?.committed()?;
        Ok(Some(batch))
    }

    /// Counts and deletes the changes that the batch does not name and that are older than it. Returns the counts once they
    /// are complete.
    async fn count_others(
        &self,
        domain: &DomainName,
        batch: &StoredBatch,
        steps: usize,
    ) -> Result<Option<Tally>, StoreError> {
        let mut others = batch.others;
        let end = Ulid::from_parts(batch.id.timestamp_ms().saturating_add(1), 0);
        for _ in 0..steps {
            let page = self.news(domain, batch.entries.last().copied(), end).await?;
            let is_complete = page.is_empty();
            let counted = others.plus(Tally::of_entries(&page));
            let update = Update::new().set("others", attribute(&counted)?).set("is_counting", !is_complete);
            // A concurrent count has changed `others`.
            let is_as_read = path("id")
                .eq(batch.id.to_string())
                .and(path("is_counting").eq(true))
                .and(path("others").eq(attribute(&others)?));
            let mut writes = vec![Write::update(&keys::batch(domain), update).when(is_as_read)];
            writes.extend(page.iter().map(|entry| delete_news(domain, entry)));
            self.commit(writes).await?.committed()?;
            others = counted;
            if is_complete {
                return Ok(Some(others));
            }
        }
        Ok(None)
    }

    /// The first page of gathered changes after one and before another.
    async fn news(&self, domain: &DomainName, after: Option<Ulid>, before: Ulid) -> Result<Vec<Entry>, StoreError> {
        let Key { pk, sk } = keys::news(domain, after.unwrap_or_default());
        let end = keys::news(domain, before).sk;
        // All ids have the same length, so that a longer text sorts right after one of them.
        let first = if after.is_some() { format!("{sk}+") } else { sk };
        let limit = i32::try_from(NAMED).unwrap_or(i32::MAX);
        self.first_page(&Query::partition(pk, Consistency::Strong).between(first, end).limit(limit)).await
    }

    /// Deletes a digest that was sent to all admins, in one transaction. A late repeat deletes nothing of the next one.
    pub async fn complete_digest(&self, domain: &DomainName, batch: &Batch) -> Result<(), StoreError> {
        let is_same = path("id").eq(batch.id.to_string());
        let mut writes = vec![Write::delete(&keys::batch(domain)).when(is_same).slot(Slot::NewsBatch)];
        writes.extend(batch.entries.iter().map(|entry| Write::delete(&keys::news(domain, *entry))));
        // If the condition failed, another delivery of the same message has deleted the batch.
        self.commit(writes).await?.committed_unless_failed(Slot::NewsBatch).map(drop)
    }
}

fn put_due(domain: &DomainName, until: Timestamp) -> Result<Write, StoreError> {
    Write::put(&keys::digest_claim(domain), &Due { due_until: until.as_second() })
}

/// Deletes a gathered change that no concurrent call has deleted.
fn delete_news(domain: &DomainName, entry: &Entry) -> Write {
    Write::delete(&keys::news(domain, entry.id)).when(item_exists())
}
