//! The registered client.

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use url::{Host, Url};

use crate::gitlab::{CLIENT_ID, CLIENT_SECRET};

/// The application that an admin of the server registered.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Application {
    /// The client id.
    pub client_id: String,
    /// The client secrets that are accepted.
    pub secrets: Vec<String>,
    /// The redirect URIs, each compared exactly. Not GitLab's: if there are none, every loopback URI whose path starts with
    /// `/callback/` counts as registered, since the port of a local site is not known in advance.
    pub redirect_uris: Vec<String>,
}

impl Default for Application {
    fn default() -> Self {
        Self { client_id: CLIENT_ID.to_owned(), secrets: vec![CLIENT_SECRET.to_owned()], redirect_uris: Vec::new() }
    }
}

impl Application {
    /// The redirect URI as a URL, if it is registered.
    pub(super) fn redirect_uri(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let is_loopback = match url.host()? {
            Host::Domain(domain) => domain == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let is_registered = match &*self.redirect_uris {
            [] => is_loopback && url.path().starts_with("/callback/"),
            uris => uris.iter().any(|uri| uri == text),
        };
        is_registered.then_some(url)
    }

    /// Whether these credentials are those of the client.
    pub(super) fn is(&self, credentials: &(String, String)) -> bool {
        self.client_id == credentials.0 && self.secrets.contains(&credentials.1)
    }
}

/// The credentials of a token request: HTTP Basic, or else the form (`config/initializers/doorkeeper.rb`,
/// `client_credentials`). `doorkeeper`, `lib/doorkeeper/oauth/client/credentials.rb`: the header is not form-decoded.
pub(super) fn credentials(headers: &HeaderMap, form: &[(String, String)]) -> Option<(String, String)> {
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok());
    if let Some(encoded) = authorization.and_then(|value| value.strip_prefix("Basic ")) {
        let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (id, secret) = decoded.split_once(':')?;
        return Some((id.to_owned(), secret.to_owned()));
    }
    Some((parameter(form, "client_id")?.to_owned(), parameter(form, "client_secret")?.to_owned()))
}

/// A parameter that is not empty.
pub(super) fn parameter<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| &**value)
}

/// The parameters of a query or form.
pub(super) fn parameters(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}
