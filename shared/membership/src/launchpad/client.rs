//! One request: the connection, the limits of an answer, and the check of links.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::{Response, StatusCode, redirect};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};
use tracing::debug;
use url::Url;

use super::error::{Error, SettingsError};
use super::retry::{self, Budget};
use super::settings::Settings;

/// The longest body after decompression. A page of 300 people has about 1.5 MB, so that one description of 5 MB fits even
/// at full size; two of these need a smaller page.
pub(crate) const BODY_LIMIT: usize = 8 * 1024 * 1024;
/// The longest wait for a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// Hears of every request: how long it took until its answer was read or given up, and whether it failed. "Not there" and
/// "gone" are answers, no failures.
pub type Observer = dyn Fn(Duration, bool) + Send + Sync;

/// A client of the web service. Make it once and clone it: the clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    settings: Arc<Settings>,
    observer: Arc<Observer>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("api", &self.settings.api.as_str()).finish_non_exhaustive()
    }
}

impl Client {
    /// Checks the settings; connects to nothing yet.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let (api, user_agent) = (&settings.api, &settings.user_agent);
        let is_plain = matches!(api.scheme(), "http" | "https")
            && !has_credentials(api)
            && api.query().is_none()
            && api.fragment().is_none();
        if !is_plain {
            return Err(SettingsError::Api);
        }
        if user_agent.trim().is_empty() || HeaderValue::from_str(user_agent).is_err() {
            return Err(SettingsError::UserAgent);
        }
        let http = reqwest::Client::builder()
            .user_agent(user_agent)
            .redirect(redirect::Policy::none())
            .referer(false)
            .gzip(true)
            .connect_timeout(CONNECT_LIMIT)
            .tcp_keepalive(Duration::from_secs(30))
            .build()
            .map_err(SettingsError::Http)?;
        Ok(Self { http, settings: Arc::new(settings), observer: Arc::new(|_, _| {}) })
    }

    /// Reports every request to an observer.
    #[must_use]
    pub fn observed_by(self, observer: impl Fn(Duration, bool) + Send + Sync + 'static) -> Self {
        Self { observer: Arc::new(observer), ..self }
    }

    /// The settings.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Starts the time of a look-up.
    pub(crate) fn start_lookup(&self) -> Budget {
        Budget::for_lookup(self.settings.lookup_timeout)
    }

    /// The URL of a path below the root.
    pub(crate) fn url(&self, path: &str) -> Url {
        let mut url = self.settings.api.clone();
        url.set_path(&format!("{}/{path}", self.settings.api.path().trim_end_matches('/')));
        url
    }

    /// A link out of an answer, if it leads to where the answer came from.
    pub(crate) fn link(&self, text: &str) -> Result<Url, Error> {
        let link = Url::parse(text).map_err(|_| Error::Malformed { what: "a link" })?;
        if link.origin() != self.settings.api.origin() || has_credentials(&link) {
            return Err(Error::ForeignLink);
        }
        Ok(link)
    }

    /// Gets and reads the JSON of `url`, with retries within the budget. `what` is for messages.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        url: &Url,
        what: &'static str,
        budget: &Budget,
    ) -> Result<T, Error> {
        let attempt = || self.attempt(url, what, budget.next_timeout(), |body| decode(body, what));
        budget.retry(&self.settings.pauses, attempt).await
    }

    /// Gets it once and hands the body to `read`.
    pub(crate) async fn attempt<T>(
        &self,
        url: &Url,
        what: &'static str,
        limit: Duration,
        read: impl FnOnce(&[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let started = Instant::now();
        let answer = timeout(limit, self.exchange(url, what)).await.unwrap_or(Err(Error::TimedOut));
        let result = answer.and_then(|body| read(&body));
        let failed = result.as_ref().is_err_and(|error| !error.is_absent());
        (self.observer)(started.elapsed(), failed);
        if let Err(error) = &result {
            debug!(request = what, ms = millis(started), %error, "Launchpad request failed");
        }
        result
    }

    async fn exchange(&self, url: &Url, what: &'static str) -> Result<Vec<u8>, Error> {
        let started = Instant::now();
        let answer = self.send(url).await?;
        debug!(request = what, status = answer.status().as_u16(), ms = millis(started), "Launchpad answered");
        refuse_failure(&answer)?;
        read_body(answer).await
    }

    /// Sends the request and returns the head of the answer, whatever its status.
    pub(crate) async fn send(&self, url: &Url) -> Result<Response, Error> {
        let request = self.http.get(url.clone()).header(ACCEPT, "application/json");
        request.send().await.map_err(|error| cause(&error, Error::Unreachable))
    }
}

/// Passes 200 only.
fn refuse_failure(answer: &Response) -> Result<(), Error> {
    let (status, headers) = (answer.status(), answer.headers());
    if status == StatusCode::OK {
        return Ok(());
    }
    if status.is_redirection() {
        return Err(Error::Redirected);
    }
    if status == StatusCode::TOO_MANY_REQUESTS
        && let Some(retry_after) = retry::retry_after(headers)
    {
        return Err(Error::Busy { retry_after });
    }
    Err(Error::Status { code: status.as_u16(), oops: retry::oops(headers) })
}

/// Reads the body up to the limit. The chunks are decompressed ones, so that the limit holds against a compression bomb.
pub(crate) async fn read_body(mut answer: Response) -> Result<Vec<u8>, Error> {
    if answer.content_length().is_some_and(|length| length > BODY_LIMIT as u64) {
        return Err(Error::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| cause(&error, Error::CutShort))? {
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(Error::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads JSON. The message of serde is dropped because it quotes the answer.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8], what: &'static str) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|_| Error::Malformed { what })
}

fn cause(error: &reqwest::Error, otherwise: Error) -> Error {
    if error.is_timeout() { Error::TimedOut } else { otherwise }
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
