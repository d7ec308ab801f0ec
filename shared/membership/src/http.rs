//! A single request to a source: connection, size limit of the response, and what each status means.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode, redirect};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};
use tracing::debug;
use url::Url;

use crate::error::{Error, SettingsError};
use crate::retry;

/// Maximum size of a decompressed body. A page of 300 people of Launchpad has about 1.5 MB, so it fits even with one
/// description of 5 MB; two of these require a smaller page.
pub(crate) const BODY_LIMIT: usize = 8 * 1024 * 1024;
/// Timeout of the connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Called after every request with its duration and whether it failed. "Not found" and "gone" are not failures.
pub type Observer = dyn Fn(Duration, bool) + Send + Sync;

/// Sends requests and observes them. Clones share their connections.
#[derive(Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
    observer: Arc<Observer>,
}

impl Http {
    /// Validates the root URL of the service and the User-Agent; makes no connection yet.
    pub(crate) fn new(root: &Url, user_agent: &str) -> Result<Self, SettingsError> {
        let is_plain = matches!(root.scheme(), "http" | "https")
            && !has_credentials(root)
            && root.query().is_none()
            && root.fragment().is_none();
        if !is_plain {
            return Err(SettingsError::Api);
        }
        if user_agent.trim().is_empty() || HeaderValue::from_str(user_agent).is_err() {
            return Err(SettingsError::UserAgent);
        }
        let client = reqwest::Client::builder()
            .user_agent(user_agent)
            .redirect(redirect::Policy::none())
            .referer(false)
            .gzip(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_keepalive(Duration::from_secs(30))
            .build()
            .map_err(SettingsError::Http)?;
        Ok(Self { client, observer: Arc::new(|_, _| {}) })
    }

    /// Reports every request to an observer.
    pub(crate) fn observed_by(self, observer: impl Fn(Duration, bool) + Send + Sync + 'static) -> Self {
        Self { observer: Arc::new(observer), ..self }
    }

    /// Makes one request and passes headers and body of a response with status 200 to `read`. `what` names the content in
    /// errors and logs.
    pub(crate) async fn attempt<T>(
        &self,
        url: &Url,
        headers: HeaderMap,
        what: &'static str,
        limit: Duration,
        read: impl FnOnce(&HeaderMap, &[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let started = Instant::now();
        let response = timeout(limit, self.exchange(url, headers, what)).await.unwrap_or(Err(Error::TimedOut));
        let result = response.and_then(|(headers, body)| read(&headers, &body));
        let failed = result.as_ref().is_err_and(|error| !error.is_absent());
        (self.observer)(started.elapsed(), failed);
        if let Err(error) = &result {
            debug!(request = what, ms = millis(started), %error, "request to the membership source failed");
        }
        result
    }

    async fn exchange(&self, url: &Url, headers: HeaderMap, what: &'static str) -> Result<(HeaderMap, Vec<u8>), Error> {
        let started = Instant::now();
        let response = self.send(url, headers).await?;
        debug!(
            request = what,
            status = response.status().as_u16(),
            ms = millis(started),
            "the membership source responded"
        );
        require_ok(&response)?;
        let headers = response.headers().clone();
        Ok((headers, read_body(response).await?))
    }

    /// Sends a request and returns the response with any status.
    pub(crate) async fn send(&self, url: &Url, headers: HeaderMap) -> Result<Response, Error> {
        let request = self.client.get(url.clone()).headers(headers).header(ACCEPT, "application/json");
        request.send().await.map_err(|error| classify(&error, Error::Unreachable))
    }
}

/// Fails unless the status is 200.
fn require_ok(response: &Response) -> Result<(), Error> {
    let status = response.status();
    let headers = response.headers();
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
    Err(Error::Status { code: status.as_u16(), oops: oops(headers) })
}

/// Launchpad's id of the failure, if it is fit for a message.
fn oops(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-lazr-oopsid")?.to_str().ok()?;
    let fits = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    fits.then(|| id.to_owned())
}

/// Reads the body up to [`BODY_LIMIT`]. The chunks are already decompressed, so a compression bomb hits the limit.
pub(crate) async fn read_body(mut response: Response) -> Result<Vec<u8>, Error> {
    if response.content_length().is_some_and(|length| length > BODY_LIMIT as u64) {
        return Err(Error::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error, Error::CutShort))? {
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(Error::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Parses JSON. The message of serde is dropped because it quotes the response.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8], what: &'static str) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|_| Error::Malformed { what })
}

/// A URL of a path below the root.
pub(crate) fn under(root: &Url, path: &str) -> Url {
    let mut url = root.clone();
    url.set_path(&format!("{}/{path}", root.path().trim_end_matches('/')));
    url
}

/// Whether a URL has a user name or a password.
pub(crate) fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn classify(error: &reqwest::Error, otherwise: Error) -> Error {
    if error.is_timeout() { Error::TimedOut } else { otherwise }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
