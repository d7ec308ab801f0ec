//! Waiting for what happens behind queues.

use std::future::Future;
use std::time::Duration;

use anyhow::{Result, bail};

/// Asks again until there is an answer; says what was waited for when none comes in time.
pub async fn until<T, F>(what: &str, limit: Duration, mut ask: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let start = tokio::time::Instant::now();
    while start.elapsed() < limit {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    bail!("waited {limit:?} for {what}")
}
