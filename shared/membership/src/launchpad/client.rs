//! One request after another: the connection, the limits of an answer, and which links are followed.

use std::sync::Arc;
use std::time::Duration;

use membermail_core::community::Community;
use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::{Response, StatusCode, redirect};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};
use tracing::debug;
use url::Url;

use crate::error::{Error, SettingsError};
use crate::retry::{self, Patience};

/// The longest body: a page of 300 people is about 1 MB.
const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// The longest wait for a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// The longest wait for one answer; Launchpad gives itself less before it answers 503.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// Where Launchpad is, and how to behave there.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The root of the web service, without a version: `https://api.launchpad.net/`.
    pub api: Url,
    /// Names the program and a contact.
    pub user_agent: String,
    /// The time that one look-up may take, with all its requests and repetitions. One request gets at most half.
    pub patience: Duration,
}

impl Settings {
    /// The Launchpad of a community, or another one `instead`, asked by a program that says whom to turn to about it.
    pub fn of(community: &Community, instead: Option<Url>, patience: Duration) -> Self {
        let api = instead.unwrap_or_else(|| community.launchpad.api.clone());
        Self { api, user_agent: format!("membermail/{} (+{})", env!("CARGO_PKG_VERSION"), community.help), patience }
    }
}

/// Is told of every request to Launchpad: how long it took until its answer was read or given up, and whether there was
/// none that can be used. That somebody or something is not there, or gone, is an answer.
pub type Observer = dyn Fn(Duration, bool) + Send + Sync;

/// A client of the web service. Make it once and clone it: the clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    api: Url,
    patience: Duration,
    observer: Arc<Observer>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("api", &self.api.as_str()).finish_non_exhaustive()
    }
}

impl Client {
    /// Checks the settings; connects to nothing yet.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let Settings { api, user_agent, patience } = settings;
        let plain = matches!(api.scheme(), "http" | "https")
            && !has_credentials(&api)
            && api.query().is_none()
            && api.fragment().is_none();
        if !plain {
            return Err(SettingsError::Api);
        }
        if user_agent.trim().is_empty() || HeaderValue::from_str(&user_agent).is_err() {
            return Err(SettingsError::UserAgent);
        }
        let http = reqwest::Client::builder()
            .user_agent(user_agent)
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_LIMIT)
            .tcp_keepalive(Duration::from_secs(30))
            .build()
            .map_err(SettingsError::Http)?;
        Ok(Self { http, api, patience, observer: Arc::new(|_, _| {}) })
    }

    /// Has an observer told of every request.
    #[must_use]
    pub fn observed_by(self, observer: impl Fn(Duration, bool) + Send + Sync + 'static) -> Self {
        Self { observer: Arc::new(observer), ..self }
    }

    /// Begins a look-up.
    pub(crate) fn start(&self) -> Patience {
        Patience::start(self.patience)
    }

    /// Begins a look-up that is not worth the whole patience.
    pub(crate) fn start_at_most(&self, most: Duration) -> Patience {
        Patience::start(self.patience.min(most))
    }

    /// The URL of a path below the root.
    pub(crate) fn url(&self, path: &str) -> Url {
        let mut url = self.api.clone();
        url.set_path(&format!("{}/{path}", self.api.path().trim_end_matches('/')));
        url
    }

    /// A link out of an answer, if it leads to where the answer came from.
    pub(crate) fn link(&self, text: &str) -> Result<Url, Error> {
        let mut link = Url::parse(text).map_err(|_| Error::Malformed { what: "a link" })?;
        if link.origin() != self.api.origin() || has_credentials(&link) {
            return Err(Error::ForeignLink);
        }
        link.set_fragment(None);
        Ok(link)
    }

    /// Gets and reads the JSON of `url`, and tries again for as long as the patience lasts. `what` is for messages.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        url: &Url,
        what: &'static str,
        patience: &Patience,
    ) -> Result<T, Error> {
        patience.retry(|| self.attempt(url, what, patience)).await
    }

    /// Gets and reads it once.
    pub(crate) async fn attempt<T: DeserializeOwned>(
        &self,
        url: &Url,
        what: &'static str,
        patience: &Patience,
    ) -> Result<T, Error> {
        let limit = patience.left().min(self.patience / 2).min(REQUEST_LIMIT);
        let started = Instant::now();
        let answer = timeout(limit, self.exchange(url, what)).await.unwrap_or(Err(Error::TimedOut));
        let result = answer.and_then(|body| decode(&body, what));
        let failed = !matches!(result, Ok(_) | Err(Error::Status { code: 404 | 410, .. }));
        (self.observer)(started.elapsed(), failed);
        if let Err(error) = &result {
            debug!(request = what, ms = millis(started), %error, "Launchpad request failed");
        }
        result
    }

    async fn exchange(&self, url: &Url, what: &'static str) -> Result<Vec<u8>, Error> {
        let started = Instant::now();
        let request = self.http.get(url.clone()).header(ACCEPT, "application/json");
        let answer = request.send().await.map_err(|error| cause(&error, Error::Unreachable))?;
        debug!(request = what, status = answer.status().as_u16(), ms = millis(started), "Launchpad answered");
        refuse_failure(&answer)?;
        read_body(answer).await
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
    let oops = retry::oops(headers);
    if (status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error())
        && let Some(retry_after) = retry::retry_after(headers)
    {
        debug!(status = status.as_u16(), oops, seconds = retry_after.as_secs(), "Launchpad asks for a pause");
        return Err(Error::Busy { retry_after });
    }
    Err(Error::Status { code: status.as_u16(), oops })
}

/// Reads the body, and no more of it than the limit.
async fn read_body(mut answer: Response) -> Result<Vec<u8>, Error> {
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

/// Reads the JSON. What serde has to say is not passed on, as it quotes what it read.
fn decode<T: DeserializeOwned>(body: &[u8], what: &'static str) -> Result<T, Error> {
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
