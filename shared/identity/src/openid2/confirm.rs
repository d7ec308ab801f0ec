//! Direct verification (11.4.2): the provider itself is asked whether it made the assertion.

use std::collections::BTreeMap;
use std::fmt;

use membermail_core::email::EmailAddress;
use membermail_core::member::Identity;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode};

use super::registration::Registration;
use super::{Answer, Checked, NS, RelyingParty};

/// Bytes of the provider's answer at most.
const BODY_LIMIT: usize = 8 * 1024;

/// Who signed in: checked and confirmed.
pub struct SignedIn {
    /// Whom the provider vouches for.
    pub identity: Identity,
    /// The address that the provider knows.
    pub email: EmailAddress,
    /// The language that the person likes best, as the provider has it (ISO 639).
    pub language: Option<String>,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl RelyingParty {
    /// Asks the configured endpoint, and no other, whether it made this assertion.
    ///
    /// The provider confirms an assertion once, so this asks once: no failure is retried. The caller uses up the nonce
    /// before, so that no second request can ask either.
    pub async fn confirm(&self, checked: Checked) -> Result<SignedIn, ConfirmError> {
        let request = self.http.post(self.provider.endpoint.clone()).body(verification(&checked.answer));
        let response = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").send().await?;
        // A client that follows redirects would believe any server that it is sent to.
        if *response.url() != self.provider.endpoint {
            return Err(ConfirmError::Malformed("from another place".into()));
        }
        match response.status() {
            StatusCode::OK => {}
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Err(ConfirmError::Unavailable(status.to_string()));
            }
            StatusCode::BAD_REQUEST => return Err(ConfirmError::Rejected),
            status => return Err(ConfirmError::Malformed(format!("status {status}"))),
        }
        let text = bounded(response).await?;
        let fields = key_values(&text).ok_or_else(|| ConfirmError::Malformed("no key-value form".into()))?;
        if fields.get("ns") != Some(&NS) {
            return Err(ConfirmError::Malformed("another namespace".into()));
        }
        match fields.get("is_valid") {
            Some(&"true") => {}
            Some(&"false") => return Err(ConfirmError::Forged),
            _ => return Err(ConfirmError::Malformed("no is_valid".into())),
        }
        let Checked { identity, registration: Registration { email, language }, .. } = checked;
        Ok(SignedIn { identity, email, language })
    }
}

/// All fields back as they came, but for the mode (11.4.2.1).
fn verification(answer: &Answer) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in answer.fields() {
        let value = if name == "mode" { "check_authentication" } else { value };
        form.append_pair(&format!("openid.{name}"), value);
    }
    form.finish()
}

async fn bounded(mut response: Response) -> Result<String, ConfirmError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > BODY_LIMIT {
            return Err(ConfirmError::Malformed("oversized".into()));
        }
    }
    String::from_utf8(bytes).map_err(|_| ConfirmError::Malformed("no text".into()))
}

/// Key-value form (4.1.1): a line each, ended by a line feed alone, no key twice. Without the last line feed it is
/// perhaps not the whole answer.
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

/// Why an assertion is not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// The provider did not make it, or confirmed it before.
    #[error("the provider denies the assertion")]
    Forged,
    /// It rejects the request as broken (HTTP 400), as Ubuntu One does with an assertion that was changed on its way.
    #[error("the provider rejects the assertion as malformed")]
    Rejected,
    /// No answer in time. The provider may have confirmed the assertion, so it cannot be asked again.
    #[error("the provider did not answer in time")]
    TimedOut,
    /// Out of reach: the member tries again later.
    #[error("the provider cannot be reached: {0}")]
    Unavailable(String),
    /// Not an answer that a provider gives: an operator looks at the configuration.
    #[error("the provider's answer is malformed: {0}")]
    Malformed(String),
}

impl From<reqwest::Error> for ConfirmError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() { Self::TimedOut } else { Self::Unavailable(error.without_url().to_string()) }
    }
}
