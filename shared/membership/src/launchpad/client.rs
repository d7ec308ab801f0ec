//! The client and its requests.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Response;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use url::Url;

use super::settings::Settings;
use crate::error::{Error, SettingsError};
use crate::http::{Http, decode, has_credentials, under};
use crate::retry::Budget;

/// A client of the web service. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: Http,
    settings: Arc<Settings>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("api", &self.settings.api.as_str()).finish_non_exhaustive()
    }
}

impl Client {
    /// Validates the settings; makes no connection yet.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        Ok(Self { http: Http::new(&settings.api, &settings.user_agent)?, settings: Arc::new(settings) })
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

    /// Starts the time budget of a lookup.
    pub(crate) fn start_lookup(&self) -> Budget {
        Budget::for_lookup(self.settings.lookup_timeout)
    }

    /// The URL of a path below the root.
    pub(crate) fn url(&self, path: &str) -> Url {
        under(&self.settings.api, path)
    }

    /// Parses a link in a response; it must have the origin of the web service.
    pub(crate) fn link(&self, text: &str) -> Result<Url, Error> {
        let link = Url::parse(text).map_err(|_| Error::Malformed { what: "a link" })?;
        if link.origin() != self.settings.api.origin() || has_credentials(&link) {
            return Err(Error::ForeignLink);
        }
        Ok(link)
    }

    /// Fetches the JSON at `url`, with retries within the budget. `what` names the content in errors and logs.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        url: &Url,
        what: &'static str,
        budget: &Budget,
    ) -> Result<T, Error> {
        budget
            .retry(&self.settings.pauses, || self.attempt(url, what, budget.next_timeout(), |body| decode(body, what)))
            .await
    }

    /// Makes one request and passes the body to `read`.
    pub(crate) async fn attempt<T>(
        &self,
        url: &Url,
        what: &'static str,
        limit: Duration,
        read: impl FnOnce(&[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.http.attempt(url, HeaderMap::new(), what, limit, |_, body| read(body)).await
    }

    /// Sends a request and returns the response with any status.
    pub(crate) async fn send(&self, url: &Url) -> Result<Response, Error> {
        self.http.send(url, HeaderMap::new()).await
    }
}
