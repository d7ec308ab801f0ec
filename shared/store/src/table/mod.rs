//! Reading and writing items. All methods of [`Store`] go through [`Table`], which DynamoDB and an in-memory table implement.

mod condition;
mod dynamodb;
mod expressions;
#[cfg(feature = "memory")]
mod intercepted;
mod item;
#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "memory")]
mod raw;
mod read;
mod update;
mod write;

#[cfg(test)]
mod differential_tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use membermail_core::random::{self, Random};
use serde::de::DeserializeOwned;

use crate::error::StoreError;
use crate::keys::Key;

pub(crate) use condition::{Condition, item_exists, item_not_exists, path};
#[cfg(test)]
pub(crate) use item::encode;
pub(crate) use item::{Item, NoAttributes, attribute, decode, number, text};
pub use read::Consistency;
pub(crate) use read::{Cursor, Page, Query, Scan};
pub(crate) use update::Update;
pub(crate) use write::{Slot, Transacted, Updated, Write};

/// Keys of one batch at most, as in DynamoDB's `BatchGetItem`.
pub(crate) const BATCH: usize = 100;

/// The operations that the store needs of a database.
#[async_trait]
pub(crate) trait Table: fmt::Debug + Send + Sync {
    fn name(&self) -> &str;

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, StoreError>;

    /// The items of these keys that exist, in no order; at most [`BATCH`] distinct keys.
    async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Item>, StoreError>;

    async fn query(&self, query: &Query, from: Option<Cursor>) -> Result<Page, StoreError>;

    async fn scan(&self, scan: &Scan, from: Option<Cursor>) -> Result<Page, StoreError>;

    /// Returns whether the condition held.
    async fn write(&self, write: Write) -> Result<bool, StoreError>;

    /// An update that returns the item.
    async fn update(&self, key: &Key, update: Update, condition: Option<Condition>) -> Result<Updated, StoreError>;

    /// All writes or none. Each write has a different item, and there are at most 100.
    async fn transact(&self, writes: Vec<Write>) -> Result<Transacted, StoreError>;
}

/// The table.
#[derive(Clone, Debug)]
pub struct Store {
    backend: Arc<dyn Table>,
    consistency: Consistency,
}

impl Store {
    /// The DynamoDB table of that name.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self::on(dynamodb::DynamoDb::new(client, table.into()))
    }

    /// An empty table in memory, for tests.
    #[cfg(feature = "memory")]
    pub fn in_memory() -> Self {
        Self::on(memory::InMemory::default())
    }

    fn on(backend: impl Table + 'static) -> Self {
        Self { backend: Arc::new(backend), consistency: Consistency::Strong }
    }

    /// The same table with another consistency of reads. Queries that need strong consistency keep it.
    #[must_use]
    pub fn with_consistency(self, consistency: Consistency) -> Self {
        Self { consistency, ..self }
    }

    pub(crate) fn consistency(&self) -> Consistency {
        self.consistency
    }

    /// The name of the table.
    pub fn name(&self) -> &str {
        self.backend.name()
    }

    /// Loads one item.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        self.backend.get(key, self.consistency).await?.map(decode).transpose()
    }

    /// Loads one item with all of its attributes.
    pub(crate) async fn get_raw(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, StoreError> {
        self.backend.get(key, consistency).await
    }

    /// Loads the items of at most [`BATCH`] keys that exist, in no order. Strongly consistent.
    pub(crate) async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Item>, StoreError> {
        self.backend.batch_get(keys).await
    }

    /// The same for any number of keys, decoded.
    pub(crate) async fn get_all<T: DeserializeOwned>(&self, keys: &[Key]) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::with_capacity(keys.len());
        for keys in keys.chunks(BATCH) {
            for item in self.batch_get(keys).await? {
                all.push(decode(item)?);
            }
        }
        Ok(all)
    }

    /// Loads all items of a partition whose sort key has the prefix, in order.
    pub(crate) async fn list<T: DeserializeOwned>(&self, pk: &str, prefix: &str) -> Result<Vec<T>, StoreError> {
        let query = Query::partition(pk, self.consistency);
        self.query_all(&if prefix.is_empty() { query } else { query.begins_with(prefix) }).await
    }

    /// Loads all items that a query finds, in order.
    pub(crate) async fn query_all<T: DeserializeOwned>(&self, query: &Query) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::new();
        self.for_each(query, |item| {
            all.push(decode(item)?);
            Ok(())
        })
        .await?;
        Ok(all)
    }

    /// Loads the first page of a query.
    pub(crate) async fn first_page<T: DeserializeOwned>(&self, query: &Query) -> Result<Vec<T>, StoreError> {
        self.query_page(query, None).await?.items.into_iter().map(decode).collect()
    }

    /// Hands each item that a query finds to `each`, page by page.
    pub(crate) async fn for_each(
        &self,
        query: &Query,
        mut each: impl FnMut(Item) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut next = None;
        loop {
            let page = self.query_page(query, next).await?;
            page.items.into_iter().try_for_each(&mut each)?;
            next = page.next;
            if next.is_none() {
                return Ok(());
            }
        }
    }

    pub(crate) async fn query_page(&self, query: &Query, from: Option<Cursor>) -> Result<Page, StoreError> {
        self.backend.query(query, from).await
    }

    pub(crate) async fn scan_page(&self, scan: &Scan, from: Option<Cursor>) -> Result<Page, StoreError> {
        self.backend.scan(scan, from).await
    }

    /// Deletes one item, if it exists.
    pub(crate) async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.write(Write::delete(key)).await.map(drop)
    }

    /// Writes one item. Returns whether its condition held.
    pub(crate) async fn write(&self, write: Write) -> Result<bool, StoreError> {
        self.backend.write(write).await
    }

    /// Updates one item and returns it.
    pub(crate) async fn update_and_load(
        &self,
        key: &Key,
        update: Update,
        condition: Option<Condition>,
    ) -> Result<Updated, StoreError> {
        self.backend.update(key, update, condition).await
    }

    /// Writes all items or none.
    pub(crate) async fn commit(&self, writes: Vec<Write>) -> Result<Transacted, StoreError> {
        self.backend.transact(writes).await
    }
}

/// Attempts of a transaction before the caller gets [`StoreError::Conflict`].
pub(crate) const TRIES: u32 = 4;

/// Waits before the next attempt: exponential backoff with jitter. The SDK does not retry transaction conflicts, and an
/// item that is only checked causes them too.
pub(crate) async fn pause(tried: u32, random: &dyn Random) {
    let step = 10 << tried.min(TRIES);
    let [part] = random::bytes(random);
    tokio::time::sleep(Duration::from_millis(step + step * u64::from(part) / 256)).await;
}
