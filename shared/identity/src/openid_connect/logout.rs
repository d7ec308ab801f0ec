//! Logout: at the provider (RP-Initiated Logout 1.0), and by the provider (Back-Channel Logout 1.0).

use jiff::Timestamp;
use membermail_core::member::Subject;
use openidconnect::{ClientId, LogoutRequest, PostLogoutRedirectUrl};
use url::Url;

use super::jwt::{Jwt, Kind};
use super::members::Members;
use super::{CheckError, RelyingParty, claims};

/// A verified logout token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutToken {
    /// The person whose sessions end.
    pub subject: Subject,
    /// The id of the token, unique at the issuer.
    pub jti: String,
    /// When it was issued: sessions that began later do not end.
    pub issued_at: Timestamp,
}

impl RelyingParty {
    /// The URL that ends the person's session at the provider, and then leads to `back`. `None` if the provider has none, or
    /// its metadata cannot be read: our own session has ended all the same.
    pub async fn end_session_url(&self, back: &Url, now: Timestamp) -> Option<Url> {
        let metadata = self.metadata(now).await.ok()?;
        let endpoint = metadata.additional_metadata().end_session_endpoint.clone()?;
        let request = LogoutRequest::from(endpoint)
            .set_client_id(ClientId::new(self.provider.client_id.clone()))
            .set_post_logout_redirect_uri(PostLogoutRedirectUrl::from_url(back.clone()));
        Some(request.http_get_url())
    }

    /// Checks a logout token, which anyone can send. The caller makes sure that ending sessions twice does no harm.
    ///
    /// # Errors
    /// If it is refused, or cannot be checked because the provider's keys cannot be read.
    pub async fn check_logout_token(&self, token: &str, now: Timestamp) -> Result<LogoutToken, CheckError> {
        let jwt = Jwt::parse(token, Kind::Logout, &self.provider.algorithms)?;
        let key = self.key_of(&jwt, now).await?;
        let claims = Members::read_claims(jwt.verify(&key)?, claims::LOGOUT_TOKEN)?;
        Ok(claims::check_logout_token(&claims, &self.provider, now)?)
    }
}
