//! A bounded cache of lookup results. Concurrent requests for one key share a query (single-flight). While the table is
//! unreachable, a circuit breaker limits the queries and expired hits are still served (stale-if-error).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use metrics::{Counter, Histogram, counter, histogram};
use moka::Expiry;
use moka::future::Cache as Entries;
use moka::ops::compute::{CompResult, Op};
use tokio::time::Instant;

use crate::circuit_breaker::CircuitBreaker;
use crate::settings::CacheTtls;
use crate::source::{LookupResult, Query, Source, SourceError};

/// Bytes per entry beside its names and addresses: the struct, the cache's bookkeeping and the allocator's. A generous
/// estimate; `cargo dev bench mail` reports the actual memory use.
const OVERHEAD: usize = 450;

/// TTL of a result that never changes.
const FINAL_TTL: Duration = Duration::from_secs(24 * 3600);

/// Lookup results by query.
pub struct Cache {
    entries: Entries<Query, Entry>,
    source: Arc<dyn Source>,
    ttls: Arc<ArcSwap<CacheTtls>>,
    breaker: Mutex<CircuitBreaker>,
    metrics: Metrics,
}

/// Handles, resolved once: a look-up by name would cost more than a cache hit.
struct Metrics {
    hit: Counter,
    shared: Counter,
    miss: Counter,
    stale: Counter,
    unanswered: Counter,
    table_errors: Counter,
    table_seconds: Histogram,
}

impl Metrics {
    fn new() -> Self {
        Self {
            hit: counter!("membermail_alias_map_cache_total", "outcome" => "hit"),
            shared: counter!("membermail_alias_map_cache_total", "outcome" => "shared"),
            miss: counter!("membermail_alias_map_cache_total", "outcome" => "miss"),
            stale: counter!("membermail_alias_map_cache_total", "outcome" => "stale"),
            unanswered: counter!("membermail_alias_map_cache_total", "outcome" => "unanswered"),
            table_errors: counter!("membermail_alias_map_table_errors_total"),
            table_seconds: histogram!("membermail_alias_map_table_seconds"),
        }
    }
}

#[derive(Clone)]
struct Entry {
    result: Arc<LookupResult>,
    fetched_at: Instant,
}

/// Evicts an entry once it can no longer be served, not even as stale.
struct Eviction(Arc<ArcSwap<CacheTtls>>);

impl Expiry<Query, Entry> for Eviction {
    fn expire_after_create(&self, _: &Query, entry: &Entry, _: std::time::Instant) -> Option<Duration> {
        let ttls = self.0.load();
        Some(match &*entry.result {
            LookupResult::NotFound => ttls.misses,
            result => ttls.stale_if_error.max(ttl(result, &ttls)),
        })
    }

    fn expire_after_update(
        &self,
        query: &Query,
        entry: &Entry,
        now: std::time::Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(query, entry, now)
    }
}

/// How long a result is fresh.
fn ttl(result: &LookupResult, ttls: &CacheTtls) -> Duration {
    match result {
        // A member who has just confirmed a destination expects mail.
        LookupResult::NotFound | LookupResult::Unconfirmed { .. } => ttls.misses,
        result if result.is_final() => FINAL_TTL,
        _ => ttls.hits,
    }
}

impl Cache {
    /// An empty cache of at most `megabytes`. It registers its metrics with the recorder that is installed now.
    pub fn new(source: Arc<dyn Source>, megabytes: u32, ttls: Arc<ArcSwap<CacheTtls>>) -> Self {
        let entries = Entries::builder()
            .max_capacity(u64::from(megabytes) * 1024 * 1024)
            .weigher(|query: &Query, entry: &Entry| {
                u32::try_from(OVERHEAD + query.size() + entry.result.size()).unwrap_or(u32::MAX)
            })
            .expire_after(Eviction(Arc::clone(&ttls)))
            .build();
        Self { entries, source, ttls, breaker: Mutex::default(), metrics: Metrics::new() }
    }

    /// The cached result if it is fresh, otherwise the table's. If the query fails, a stale hit is returned.
    ///
    /// A stale `NotFound` is never returned: an address created in the meantime would lose mail.
    pub async fn lookup(&self, query: &Query) -> Result<Arc<LookupResult>, SourceError> {
        if let Some(entry) = self.entries.get(query).await.filter(|entry| self.is_fresh(entry)) {
            self.metrics.hit.increment(1);
            return Ok(entry.result);
        }
        let waiting_since = Instant::now();
        let entry = self.entries.entry_by_ref(query);
        let error = match entry.and_try_compute_with(|cached| self.refresh(query, cached, waiting_since)).await {
            Ok(CompResult::Unchanged(entry) | CompResult::Inserted(entry) | CompResult::ReplacedWith(entry)) => {
                return Ok(entry.into_value().result);
            }
            Ok(CompResult::Removed(_) | CompResult::StillNone(_)) => {
                SourceError::Broken("the cache stored no result".to_owned())
            }
            Err(error) => error,
        };
        let limit = self.ttls.load().stale_if_error;
        let cached = self.entries.get(query).await;
        match cached.filter(|entry| *entry.result != LookupResult::NotFound && entry.fetched_at.elapsed() < limit) {
            Some(entry) => {
                self.metrics.stale.increment(1);
                Ok(entry.result)
            }
            None => {
                self.metrics.unanswered.increment(1);
                Err(error)
            }
        }
    }

    /// Queries the table, unless a concurrent request has refreshed the entry or the circuit breaker is open.
    async fn refresh(
        &self,
        query: &Query,
        cached: Option<moka::Entry<Query, Entry>>,
        waiting_since: Instant,
    ) -> Result<Op<Entry>, SourceError> {
        if cached.is_some_and(|entry| self.is_fresh(entry.value())) {
            self.metrics.shared.increment(1);
            return Ok(Op::Nop);
        }
        let timeout = self.ttls.load().query_timeout;
        if !self.breaker().try_acquire(waiting_since, timeout) {
            return Err(SourceError::Unreachable("the circuit breaker is open".to_owned()));
        }
        self.metrics.miss.increment(1);
        let start = Instant::now();
        let result = tokio::time::timeout(timeout, self.source.lookup(query)).await;
        self.metrics.table_seconds.record(start.elapsed().as_secs_f64());
        let result = result.unwrap_or_else(|_| Err(SourceError::Unreachable(format!("timeout after {timeout:?}"))));
        self.breaker().record(result.as_ref().err());
        match result {
            Ok(result) => Ok(Op::Put(Entry { result: Arc::new(result), fetched_at: Instant::now() })),
            Err(error) => {
                self.metrics.table_errors.increment(1);
                tracing::warn!(%error, "table query failed");
                Err(error)
            }
        }
    }

    /// The number of entries and their estimated size in bytes.
    pub async fn size(&self) -> (u64, u64) {
        self.entries.run_pending_tasks().await;
        (self.entries.entry_count(), self.entries.weighted_size())
    }

    fn is_fresh(&self, entry: &Entry) -> bool {
        entry.fetched_at.elapsed() < ttl(&entry.result, &self.ttls.load())
    }

    fn breaker(&self) -> MutexGuard<'_, CircuitBreaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
