//! What is gathered for the admins of a domain, and the one digest of it that goes out.
//!
//! A digest names [`NAMED`] changes and counts the others. `BATCH` is the digest that goes out: the ids of the changes that
//! it names, which stay in the table until all admins have it, and the number of the others. Each page of the others is
//! counted and removed in one transaction, so that wherever a crash comes, a change is still gathered or is counted, and
//! never both. Once the count is complete, `BATCH` does not change any more, and each try sends the same mail. One last
//! transaction removes it together with the changes that it names.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::audit::Entry;
use membermail_core::digest::Tally;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::table::{Store, Written, attribute, decode, encode, number, text};

/// Changes that a digest names at most: with `BATCH` itself as many as one transaction removes.
const NAMED: usize = 99;
/// Sort key of a message for a digest that is on its way.
const DUE: &str = "DUE";

/// What goes into one digest, the same at each try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Of the digest.
    pub id: Ulid,
    /// The changes that it names, oldest first.
    pub news: Vec<Entry>,
    /// The number of the others.
    pub others: Tally,
    entries: Vec<Ulid>,
}

impl Batch {
    /// When it was begun.
    pub fn begun(&self) -> Timestamp {
        let millis = i64::try_from(self.id.timestamp_ms()).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
    }
}

/// What there is for a domain's next digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gathered {
    /// No change is gathered.
    Nothing,
    /// More than one call counts: call again.
    Unfinished,
    /// All changes that the digest covers.
    All(Batch),
}

#[derive(Serialize, Deserialize)]
struct StoredBatch {
    id: Ulid,
    entries: Vec<Ulid>,
    /// One of the release before names all of its changes.
    #[serde(default)]
    others: Tally,
    /// Whether the others are still being counted.
    #[serde(default)]
    is_counting: bool,
}

/// A message that will send a digest.
#[derive(Serialize, Deserialize)]
struct Due {
    /// In seconds since 1970, so that it can be compared.
    due_until: i64,
}

impl Store {
    /// Keeps a change for the next digest of its domain; twice is as once.
    pub async fn gather(&self, domain: &DomainName, entry: &Entry) -> Result<(), StoreError> {
        let item = encode(&keys::news(domain, entry.id), entry)?;
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        Ok(())
    }

    /// The same within a transaction.
    pub(crate) fn gather_write(&self, domain: &DomainName, entry: &Entry) -> Result<TransactWriteItem, StoreError> {
        let put = self.put(&keys::news(domain, entry.id), entry)?;
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// Claims the sending of the message that will send the domain's digest, until it is due. Returns whether the caller
    /// sends it; otherwise one is on its way.
    pub async fn claim_digest(
        &self,
        domain: &DomainName,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let item = encode(&keys::digest_due(domain), &Due { due_until: until.as_second() })?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = put
            .condition_expression("attribute_not_exists(due_until) OR due_until <= :now")
            .expression_attribute_values(":now", number(now.as_second()));
        match put.send().await {
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(false),
            other => other.map(|_| true).map_err(Into::into),
        }
    }

    /// A message that will send the domain's digest is on its way until then.
    pub async fn digest_due(&self, domain: &DomainName, until: Timestamp) -> Result<(), StoreError> {
        let item = encode(&keys::digest_due(domain), &Due { due_until: until.as_second() })?;
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        Ok(())
    }

    /// No message for the domain's digest is on its way: it has come, or could not be sent. What is gathered from now on
    /// needs another.
    pub async fn release_digest(&self, domain: &DomainName) -> Result<(), StoreError> {
        self.delete(&keys::digest_due(domain)).await
    }

    /// Whether there is anything for the domain's digest: gathered, or in one that was begun.
    pub async fn has_news(&self, domain: &DomainName) -> Result<bool, StoreError> {
        // `BATCH` and `DUE` come before the changes, so that two items tell.
        let request = self.client.query().table_name(&self.table).consistent_read(true).limit(2);
        let request = request.key_condition_expression("pk = :pk").projection_expression("sk");
        let answer = request.expression_attribute_values(":pk", text(keys::batch(domain).pk)).send().await?;
        let is_news =
            |item: &crate::table::Item| item.get("sk").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| sk != DUE);
        Ok(answer.items().iter().any(is_news))
    }

