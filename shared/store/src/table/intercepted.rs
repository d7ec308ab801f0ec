//! A store whose writes a test interrupts, or delays by other work, on any table. Reads of single items can be delayed too.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use super::read::{Consistency, Cursor, Page, Query, Scan};
use super::{Condition, Item, Store, Table, Transacted, Update, Updated, Write};
use crate::error::StoreError;
use crate::keys::Key;

struct Intercepted<F> {
    table: Arc<dyn Table>,
    before_write: F,
    writes: AtomicUsize,
    before_get: Option<BeforeGet>,
    gets: AtomicUsize,
}

type BeforeGet = Box<dyn Fn(usize) -> BoxFuture<'static, ()> + Send + Sync>;

impl Store {
    /// A store on the same table that calls `before_write` with the number of writes so far before each write or transaction.
    /// If that returns false, the write fails as if the table could not be reached.
    #[must_use]
    pub fn intercept_writes<F>(&self, before_write: F) -> Self
    where
        F: Fn(usize) -> BoxFuture<'static, bool> + Send + Sync + 'static,
    {
        self.intercepted(before_write, None)
    }

    /// A store on the same table that calls `before_get` with the number of reads so far before each read of a single item.
    #[must_use]
    pub fn intercept_gets<F>(&self, before_get: F) -> Self
    where
        F: Fn(usize) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    {
        self.intercepted(|_| Box::pin(async { true }), Some(Box::new(before_get)))
    }

    fn intercepted<F>(&self, before_write: F, before_get: Option<BeforeGet>) -> Self
    where
        F: Fn(usize) -> BoxFuture<'static, bool> + Send + Sync + 'static,
    {
        let table = Arc::clone(&self.backend);
        let [writes, gets] = [(); 2].map(|()| AtomicUsize::new(0));
        let backend = Arc::new(Intercepted { table, before_write, writes, before_get, gets });
        Self { backend, consistency: self.consistency }
    }
}

impl<F: Fn(usize) -> BoxFuture<'static, bool> + Send + Sync> Intercepted<F> {
    async fn before_write(&self) -> Result<(), StoreError> {
        let writes = self.writes.fetch_add(1, Ordering::SeqCst);
        if (self.before_write)(writes).await {
            return Ok(());
        }
        Err(StoreError::Unavailable("interrupted by the test".to_owned()))
    }
}

#[async_trait]
impl<F: Fn(usize) -> BoxFuture<'static, bool> + Send + Sync> Table for Intercepted<F> {
    fn name(&self) -> &str {
        self.table.name()
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, StoreError> {
        if let Some(before_get) = &self.before_get {
            before_get(self.gets.fetch_add(1, Ordering::SeqCst)).await;
        }
        self.table.get(key, consistency).await
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Item>, StoreError> {
        self.table.batch_get(keys).await
    }

    async fn query(&self, query: &Query, from: Option<Cursor>) -> Result<Page, StoreError> {
        self.table.query(query, from).await
    }

    async fn scan(&self, scan: &Scan, from: Option<Cursor>) -> Result<Page, StoreError> {
        self.table.scan(scan, from).await
    }

    async fn write(&self, write: Write) -> Result<bool, StoreError> {
        self.before_write().await?;
        self.table.write(write).await
    }

    async fn update(&self, key: &Key, update: Update, condition: Option<Condition>) -> Result<Updated, StoreError> {
        self.before_write().await?;
        self.table.update(key, update, condition).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Transacted, StoreError> {
        self.before_write().await?;
        self.table.transact(writes).await
    }
}

impl<F> fmt::Debug for Intercepted<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Intercepted({:?})", self.table)
    }
}
