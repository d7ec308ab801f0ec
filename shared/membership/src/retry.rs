//! Retries of a request: backoff, `Retry-After`, and the time budget of a lookup.
//!
//! `Retry-After` only counts for 429. With a 503, Launchpad always sends 900, and the next request often succeeds because the
//! first one warmed the caches.

use std::time::Duration;

use backon::Retryable;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use membermail_core::clock::{Clock, SystemClock};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use tokio::time::Instant;

use crate::error::Error;

/// The exponential backoff of Launchpad's own client (lazr.restfulclient), in units.
const PAUSES: [u32; 6] = [0, 1, 2, 4, 8, 16];
/// Maximum timeout of one request of a lookup; the sources return 503 sooner.
const MAX_REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// No attempt starts with less than this fraction of the budget left: its timeout would hide the previous failure.
const MIN_FRACTION: u32 = 8;
/// Maximum accepted `Retry-After` without a deadline.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(16);
/// Longer `Retry-After` values are truncated to this.
const ONE_DAY: Duration = Duration::from_hours(24);

/// The pauses between the attempts of a request. The unit is a second outside tests.
pub(crate) fn pauses(unit: Duration) -> Vec<Duration> {
    PAUSES.map(|pause| unit * pause).to_vec()
}

/// The time budget of a lookup: per request, and optionally for all requests and pauses together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    request: Duration,
    whole: Option<(Instant, Duration)>,
}

impl Budget {
    /// Starts the budget of a lookup with this timeout.
    pub(crate) fn for_lookup(whole: Duration) -> Self {
        Self { request: (whole / 2).min(MAX_REQUEST_TIMEOUT), whole: Some((Instant::now(), whole)) }
    }

    /// Limits only each request; the number of pauses limits the retries.
    pub(crate) fn for_requests(request: Duration) -> Self {
        Self { request, whole: None }
    }

    /// The timeout of the next request.
    pub(crate) fn next_timeout(&self) -> Duration {
        self.left().map_or(self.request, |left| left.min(self.request))
    }

    /// The pause before the next attempt; none if there are no retries or not enough time left.
    pub(crate) fn next_pause(&self, error: &Error, pause: Option<Duration>) -> Option<Duration> {
        let retry_after = error.retry_after().unwrap_or_default();
        let pause = pause?.max(retry_after);
        let fits = match (self.whole, self.left()) {
            (Some((_, whole)), Some(left)) => pause + whole / MIN_FRACTION < left,
            _ => retry_after <= MAX_RETRY_AFTER,
        };
        fits.then_some(pause)
    }

    /// Retries `attempt` while its failure is transient and the budget allows a pause and an attempt.
    pub(crate) async fn retry<T, F, Fut>(&self, pauses: &[Duration], attempt: F) -> Result<T, Error>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, Error>>,
    {
        attempt
            .retry(pauses.iter().copied())
            .when(Error::is_transient)
            .adjust(|error, pause| self.next_pause(error, pause))
            .await
    }

    fn left(&self) -> Option<Duration> {
        self.whole.map(|(started, whole)| whole.saturating_sub(started.elapsed()))
    }
}

/// Parses `Retry-After`, in seconds or as a date (RFC 9110, 10.2.3). A date is compared with the `Date` of the response, so
/// that the local clock does not matter.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().map_or(ONE_DAY, Duration::from_secs).min(ONE_DAY));
    }
    let until = http_date(text)?;
    let now = headers.get(DATE).and_then(|date| http_date(date.to_str().ok()?)).unwrap_or_else(|| SystemClock.now());
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default().min(ONE_DAY))
}

/// Parses the only date format that RFC 9110 (5.6.7) allows servers to send, which is valid in RFC 2822 too.
fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).ok().map(|date| date.timestamp())
}
