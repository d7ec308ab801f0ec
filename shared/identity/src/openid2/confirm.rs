//! Direct verification (11.4.2): asks the provider whether it made the assertion.

use std::collections::BTreeMap;
use std::fmt;

use membermail_core::email::EmailAddress;
use membermail_core::member::Identity;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode};

use super::registration::Registration;
use super::{Checked, IndirectResponse, NS, RelyingParty};

/// Maximum bytes of the provider's response.
const BODY_LIMIT: usize = 8 * 1024;

/// A confirmed sign-in.
pub struct SignedIn {
    /// The verified identity.
    pub identity: Identity,
    /// The person's e-mail address at the provider.
    pub email: EmailAddress,
    /// The person's preferred language at the provider (ISO 639).
    pub language: Option<String>,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl RelyingParty {
    /// Asks the configured endpoint whether it made this assertion.
    ///
    /// The provider confirms an assertion only once, so failures are not retried. The caller consumes the nonce first, so
    /// that concurrent requests do not ask again.
    pub async fn confirm(&self, checked: Checked) -> Result<SignedIn, ConfirmError> {
        let request = self.http.post(self.provider.endpoint.clone()).body(verification_request(&checked.response));
        let response = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").send().await?;
        // With a client that follows redirects, the response could come from any server.
        if *response.url() != self.provider.endpoint {
            return Err(ConfirmError::Malformed("it comes from another URL".into()));
        }
        match response.status() {
            StatusCode::OK => {}
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Err(ConfirmError::Unavailable(status.to_string()));
            }
            StatusCode::BAD_REQUEST => return Err(ConfirmError::Rejected),
            status => return Err(ConfirmError::Malformed(format!("status {status}"))),
        }
        let text = read_body(response).await?;
        let fields = key_values(&text).ok_or_else(|| ConfirmError::Malformed("it is not in key-value form".into()))?;
        if fields.get("ns") != Some(&NS) {
            return Err(ConfirmError::Malformed("it has another namespace".into()));
        }
        match fields.get("is_valid") {
            Some(&"true") => {}
            Some(&"false") => return Err(ConfirmError::Forged),
            _ => return Err(ConfirmError::Malformed("is_valid is missing".into())),
        }
        let Checked { identity, registration: Registration { email, language }, .. } = checked;
        Ok(SignedIn { identity, email, language })
    }
}

/// All protocol fields unchanged, except for the mode (11.4.2.1).
fn verification_request(response: &IndirectResponse) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in response.fields() {
        let value = if name == "mode" { "check_authentication" } else { value };
        form.append_pair(&format!("openid.{name}"), value);
    }
    form.finish()
}

async fn read_body(mut response: Response) -> Result<String, ConfirmError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > BODY_LIMIT {
            return Err(ConfirmError::Malformed("it is oversized".into()));
        }
    }
    String::from_utf8(bytes).map_err(|_| ConfirmError::Malformed("it is not UTF-8".into()))
}

/// Parses key-value form (4.1.1): one pair per line, each ended by a line feed, with unique keys. A missing last line feed
/// means that the response may be truncated.
fn key_values(text: &str) -> Option<BTreeMap<&str, &str>> {
    let mut fields = BTreeMap::new();
    for line in text.strip_suffix('\n')?.split('\n') {
        let (key, value) = line.split_once(':')?;
        if line.contains('\r') || fields.insert(key, value).is_some() {
            return None;
        }
    }
    Some(fields)
}

/// Why the provider did not confirm an assertion.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// The provider did not make it, or has already confirmed it.
    #[error("the provider denied the assertion")]
    Forged,
    /// The provider rejected the request (HTTP 400). Ubuntu One does so for an altered assertion.
    #[error("the provider rejected the assertion as malformed")]
    Rejected,
    /// Timeout. The provider may have confirmed the assertion, so a retry is impossible.
    #[error("the request to the provider timed out")]
    TimedOut,
    /// The provider is unreachable or failing; the member can try again later.
    #[error("the provider is unavailable; retry later: {0}")]
    Unavailable(String),
    /// Not a response of an OpenID provider.
    #[error("the provider's response is invalid; check the configured endpoint: {0}")]
    Malformed(String),
}

impl From<reqwest::Error> for ConfirmError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() { Self::TimedOut } else { Self::Unavailable(error.without_url().to_string()) }
    }
}
