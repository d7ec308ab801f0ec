//! Polling for results of asynchronous work.

use std::time::Duration;

use anyhow::{Result, bail};

/// Seconds that are enough for two functions to start on a busy machine.
pub const TIMEOUT: u64 = 120;

/// Polls until there is a value; the error names what was awaited.
pub async fn until<T>(what: &str, seconds: u64, mut poll: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let start = tokio::time::Instant::now();
    while start.elapsed().as_secs() < seconds {
        if let Some(value) = poll().await? {
            return Ok(value);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    bail!("waited {seconds} s for {what}")
}

/// Polls until the answer is yes.
pub async fn until_true(what: &str, seconds: u64, mut poll: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    until(what, seconds, async || Ok(poll().await?.then_some(()))).await
}
