//! When a request is retried, after which pause, and when that ends.
//!
//! `Retry-After` counts for 429 alone. On a 503 Launchpad sends the constant 900, a guess by its own source, and the next
//! request often succeeds because the first one warmed the caches.

use std::time::Duration;

use backon::Retryable;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use membermail_core::clock::{Clock, SystemClock};
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use tokio::time::Instant;

use super::error::Error;

/// The longest wait for one answer of a look-up; Launchpad gives itself less before it answers 503.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);
/// No attempt begins with less than this share of the look-up's time left: cut off, it would report a timeout in place
/// of the failure before it.
const LAST_SHARE: u32 = 8;
/// The longest pause that Launchpad can ask for where no deadline limits it.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);
/// A longer `Retry-After` is cut to this.
const A_DAY: Duration = Duration::from_hours(24);

/// The time for one question: each request alone, and all requests and pauses together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    request: Duration,
    whole: Option<(Instant, Duration)>,
}

impl Budget {
    /// Starts a look-up, which has to end in this time.
    pub(crate) fn for_lookup(whole: Duration) -> Self {
        Self { request: (whole / 2).min(REQUEST_LIMIT), whole: Some((Instant::now(), whole)) }
    }

    /// Limits each request alone; the number of pauses limits the rest.
    pub(crate) fn for_requests(request: Duration) -> Self {
        Self { request, whole: None }
    }

    /// The time for the next request.
    pub(crate) fn next_timeout(&self) -> Duration {
        self.left().map_or(self.request, |left| left.min(self.request))
    }

    /// The pause before the next attempt; none, where the pauses are used up or the attempt would come too late.
    pub(crate) fn next_pause(&self, error: &Error, pause: Option<Duration>) -> Option<Duration> {
        let asked = error.retry_after().unwrap_or_default();
        let pause = pause?.max(asked);
        let fits = match (self.whole, self.left()) {
            (Some((_, whole)), Some(left)) => pause + whole / LAST_SHARE < left,
            _ => asked <= LONGEST_PAUSE,
        };
        fits.then_some(pause)
    }

    /// Repeats `attempt` while its failure is transient and the budget has room for a pause and an attempt.
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

/// The pause of a `Retry-After`, in seconds or as a date (RFC 9110, 10.2.3).
///
/// A date is read against the answer's own `Date`, so that a wrong clock on this machine does no harm.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().map_or(A_DAY, Duration::from_secs).min(A_DAY));
    }
    let until = http_date(text)?;
    let now = headers.get(DATE).and_then(|date| http_date(date.to_str().ok()?)).unwrap_or_else(|| SystemClock.now());
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default().min(A_DAY))
}

/// Reads the one form of a date that RFC 9110 (5.6.7) lets a server send; RFC 2822 has it too.
fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).ok().map(|date| date.timestamp())
}

/// Launchpad's id of its failure, if it fits into a message.
pub(crate) fn oops(headers: &HeaderMap) -> Option<String> {
    const OOPS: HeaderName = HeaderName::from_static("x-lazr-oopsid");
    let id = headers.get(OOPS)?.to_str().ok()?;
    let fits = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    fits.then(|| id.to_owned())
}
