//! When a request is repeated, how long before, and when that has to end.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use membermail_core::clock::{Clock, SystemClock};
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use tokio::time::Instant;

use crate::error::Error;

/// The pause before the first repetition; each further one is twice as long, and up to twice that by jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause before jitter.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// No attempt begins with less than this share of the patience left: cut off, it would end a look-up as timed out
/// that had found something better to tell.
const LAST_SHARE: u32 = 8;
/// A longer `Retry-After` is not believed.
const A_DAY: Duration = Duration::from_hours(24);

/// The time that one look-up has, all its requests and pauses together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    started: Instant,
    whole: Duration,
}

impl Patience {
    /// Begins now.
    pub(crate) fn start(whole: Duration) -> Self {
        Self { started: Instant::now(), whole }
    }

    /// What is left of it.
    pub(crate) fn left(&self) -> Duration {
        self.whole.saturating_sub(self.started.elapsed())
    }

    /// Repeats `attempt` while its failure may pass and what is left has room for a pause and an attempt.
    ///
    /// A pause that Launchpad asks for and that does not fit ends this at once, with its [`Error::Busy`].
    pub(crate) async fn retry<T, F, Fut>(&self, attempt: F) -> Result<T, Error>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, Error>>,
    {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_jitter()
            .without_max_times();
        attempt
            .retry(pauses)
            .when(Error::is_retryable)
            .adjust(|error, pause| {
                let pause = pause?.max(error.retry_after().unwrap_or_default());
                (pause + self.whole / LAST_SHARE < self.left()).then_some(pause)
            })
            .await
    }
}

/// The pause that an answer asks for: `Retry-After` in seconds or as a date (RFC 9110, 10.2.3).
///
/// A date is read against the answer's own `Date`, so that a clock that goes wrong here does no harm.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().map_or(A_DAY, Duration::from_secs).min(A_DAY));
    }
    let until = http_date(text)?;
    let now = headers.get(DATE).and_then(|date| http_date(date.to_str().ok()?)).unwrap_or_else(|| SystemClock.now());
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default().min(A_DAY))
}

/// The one form of a date that RFC 9110 (5.6.7) lets a server send, which is one of RFC 2822's too.
fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).ok().map(|date| date.timestamp())
}

/// Launchpad's id of its failure, if it is one that is fit for a message.
pub(crate) fn oops(headers: &HeaderMap) -> Option<String> {
    const OOPS: HeaderName = HeaderName::from_static("x-lazr-oopsid");
    let id = headers.get(OOPS)?.to_str().ok()?;
    let fit = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    fit.then(|| id.to_owned())
}
