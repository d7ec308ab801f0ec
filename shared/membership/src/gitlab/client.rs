//! The client and its requests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use membermail_core::clock::Clock;
use membermail_core::eligibility::Group;
use membermail_core::member::TeamName;
use reqwest::header::{HeaderMap, HeaderName};
use tokio::time::Instant;
use url::Url;

use super::settings::Settings;
use super::token::{Token, Tokens};
use crate::error::{Error, SettingsError};
use crate::http::{Http, under};
use crate::retry::Budget;

/// Cache lifetime of the ids of groups. A stale id grants nothing: the pin of the domain is compared with it.
const GROUP_TTL: Duration = Duration::from_mins(1);
const PRIVATE_TOKEN: HeaderName = HeaderName::from_static("private-token");

/// A client of the REST API. Clones share connections and caches.
#[derive(Clone)]
pub struct Client {
    http: Http,
    settings: Arc<Settings>,
    tokens: Arc<dyn Tokens>,
    clock: Arc<dyn Clock>,
    groups: Arc<Mutex<BTreeMap<TeamName, (Instant, Group)>>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("url", &self.settings.url.as_str()).finish_non_exhaustive()
    }
}

impl Client {
    /// Validates the settings; makes no connection and reads no token yet. The clock tells whether a membership expired.
    pub fn new(settings: Settings, tokens: Arc<dyn Tokens>, clock: Arc<dyn Clock>) -> Result<Self, SettingsError> {
        let http = Http::new(&settings.url, &settings.user_agent)?;
        Ok(Self { http, settings: Arc::new(settings), tokens, clock, groups: Arc::default() })
    }

    /// Reports every request to an observer.
    #[must_use]
    pub fn observed_by(self, observer: impl Fn(Duration, bool) + Send + Sync + 'static) -> Self {
        Self { http: self.http.observed_by(observer), ..self }
    }

    /// The settings.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The current time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Starts the time budget of a lookup.
    pub(crate) fn start_lookup(&self) -> Budget {
        Budget::for_lookup(self.settings.lookup_timeout)
    }

    /// The time budget of one page.
    pub(crate) fn start_page(&self) -> Budget {
        Budget::for_requests(self.settings.page_timeout)
    }

    /// The URL of a path below the root of the API.
    pub(crate) fn url(&self, path: &str) -> Url {
        under(&self.settings.url, &format!("api/v4/{path}"))
    }

    /// Makes a request with retries within the budget, and passes headers and body to `read`. `what` names the content in
    /// errors and logs.
    pub(crate) async fn get<T>(
        &self,
        url: &Url,
        what: &'static str,
        budget: &Budget,
        read: impl Fn(&HeaderMap, &[u8]) -> Result<T, Error> + Copy,
    ) -> Result<T, Error> {
        budget.retry(&self.settings.pauses, || self.attempt(url, what, budget.next_timeout(), read)).await
    }

    /// Makes one request. If the server refuses the token, tries once more with a newer one, so that a rotated token needs no
    /// restart.
    async fn attempt<T>(
        &self,
        url: &Url,
        what: &'static str,
        limit: Duration,
        read: impl Fn(&HeaderMap, &[u8]) -> Result<T, Error> + Copy,
    ) -> Result<T, Error> {
        let token = self.tokens.token().await?;
        let result = self.attempt_with(&token, url, what, limit, read).await;
        let result = match result {
            Err(Error::Status { code: 401, .. }) => match self.tokens.token_after(&token).await? {
                Some(newer) => self.attempt_with(&newer, url, what, limit, read).await,
                None => result,
            },
            result => result,
        };
        result.map_err(|error| match error {
            Error::Status { code: code @ (401 | 403), .. } => Error::TokenRefused { code },
            error => error,
        })
    }

    async fn attempt_with<T>(
        &self,
        token: &Token,
        url: &Url,
        what: &'static str,
        limit: Duration,
        read: impl Fn(&HeaderMap, &[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let headers = HeaderMap::from_iter([(PRIVATE_TOKEN, token.header()?)]);
        self.http.attempt(url, headers, what, limit, read).await
    }

    /// A group that was fetched within the last minute.
    pub(crate) fn cached_group(&self, path: &TeamName) -> Option<Group> {
        let cache = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        cache.get(path).filter(|(at, _)| at.elapsed() < GROUP_TTL).map(|(_, group)| group.clone())
    }

    /// Caches a group; none removes it.
    pub(crate) fn cache_group(&self, path: &TeamName, group: Option<&Group>) {
        let mut cache = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        match group {
            Some(group) => drop(cache.insert(path.clone(), (Instant::now(), group.clone()))),
            None => drop(cache.remove(path)),
        }
    }
}
