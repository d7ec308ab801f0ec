//! The master secret, cached in memory: stale-while-revalidate for one caller at a time, stale-if-error, single-flight.
//!
//! Key rotation: a new secret is in use everywhere within [`REFRESH_INTERVAL`]. Data that was sealed or signed under the
//! previous secret does not open under the current one; the caller then fetches both, at most once per
//! `FORCED_REFRESH_INTERVAL`, and tries again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use membermail_core::master::MasterKeys;
use membermail_store::AwsError;
use tokio::time::{Instant, timeout};
use tracing::warn;
use zeroize::Zeroizing;

/// Age at which a cached secret is fetched again. After a rotation, new data is sealed under the new key by then.
pub const REFRESH_INTERVAL: Duration = Duration::from_secs(300);
/// Minimum time between two forced refreshes, so that forged tokens cannot make us call Secrets Manager more often.
const FORCED_REFRESH_INTERVAL: Duration = Duration::from_secs(5);
/// Timeout of a refresh. It is short because the cached keys still work.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(1);
/// Time until the next refresh after one that failed.
const RETRY_INTERVAL: Duration = Duration::from_secs(30);
/// The version stage that Secrets Manager gives the version before the current one.
const PREVIOUS_STAGE: &str = "AWSPREVIOUS";
/// Minimum length of a master secret in bytes.
const MIN_LENGTH: usize = 32;

/// The secret that every key is derived from.
///
/// While keys are cached, only the caller that refreshes them waits for Secrets Manager. No request is made while the cache
/// is locked, and a caller that is cancelled during a request leaves the cache unchanged.
pub struct MasterSecret {
    client: Client,
    arn: String,
    cache: Mutex<Option<CachedKeys>>,
    /// Serializes the first load and forced refreshes (single-flight). Holds the time of the last first load that failed.
    load: tokio::sync::Mutex<Option<Instant>>,
}

struct CachedKeys {
    keys: MasterKeys,
    refresh_at: Instant,
    last_forced: Option<ForcedRefresh>,
}

/// The last request for both the current and the previous secret.
#[derive(Clone, Copy)]
struct ForcedRefresh {
    started_at: Instant,
    succeeded: bool,
}

impl CachedKeys {
    fn new(keys: MasterKeys, fetched_at: Instant) -> Self {
        Self { keys, refresh_at: fetched_at + REFRESH_INTERVAL, last_forced: None }
    }

    fn keys_other_than(&self, keys: &MasterKeys) -> Option<MasterKeys> {
        (self.keys != *keys).then(|| self.keys.clone())
    }
}

impl MasterSecret {
    /// Fetches nothing yet, so that a cold start costs no request.
    pub fn new(client: Client, arn: impl Into<String>) -> Self {
        Self { client, arn: arn.into(), cache: Mutex::default(), load: tokio::sync::Mutex::default() }
    }

    /// The keys: at most [`REFRESH_INTERVAL`] old, or older while Secrets Manager fails (stale-if-error).
    pub async fn keys(&self) -> Result<MasterKeys, SecretError> {
        match self.cached() {
            Some((keys, false)) => Ok(keys),
            Some((keys, true)) => Ok(self.refresh(keys).await),
            None => self.load().await,
        }
    }

    /// The cached keys, and whether this caller has to refresh them.
    fn cached(&self) -> Option<(MasterKeys, bool)> {
        let mut cache = self.cache();
        let cached = cache.as_mut()?;
        let is_due = cached.refresh_at <= Instant::now();
        if is_due {
            // Other callers keep the cached keys meanwhile, and until the next attempt if this refresh fails.
            cached.refresh_at = Instant::now() + RETRY_INTERVAL;
        }
        Some((cached.keys.clone(), is_due))
    }

    async fn refresh(&self, stale: MasterKeys) -> MasterKeys {
        let started_at = Instant::now();
        let current = match timeout(REFRESH_TIMEOUT, self.fetch_current()).await {
            Ok(Ok(current)) => current,
            Ok(Err(cause)) => {
                warn!(cause = %cause, "refreshing the master secret failed, using the cached keys");
                return stale;
            }
            Err(_) => {
                warn!("refreshing the master secret timed out after {REFRESH_TIMEOUT:?}, using the cached keys");
                return stale;
            }
        };
        let mut cache = self.cache();
        match cache.as_mut() {
            Some(cached) if current.as_slice() == cached.keys.current() => {
                cached.refresh_at = started_at + REFRESH_INTERVAL;
            }
            // Data under the previous secret does not open under this one alone; that triggers a forced refresh of both.
            _ => *cache = Some(CachedKeys::new(MasterKeys::new(current, None), started_at)),
        }
        cache.as_ref().map_or(stale, |cached| cached.keys.clone())
    }

