//! What a provider publishes, kept for a while. One request at a time (single-flight), and stale-if-error.

use std::future::Future;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::ProviderError;

/// How long a value is fresh. A provider that removes a key counts on its clients to notice.
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// How long a value is used while the provider fails.
const STALE_IF_ERROR: SignedDuration = SignedDuration::from_hours(1);
/// Minimum time between requests that are not due. Anyone can send a token with an unknown key id.
const COOL_DOWN: SignedDuration = SignedDuration::from_secs(30);

struct Cached<T> {
    value: Arc<T>,
    fetched_at: Timestamp,
    /// The last request, also if it failed.
    tried_at: Timestamp,
}

/// One value. The lock is held during a request, so that concurrent callers wait for its result.
pub(super) struct Cache<T>(Mutex<Option<Cached<T>>>);

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Cache<T> {
    /// The value: fresh, fetched now, or stale because the request fails.
    pub(super) async fn get(
        &self,
        now: Timestamp,
        fetch: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<Arc<T>, ProviderError> {
        let mut slot = self.0.lock().await;
        if let Some(cached) = &mut *slot
            && is_within(now, cached.fetched_at, STALE_IF_ERROR)
        {
            let is_fresh = is_within(now, cached.fetched_at, LIFETIME);
            if is_fresh || is_within(now, cached.tried_at, COOL_DOWN) {
                return Ok(Arc::clone(&cached.value));
            }
            cached.tried_at = now;
            if let Ok(value) = fetch.await {
                *cached = Cached { value: Arc::new(value), fetched_at: now, tried_at: now };
            }
            return Ok(Arc::clone(&cached.value));
        }
        let value = Arc::new(fetch.await?);
        *slot = Some(Cached { value: Arc::clone(&value), fetched_at: now, tried_at: now });
        Ok(value)
    }

    /// A newer value than `old`, which lacks something. `None` during the cool-down.
    pub(super) async fn get_newer(
        &self,
        old: &Arc<T>,
        now: Timestamp,
        fetch: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<Option<Arc<T>>, ProviderError> {
        let mut slot = self.0.lock().await;
        if let Some(cached) = &mut *slot {
            if !Arc::ptr_eq(&cached.value, old) {
                return Ok(Some(Arc::clone(&cached.value)));
            }
            if is_within(now, cached.tried_at, COOL_DOWN) {
                return Ok(None);
            }
            cached.tried_at = now;
        }
        let value = Arc::new(fetch.await?);
        *slot = Some(Cached { value: Arc::clone(&value), fetched_at: now, tried_at: now });
        Ok(Some(value))
    }
}

/// Also false if the clock was set back by more than `period`.
fn is_within(now: Timestamp, then: Timestamp, period: SignedDuration) -> bool {
    now.duration_since(then).abs() < period
}
