//! The UserInfo endpoint (Core 1.0, 5.3).

use membermail_core::member::Subject;
use oauth2::AccessToken;
use openidconnect::{AsyncHttpClient, HttpRequest};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use url::Url;

use super::http::is_json;
use super::members::Members;
use super::{ProviderError, RedeemError, Refusal, RelyingParty};

/// The claims that we read.
const CLAIMS: &[&str] = &["email", "email_verified", "locale", "sub"];

impl RelyingParty {
    /// The claims about this person. The crate's own request panics for an access token that is no header value, and its type
    /// refuses responses for claims that we do not need.
    pub(super) async fn user_info(
        &self,
        endpoint: &Url,
        access_token: &AccessToken,
        subject: &Subject,
    ) -> Result<Members, RedeemError> {
        let mut request = HttpRequest::new(Vec::new());
        *request.uri_mut() = endpoint.as_str().parse().map_err(|_| ProviderError::Malformed("endpoint"))?;
        let bearer = HeaderValue::from_str(&format!("Bearer {}", access_token.secret()));
        let mut bearer = bearer.map_err(|_| ProviderError::Malformed("token response"))?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, bearer);
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        let response = self.http.call(request).await?;
        if response.status() != StatusCode::OK || !is_json(&response) {
            return Err(ProviderError::Malformed("user info").into());
        }
        let claims = Members::read_claims(response.body(), CLAIMS)?;
        if claims.required_text("sub")? != subject.as_str() {
            return Err(Refusal::ForeignUserInfo.into());
        }
        Ok(claims)
    }
}