    /// Removes gathered changes from before `time`, oldest first, in at most `steps` requests. Returns how many, and
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
            let removals =
                old.iter().map(|entry| self.removal_if(&keys::news(domain, entry.id), "attribute_exists(pk)"));
            match self.transact(removals.collect::<Result<_, _>>()?).await? {
                Written::All => dropped += old.len() as u64,
                Written::Failed(_) => return Err(StoreError::Conflict),
            }
        }
        Ok((dropped, false))
    }

    /// What the domain's next digest tells: what an earlier try began with, or else what is gathered by now. The others are
    /// counted in at most `steps` pages a call.
    pub async fn digest(&self, domain: &DomainName, new: Ulid, steps: usize) -> Result<Gathered, StoreError> {
        let key = keys::batch(domain);
        let mut stored: StoredBatch = match self.get(&key).await? {
            Some(stored) => stored,
            None => match self.begin_batch(domain, new).await? {
                Some(stored) => stored,
                None => return Ok(Gathered::Nothing),
            },
        };
        if stored.is_counting {
            match self.count_others(domain, &stored, steps).await? {
                Some(others) => stored.others = others,
                None => return Ok(Gathered::Unfinished),
            }
        }
        let StoredBatch { id, entries, others, .. } = stored;
        // Read after the batch is stored: only this batch covers these changes then, and those that another digest
        // covered just before are gone.
        let keys: Vec<_> = entries.iter().map(|entry| keys::news(domain, *entry)).collect();
        let mut news: Vec<Entry> = Vec::with_capacity(keys.len());
        self.each_item_of(&keys, |item| {
            news.push(decode(item, &key)?);
            Ok(())
        })
        .await?;
        news.sort_by_key(|entry| entry.id);
        Ok(Gathered::All(Batch { id, news, others, entries }))
    }

    async fn begin_batch(&self, domain: &DomainName, new: Ulid) -> Result<Option<StoredBatch>, StoreError> {
        let news = self.news(domain, None, Ulid::from_parts(u64::MAX, u128::MAX)).await?;
        if news.is_empty() {
            return Ok(None);
        }
        let entries: Vec<_> = news.iter().map(|entry| entry.id).collect();
        // Where there is less than a page, nothing is left to be counted.
        let is_counting = entries.len() == NAMED;
        let batch = StoredBatch { id: new, entries, others: Tally::default(), is_counting };
        let put = self.put(&keys::batch(domain), &batch)?.condition_expression("attribute_not_exists(pk)");
        match self.transact(vec![TransactWriteItem::builder().put(put.build()?).build()]).await? {
            Written::All => Ok(Some(batch)),
            Written::Failed(_) => Err(StoreError::Conflict),
        }
    }

    /// Counts and removes the changes that the batch does not name, from before it was begun. Returns their number once it
    /// is complete.
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
            let update = self
                .update(&keys::batch(domain))
                .update_expression("SET #others = :others, is_counting = :counting")
                // Another one that counts at this moment has changed the number.
                .condition_expression("id = :id AND is_counting = :true AND #others = :before")
                .expression_attribute_names("#others", "others")
                .expression_attribute_values(":others", attribute(&counted)?)
                .expression_attribute_values(":before", attribute(&others)?)
                .expression_attribute_values(":counting", attribute(&!is_complete)?)
                .expression_attribute_values(":true", attribute(&true)?)
                .expression_attribute_values(":id", text(batch.id.to_string()));
            let mut writes = vec![TransactWriteItem::builder().update(update.build()?).build()];
            for entry in &page {
                writes.push(self.removal_if(&keys::news(domain, entry.id), "attribute_exists(pk)")?);
            }
            if self.transact(writes).await? != Written::All {
                return Err(StoreError::Conflict);
            }
            others = counted;
            if is_complete {
                return Ok(Some(others));
            }
        }
        Ok(None)
    }

    /// The first page of gathered changes after one and before another.
    async fn news(&self, domain: &DomainName, after: Option<Ulid>, before: Ulid) -> Result<Vec<Entry>, StoreError> {
        let (Key { pk, sk }, end) = (keys::news(domain, after.unwrap_or_default()), keys::news(domain, before));
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":pk", text(pk))
            // Ids are the same length, so that a longer text comes right behind one of them.
            .expression_attribute_values(":first", text(if after.is_some() { format!("{sk}+") } else { sk }))
            .expression_attribute_values(":last", text(&end.sk))
            .limit(i32::try_from(NAMED).unwrap_or(i32::MAX))
            .send()
            .await?;
        answer.items.unwrap_or_default().into_iter().map(|item| decode(item, &end)).collect()
    }

    /// Everybody has been told what the digest tells. One transaction removes it; a late repeat removes nothing of the
    /// next.
    pub async fn digest_told(&self, domain: &DomainName, batch: &Batch) -> Result<(), StoreError> {
        let mut entries = batch.entries.as_slice();
        // A batch of the release before can name more than one transaction removes.
        while entries.len() > NAMED {
            let (first, rest) = entries.split_at(NAMED);
            let removals = first.iter().map(|entry| self.removal(&keys::news(domain, *entry)));
            if self.transact(removals.collect::<Result<_, _>>()?).await? != Written::All {
                return Err(StoreError::Conflict);
            }
            entries = rest;
        }
        let Key { pk, sk } = keys::batch(domain);
        let end = aws_sdk_dynamodb::types::Delete::builder()
            .table_name(&self.table)
            .key("pk", text(pk))
            .key("sk", text(sk))
            .condition_expression("id = :id")
            .expression_attribute_values(":id", text(batch.id.to_string()));
        let mut writes = vec![TransactWriteItem::builder().delete(end.build()?).build()];
        for entry in entries {
            writes.push(self.removal(&keys::news(domain, *entry))?);
        }
        match self.transact(writes).await? {
            Written::All => Ok(()),
            // Another delivery of the same message was faster.
            Written::Failed(places) if places.contains(&0) => Ok(()),
            Written::Failed(_) => Err(StoreError::Conflict),
        }
    }
}
