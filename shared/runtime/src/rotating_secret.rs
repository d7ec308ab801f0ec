//! A secret of another service that operators rotate: our client secret at a sign-in provider, or a token. The new version can
//! be valid there before or after it is current here, so callers try the versions one after the other.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::secret::{SecretError, fetch, fetch_previous};

/// Age at which the versions are fetched again.
const REFRESH_INTERVAL: Duration = Duration::from_mins(5);
/// Minimum time between two requests for newer versions, so that rejected credentials cannot make us call Secrets Manager often.
const MIN_INTERVAL: Duration = Duration::from_secs(5);

/// The versions of a secret, the current one first. At least one.
#[derive(Clone, PartialEq, Eq)]
pub struct Versions(Arc<Vec<Zeroizing<String>>>);

impl std::fmt::Debug for Versions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Versions([redacted])")
    }
}

impl Versions {
    /// Each version, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &Zeroizing<String>> {
        self.0.iter()
    }
}

/// Fetches the versions of a secret and caches them.
pub struct RotatingSecret {
    client: Client,
    arn: String,
    /// Locked during a request: single-flight.
    cache: Mutex<Option<(Versions, Instant)>>,
}

impl RotatingSecret {
    /// Fetches nothing yet, so that a cold start costs no request.
    pub fn new(client: Client, arn: impl Into<String>) -> Self {
        Self { client, arn: arn.into(), cache: Mutex::default() }
    }

    /// The versions, at most five minutes old; older ones while Secrets Manager fails (stale-if-error).
    ///
    /// # Errors
    /// If there is no cached version and Secrets Manager does not return one.
    pub async fn versions(&self) -> Result<Versions, SecretError> {
        let mut cache = self.cache.lock().await;
        match &*cache {
            Some((versions, at)) if at.elapsed() < REFRESH_INTERVAL => Ok(versions.clone()),
            Some((stale, _)) => {
                let versions = self.fetch().await.unwrap_or_else(|_| stale.clone());
                Ok(cache.insert((versions, Instant::now())).0.clone())
            }
            None => Ok(cache.insert((self.fetch().await?, Instant::now())).0.clone()),
        }
    }

    /// The versions, after the other service refused all of `refused`; none if there are no others.
    ///
    /// # Errors
    /// If Secrets Manager does not return them.
    pub async fn newer_than(&self, refused: &Versions) -> Result<Option<Versions>, SecretError> {
        let mut cache = self.cache.lock().await;
        let is_recent = cache.as_ref().is_some_and(|(_, at)| at.elapsed() < MIN_INTERVAL);
        if !is_recent {
            *cache = Some((self.fetch().await?, Instant::now()));
        }
        let versions = cache.as_ref().map(|(versions, _)| versions.clone());
        Ok(versions.filter(|versions| versions != refused))
    }

    async fn fetch(&self) -> Result<Versions, SecretError> {
        let trim = |text: Zeroizing<String>| Zeroizing::new(text.trim().to_owned());
        let current = trim(fetch(&self.client, &self.arn).await?);
        let mut versions = vec![current];
        versions.extend(fetch_previous(&self.client, &self.arn).await?.map(trim));
        versions.retain(|version| !version.is_empty());
        versions.dedup();
        if versions.is_empty() { Err(SecretError::Empty) } else { Ok(Versions(Arc::new(versions))) }
    }
}

#[cfg(test)]
#[path = "rotating_secret_tests.rs"]
mod tests;
