//! The token request (Core 1.0, 3.1.3.1), with each of our credentials in turn.

use std::pin::Pin;

use jiff::Timestamp;
use membermail_core::community::ClientAuthentication;
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    AuthType, AuthorizationCode, Client, ClientId, ClientSecret, ExtraTokenFields, RedirectUrl, RequestTokenError,
    StandardRevocableToken, StandardTokenResponse,
};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use url::Url;

use super::http::Http;
use super::metadata::Metadata;
use super::{Code, Credential, ProviderError, RedeemError, RelyingParty, Transaction};

/// The type of client assertions (RFC 7523, 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The member of a token response that OAuth does not know. It stays text: the crate's type checks claims that we check
/// ourselves, and refuses tokens for claims that we do not need.
#[derive(Serialize, Deserialize)]
pub(super) struct IdToken {
    pub(super) id_token: Option<String>,
}

impl std::fmt::Debug for IdToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdToken([redacted])")
    }
}

impl ExtraTokenFields for IdToken {}

pub(super) type Tokens = StandardTokenResponse<IdToken, BasicTokenType>;

type OAuthClient = Client<
    BasicErrorResponse,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
>;

/// Why there is no response for the crate to read.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("the provider refused our client credentials")]
    Unauthorized,
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

/// The client for the token endpoint. A type, because the future of a closure is not known to be `Send`.
struct TokenEndpoint<'a>(&'a Http);

impl<'c> AsyncHttpClient<'c> for TokenEndpoint<'_> {
    type Error = SendError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, SendError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async {
            let response = self.0.call(request).await?;
            // Only a failed authentication of the client has this status (RFC 6749, 5.2), whatever the body calls it.
            if response.status() == StatusCode::UNAUTHORIZED { Err(SendError::Unauthorized) } else { Ok(response) }
        })
    }
}

impl RelyingParty {
    /// Exchanges a code. After `invalid_client`, the next credential is tried: a provider checks the client before the code
    /// (RFC 6749, 4.1.3), so the code is not used up. After any other error it may be, and another request would look like a
    /// stolen code.
    pub(super) async fn exchange(
        &self,
        metadata: &Metadata,
        code: &Code,
        redirect_uri: &Url,
        transaction: &Transaction,
        credentials: &[Credential],
        now: Timestamp,
    ) -> Result<Tokens, RedeemError> {
        for credential in credentials {
            match self.request(metadata, code, redirect_uri, transaction, credential, now).await {
                Err(RedeemError::Client) => {}
                result => return result,
            }
        }
        Err(RedeemError::Client)
    }

    async fn request(
        &self,
        metadata: &Metadata,
        code: &Code,
        redirect_uri: &Url,
        transaction: &Transaction,
        credential: &Credential,
        now: Timestamp,
    ) -> Result<Tokens, RedeemError> {
        let endpoint = metadata.token_endpoint().ok_or(ProviderError::Missing("token_endpoint"))?;
        let client_id = &self.provider.client_id;
        let mut client = OAuthClient::new(ClientId::new(client_id.clone()))
            .set_token_uri(endpoint.clone())
            .set_redirect_uri(RedirectUrl::from_url(redirect_uri.clone()))
            .set_auth_type(AuthType::RequestBody);
        let mut assertion = None;
        match (credential, self.provider.authentication) {
            (Credential::Secret(secret), ClientAuthentication::ClientSecretBasic) => {
                client = client.set_auth_type(AuthType::BasicAuth);
                client = client.set_client_secret(ClientSecret::new(secret.expose().to_owned()));
            }
            (Credential::Secret(secret), ClientAuthentication::ClientSecretPost) => {
                client = client.set_client_secret(ClientSecret::new(secret.expose().to_owned()));
            }
            (Credential::Key(key), ClientAuthentication::PrivateKeyJwt) => {
                assertion = Some(key.assertion(client_id, endpoint.as_str(), &code.0, now).ok_or(RedeemError::Client)?);
            }
            // A credential of another method is none.
            (Credential::Secret(_) | Credential::Key(_), _) => return Err(RedeemError::Client),
        }
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.0.to_string()))
            .set_pkce_verifier(transaction.code_verifier()?);
        if let Some(assertion) = assertion {
            request = request.add_extra_param("client_assertion_type", ASSERTION_TYPE);
            request = request.add_extra_param("client_assertion", assertion);
        }
        request.request_async(&TokenEndpoint(&self.http)).await.map_err(|error| match error {
            RequestTokenError::Request(SendError::Unauthorized) => RedeemError::Client,
            RequestTokenError::Request(SendError::Provider(error)) => RedeemError::Provider(error),
            RequestTokenError::ServerResponse(response) => match response.error() {
                BasicErrorResponseType::InvalidClient => RedeemError::Client,
                BasicErrorResponseType::InvalidGrant => RedeemError::Code,
                _ => RedeemError::Request,
            },
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                RedeemError::Provider(ProviderError::Malformed("token response"))
            }
        })
    }
}
