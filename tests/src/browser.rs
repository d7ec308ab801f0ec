//! An HTTP client with the cookie jar of a browser, which follows redirects on request.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use membermail_toolbox::net;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, StatusCode};
use scraper::{Html, Selector};
use url::Url;

/// Cookies of one visitor, by origin and name.
#[derive(Clone, Debug)]
pub struct Browser {
    client: Client,
    cookies: BTreeMap<(String, String), String>,
}

/// An HTTP response with its text.
#[derive(Clone, Debug)]
pub struct Page {
    /// The URL of the request.
    pub url: Url,
    /// The status.
    pub status: StatusCode,
    /// All headers.
    pub headers: reqwest::header::HeaderMap,
    /// The text.
    pub text: String,
}

impl Browser {
    /// A new visitor without cookies.
    pub fn new() -> Result<Self> {
        Ok(Self { client: net::http_client()?, cookies: BTreeMap::new() })
    }

    /// One GET, no redirect followed.
    pub async fn get(&mut self, url: Url) -> Result<Page> {
        self.send(Method::GET, url, None).await
    }

    /// One POST of a form, no redirect followed.
    pub async fn post(&mut self, url: Url, form: &[(&str, &str)]) -> Result<Page> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(Method::POST, url, Some(body)).await
    }

    /// One GET, following redirects.
    pub async fn open(&mut self, url: Url) -> Result<Page> {
        let mut page = self.get(url).await?;
        for _ in 0..10 {
            let Some(next) = page.redirect()? else { return Ok(page) };
            page = self.get(next).await?;
        }
        bail!("more than 10 redirects, the last to {}", page.url)
    }

    /// The value of a cookie that a site set.
    pub fn cookie(&self, site: &Url, name: &str) -> Option<&str> {
        self.cookies.get(&(origin(site), name.to_owned())).map(String::as_str)
    }

    /// Sets a cookie by hand.
    pub fn set_cookie(&mut self, site: &Url, name: &str, value: &str) {
        self.cookies.insert((origin(site), name.to_owned()), value.to_owned());
    }

    /// One request with this method, no redirect followed.
    pub async fn request(&mut self, method: &str, url: Url) -> Result<Page> {
        self.send(method.parse()?, url, None).await
    }

    async fn send(&mut self, method: Method, url: Url, form: Option<String>) -> Result<Page> {
        let origin = origin(&url);
        let of_site = self.cookies.iter().filter(|((site, _), _)| *site == origin);
        let cookies: Vec<_> = of_site.map(|((_, name), value)| format!("{name}={value}")).collect();
        let mut request = self.client.request(method, url.clone());
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        if let Some(form) = form {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        }
        let response = request.send().await.with_context(|| format!("asking {url}"))?;
        for value in response.headers().get_all(SET_COOKIE) {
            let value = value.to_str()?;
            let (pair, attributes) = value.split_once(';').unwrap_or((value, ""));
            let (name, value) = pair.split_once('=').context("a cookie without a name")?;
            let key = (origin.clone(), name.trim().to_owned());
            if attributes.to_ascii_lowercase().contains("max-age=0") {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.to_owned());
            }
        }
        let status = response.status();
        let headers = response.headers().clone();
        Ok(Page { url, status, headers, text: response.text().await? })
    }
}

impl Page {
    /// The target of a redirect.
    pub fn redirect(&self) -> Result<Option<Url>> {
        if !self.status.is_redirection() {
            return Ok(None);
        }
        let location = self.headers.get(LOCATION).context("a redirect without a place")?;
        Ok(Some(self.url.join(location.to_str()?)?))
    }

    /// The target of the redirect that this page has to be.
    pub fn location(&self) -> Result<Url> {
        self.redirect()?.with_context(|| format!("{} leads nowhere: {} {}", self.url, self.status, self.text))
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The main heading.
    pub fn heading(&self) -> String {
        self.texts("h1").concat()
    }

    /// The text of every element that a selector finds, white space folded.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let Ok(selector) = Selector::parse(selector) else { return Vec::new() };
        let document = Html::parse_document(&self.text);
        let texts = document.select(&selector).map(|element| element.text().collect::<String>());
        texts.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    /// An attribute of the first element that a selector finds.
    pub fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        self.attributes(selector, name).into_iter().next()
    }

    /// An attribute of every element that a selector finds and that has it.
    pub fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let Ok(selector) = Selector::parse(selector) else { return Vec::new() };
        let document = Html::parse_document(&self.text);
        document.select(&selector).filter_map(|element| element.value().attr(name).map(str::to_owned)).collect()
    }
}

/// A parameter in the query of a URL.
pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
