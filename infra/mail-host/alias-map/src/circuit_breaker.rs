//! A circuit breaker for the table: consecutive failures open it, and then one query at a time probes the table.

use std::time::Duration;

use tokio::time::Instant;

use crate::source::SourceError;

/// Consecutive failures that open the breaker. More than one, so that a single slow query does not fail other keys.
const THRESHOLD: u32 = 2;

/// How long the breaker rejects queries after a failed probe.
const OPEN: Duration = Duration::from_secs(1);

/// Closed by default.
#[derive(Default)]
pub(crate) struct CircuitBreaker {
    consecutive_failures: u32,
    /// Set while the breaker is open: no query before this time.
    open_until: Option<Instant>,
    last_failure: Option<Instant>,
}

impl CircuitBreaker {
    /// Whether a request that has been waiting since `waiting_since` may query the table. An open breaker lets one probe
    /// through per `query_timeout`.
    pub(crate) fn try_acquire(&mut self, waiting_since: Instant, query_timeout: Duration) -> bool {
        // This request already waited for a query of another request that failed. A second timeout would double its wait.
        if self.last_failure.is_some_and(|failure| failure > waiting_since) {
            return false;
        }
        let now = Instant::now();
        match self.open_until {
            Some(until) if now < until => false,
            Some(_) => {
                self.open_until = Some(now + query_timeout);
                true
            }
            None => true,
        }
    }

    /// Records the result of a query. Any response of the table closes the breaker, also one that cannot be used.
    pub(crate) fn record(&mut self, error: Option<&SourceError>) {
        if let Some(SourceError::Unreachable(_)) = error {
            let now = Instant::now();
            self.consecutive_failures += 1;
            self.last_failure = Some(now);
            if self.consecutive_failures >= THRESHOLD {
                self.open_until = Some(now + OPEN);
            }
            return;
        }
        if self.open_until.is_some() {
            tracing::info!("table is reachable again");
        }
        let last_failure = matches!(error, Some(SourceError::Secret(_))).then(Instant::now);
        *self = Self { last_failure, ..Self::default() };
    }
}
