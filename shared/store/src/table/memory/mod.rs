//! The table in memory, for tests without DynamoDB. It evaluates the same conditions and updates under one mutex, so that
//! transactions are atomic.
//!
//! Not modelled: `TransactionConflict` and throttling, item and page sizes (400 KB and 1 MB), deletion by TTL, eventual
//! consistency (each read sees the last write, also through the index), and numbers beyond 128-bit integers.

mod evaluate;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;

use self::evaluate::{holds, updated};
use super::condition::Condition;
use super::item::Item;
use super::read::{Consistency, Cursor, Page, Partition, Query, Scan, SortKeys};
use super::update::Update;
use super::write::{Operation, Transacted, Updated, Write};
use super::{BATCH, Table};
use crate::error::StoreError;
use crate::keys::Key;

/// Writes of one transaction at most, as in DynamoDB.
const TRANSACTION: usize = 100;

/// Strings sort by their UTF-8 bytes here and in DynamoDB.
type Items = BTreeMap<(String, String), Item>;

#[derive(Debug, Default)]
pub(crate) struct InMemory {
    items: Mutex<Items>,
}

impl InMemory {
    /// Yields first, so that concurrent callers interleave as they do over a network.
    async fn items(&self) -> MutexGuard<'_, Items> {
        tokio::task::yield_now().await;
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Table for InMemory {
    fn name(&self) -> &str {
        "in-memory"
    }

    async fn get(&self, key: &Key, _: Consistency) -> Result<Option<Item>, StoreError> {
        Ok(self.items().await.get(&pair(key)).cloned())
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Item>, StoreError> {
        let distinct: BTreeSet<_> = keys.iter().map(pair).collect();
        if keys.is_empty() || keys.len() > BATCH || distinct.len() < keys.len() {
            return Err(refused("BatchGetItem needs 1 to 100 distinct keys"));
        }
        let items = self.items().await;
        Ok(distinct.iter().filter_map(|key| items.get(key).cloned()).collect())
    }

    async fn query(&self, query: &Query, from: Option<Cursor>) -> Result<Page, StoreError> {
        let items = self.items().await;
        let mut found: Vec<_> = match &query.partition {
            Partition::Table(pk) => {
                let partition = items.range((pk.clone(), String::new())..);
                let partition = partition.take_while(|((partition, _), _)| partition == pk);
                partition.map(|((_, sk), item)| (sk.clone(), item)).collect()
            }
            // The index holds the items that have both of its keys.
            Partition::ByMember(member) => items
                .values()
                .filter(|item| item.get("member") == Some(&AttributeValue::S(member.clone())))
                .filter_map(|item| Some((item.get("address")?.as_s().ok()?.clone(), item)))
                .collect(),
        };
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        found.retain(|(sk, _)| match &query.sort_keys {
            SortKeys::All => true,
            SortKeys::BeginsWith(prefix) => sk.starts_with(prefix),
            SortKeys::Before(end) => sk < end,
            SortKeys::Between(first, last) => first <= sk && sk <= last,
        });
        if query.is_descending {
            found.reverse();
        }
        let found = found.into_iter().map(|(_, item)| item);
        page(found, from, query.limit, query.filter.as_ref(), query.attributes)
    }

    async fn scan(&self, scan: &Scan, from: Option<Cursor>) -> Result<Page, StoreError> {
        let items = self.items().await;
        let found = items.iter().filter(|((pk, _), _)| segment(pk, scan.total_segments) == scan.segment);
        page(found.map(|(_, item)| item), from, Some(scan.limit), Some(&scan.filter), None)
    }

    async fn write(&self, write: Write) -> Result<bool, StoreError> {
        Ok(self.transact(vec![write]).await?.is_committed())
    }

    async fn update(&self, key: &Key, update: Update, condition: Option<Condition>) -> Result<Updated, StoreError> {
        let mut items = self.items().await;
        let item = items.get(&pair(key));
        if condition.is_some_and(|condition| !holds(&condition, item)) {
            return Ok(Updated::ConditionFailed(item.cloned()));
        }
        let item = updated(key, item, &update)?;
        items.insert(pair(key), item.clone());
        Ok(Updated::Done(item))
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Transacted, StoreError> {
        let distinct: BTreeSet<_> = writes.iter().map(|write| pair(&write.key)).collect();
        if writes.is_empty() || writes.len() > TRANSACTION || distinct.len() < writes.len() {
            return Err(refused("TransactWriteItems needs 1 to 100 writes of distinct items"));
        }
        let mut items = self.items().await;
        let mut failed = Vec::new();
        let mut changes = Vec::with_capacity(writes.len());
        for Write { slot, key, operation, condition } in writes {
            let item = items.get(&pair(&key));
            if condition.is_some_and(|condition| !holds(&condition, item)) {
                failed.push(slot);
                continue;
            }
            match operation {
                Operation::Put(item) => changes.push((pair(&key), Some(item))),
                Operation::Update(update) => changes.push((pair(&key), Some(updated(&key, item, &update)?))),
                Operation::Delete => changes.push((pair(&key), None)),
                Operation::Check => {}
            }
        }
        if !failed.is_empty() {
            return Ok(Transacted::ConditionFailed(failed));
        }
        for (key, item) in changes {
            match item {
                Some(item) => items.insert(key, item),
                None => items.remove(&key),
            };
        }
        Ok(Transacted::Committed)
    }
}

/// A page of these items. As in DynamoDB, the limit counts the items before the filter, and a page that reaches it has a
/// cursor even where no item is left.
fn page<'a>(
    found: impl Iterator<Item = &'a Item>,
    from: Option<Cursor>,
    limit: Option<i32>,
    filter: Option<&Condition>,
    attributes: Option<&[&str]>,
) -> Result<Page, StoreError> {
    let limit = limit.map_or(Ok(usize::MAX), |limit| usize::try_from(limit).map_err(|_| refused("negative limit")))?;
    if limit == 0 {
        return Err(refused("a limit of 0"));
    }
    let mut found: Vec<_> = found.collect();
    if let Some(cursor) = from {
        let after = cursor.key()?;
        let place = found.iter().position(|item| Key::of_item(item).is_ok_and(|key| key == after));
        // The item can be deleted by now: the page begins where it was, as in DynamoDB.
        let keys: Vec<_> = found.iter().filter_map(|item| Key::of_item(item).ok()).collect();
        let is_descending = keys.first() > keys.last();
        let place = place.map(|place| place + 1);
        let place = place.unwrap_or_else(|| keys.partition_point(|key| (*key < after) != is_descending));
        found.drain(..place);
    }
    let mut next = None;
    if found.len() >= limit {
        found.truncate(limit);
        next = found.last().map(|item| Key::of_item(item).map(|key| Cursor::after(&key))).transpose()?;
    }
    found.retain(|item| filter.is_none_or(|filter| holds(filter, Some(item))));
    let mut items: Vec<Item> = found.into_iter().cloned().collect();
    if let Some(names) = attributes {
        items.iter_mut().for_each(|item| item.retain(|name, _| names.contains(&name.as_str())));
    }
    Ok(Page { items, next })
}

/// The segment of a partition in a parallel scan.
fn segment(pk: &str, total: i32) -> i32 {
    let sum = pk.bytes().fold(0_i32, |sum, byte| sum.wrapping_mul(31).wrapping_add(i32::from(byte)));
    sum.rem_euclid(total.max(1))
}

fn pair(key: &Key) -> (String, String) {
    (key.pk.clone(), key.sk.clone())
}

fn refused(why: &str) -> StoreError {
    StoreError::Refused(why.to_owned())
}