    async fn load(&self) -> Result<MasterKeys, SecretError> {
        let started_at = Instant::now();
        let mut failed_at = self.load.lock().await;
        if let Some((keys, _)) = self.cached() {
            return Ok(keys);
        }
        // The load that this caller waited for failed; another one would only make it wait again.
        if failed_at.is_some_and(|failed_at| failed_at > started_at) {
            return Err(SecretError::RecentlyFailed);
        }
        match self.fetch_current().await {
            Ok(current) => {
                let keys = MasterKeys::new(current, None);
                *self.cache() = Some(CachedKeys::new(keys.clone(), started_at));
                Ok(keys)
            }
            Err(cause) => {
                *failed_at = Some(Instant::now());
                Err(cause)
            }
        }
    }

    fn cache(&self) -> MutexGuard<'_, Option<CachedKeys>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Health check: fetches the secret and bypasses the cache.
    pub async fn check_access(&self) -> Result<(), SecretError> {
        self.fetch_current().await.map(drop)
    }

    /// Opens or verifies with the cached keys. If `is_unopened` accepts the error, tries once more with newer keys, which
    /// include the previous secret.
    pub async fn open_with_rotation<T, E: From<SecretError>>(
        &self,
        open: impl Fn(&MasterKeys) -> Result<T, E>,
        is_unopened: impl Fn(&E) -> bool,
    ) -> Result<T, E> {
        let keys = self.keys().await?;
        match open(&keys) {
            Err(cause) if is_unopened(&cause) => match self.fetch_newer_than(&keys).await? {
                Some(newer) => open(&newer),
                None => Err(cause),
            },
            result => result,
        }
    }

    /// Forced refresh: fetches the current and the previous secret. Returns the keys if they differ from `keys`.
    pub async fn fetch_newer_than(&self, keys: &MasterKeys) -> Result<Option<MasterKeys>, SecretError> {
        let _single_flight = self.load.lock().await;
        if let Some(cached) = self.cache().as_mut() {
            match cached.last_forced {
                Some(forced) if forced.started_at.elapsed() < FORCED_REFRESH_INTERVAL => {
                    let newer = cached.keys_other_than(keys);
                    return if forced.succeeded || newer.is_some() {
                        Ok(newer)
                    } else {
                        Err(SecretError::RecentlyFailed)
                    };
                }
                // Counts as failed until the response arrives, also if this caller is cancelled.
                _ => cached.last_forced = Some(ForcedRefresh { started_at: Instant::now(), succeeded: false }),
            }
        }
        let started_at = Instant::now();
        let fetched = MasterKeys::new(self.fetch_current().await?, self.fetch_previous().await?);
        let last_forced = Some(ForcedRefresh { started_at, succeeded: true });
        let cached = CachedKeys { last_forced, ..CachedKeys::new(fetched, started_at) };
        Ok(self.cache().insert(cached).keys_other_than(keys))
    }

    async fn fetch_current(&self) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        to_key(fetch(&self.client, &self.arn).await?)
    }

    async fn fetch_previous(&self) -> Result<Option<Zeroizing<Vec<u8>>>, SecretError> {
        fetch_previous(&self.client, &self.arn).await?.map(to_key).transpose()
    }
}

/// Key material, if the text is long enough.
pub fn to_key(text: Zeroizing<String>) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    if text.len() < MIN_LENGTH {
        return Err(SecretError::TooShort);
    }
    Ok(Zeroizing::new(text.as_bytes().to_vec()))
}

/// Fetches the current version of a secret.
pub async fn fetch(client: &Client, arn: &str) -> Result<Zeroizing<String>, SecretError> {
    let response = client.get_secret_value().secret_id(arn).send().await;
    let response = response.map_err(|error| SecretError::Unavailable((&error).into()))?;
    Ok(Zeroizing::new(response.secret_string.unwrap_or_default()))
}

/// Fetches the version before the current one; none if the secret was never rotated.
pub async fn fetch_previous(client: &Client, arn: &str) -> Result<Option<Zeroizing<String>>, SecretError> {
    match client.get_secret_value().secret_id(arn).version_stage(PREVIOUS_STAGE).send().await {
        Ok(response) => Ok(response.secret_string.map(Zeroizing::new)),
        Err(error) if matches!(error.as_service_error(), Some(GetSecretValueError::ResourceNotFoundException(_))) => {
            Ok(None)
        }
        Err(error) => Err(SecretError::Unavailable((&error).into())),
    }
}

/// Why a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager did not return the secret.
    #[error("reading the secret failed; retry later, and check the permissions if it persists: {0}")]
    Unavailable(AwsError),
    /// Secrets Manager did not return the secret to another caller.
    #[error("reading the secret failed a moment ago; retry later")]
    RecentlyFailed,
    /// The text is too short to derive keys from.
    #[error("the master secret has fewer than {} characters; set a longer one", MIN_LENGTH)]
    TooShort,
    /// The text is empty.
    #[error("the secret is empty; set its value")]
    Empty,
}

#[cfg(test)]
#[path = "secret_tests.rs"]
mod tests;
