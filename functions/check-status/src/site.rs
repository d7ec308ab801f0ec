//! The probe of sign-in: requests to our own public site, as a browser sends them, and to the sign-in provider.
//!
//! Only status and `Location` of a response are looked at. No redirect is followed, no body is read, and nothing of a response
//! is logged.

use std::time::Duration;

use membermail_core::status::probes::{Answer, SiteAnswers, Verdict, sign_in};
use reqwest::header::LOCATION;
use reqwest::{Client, Response, redirect};
use tracing::info;
use url::Url;

/// Timeout of a request. A cold start of the site takes a part of it.
const TIMEOUT: Duration = Duration::from_secs(8);
/// Pause before the second attempt. One lost packet is no outage.
const PAUSE: Duration = Duration::from_secs(2);

/// The site and its sign-in provider.
pub struct Site {
    client: Client,
    health: Url,
    sign_in: Url,
    provider: Option<Url>,
    timeout: Duration,
    pause: Duration,
}

impl Site {
    /// The site at this public URL, with a page of its provider.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(public_url: &Url, provider: Option<Url>) -> reqwest::Result<Self> {
        let client = Client::builder()
            .user_agent(concat!("membermail-status/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .build()?;
        let page = |path: &str| {
            let mut url = public_url.clone();
            url.set_path(&format!("{}{path}", public_url.path().trim_end_matches('/')));
            url
        };
        let [health, sign_in] = ["/health", "/sign-in"].map(page);
        Ok(Self { client, health, sign_in, provider, timeout: TIMEOUT, pause: PAUSE })
    }

    /// The same with other timeouts.
    #[cfg(test)]
    pub(crate) fn with_timeouts(self, timeout: Duration, pause: Duration) -> Self {
        Self { timeout, pause, ..self }
    }

    /// The responses. If they show a problem, they are fetched a second time.
    pub async fn answers(&self) -> SiteAnswers {
        let answers = self.fetch().await;
        if sign_in(&answers) == Verdict::Works {
            return answers;
        }
        info!("sign-in failed, trying again");
        tokio::time::sleep(self.pause).await;
        self.fetch().await
    }

    async fn fetch(&self) -> SiteAnswers {
        let provider = async {
            match &self.provider {
                Some(url) => self.get(url).await,
                None => None,
            }
        };
        let (health, sign_in, provider) = tokio::join!(self.get(&self.health), self.get(&self.sign_in), provider);
        SiteAnswers { health, sign_in, provider }
    }

    /// None without a response in time.
    async fn get(&self, url: &Url) -> Option<Answer> {
        let response = self.client.get(url.clone()).timeout(self.timeout).send().await.ok()?;
        Some(Answer { status: response.status().as_u16(), leads_away: leads_away(url, &response) })
    }
}

/// Whether the response redirects to another origin.
fn leads_away(url: &Url, response: &Response) -> bool {
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let target = location.and_then(|location| url.join(location).ok());
    target.is_some_and(|target| matches!(target.scheme(), "http" | "https") && target.origin() != url.origin())
}
