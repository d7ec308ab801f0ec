//! A relying party of OpenID Connect Core 1.0 for one configured provider: code flow with PKCE, and logout.
//!
//! The crates `oauth2` and `openidconnect` make the requests and read metadata and keys; AWS-LC verifies signatures, and the
//! claims of tokens are checked by code of our own (`docs/decisions/0014-openid-connect.md`). What the provider's metadata lists never widens what
//! the community file allows.

mod authorization_request;
mod authorization_response;
mod cache;
mod claims;
mod credential;
pub mod doctor;
mod error;
mod http;
mod jwt;
mod keys;
mod logout;
mod members;
mod metadata;
mod redeem;
mod refusal;
mod signature;
mod token_request;
mod user_info;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use membermail_core::community::{Algorithm, ClientAuthentication, Issuer, OpenIdConnect};
use openidconnect::core::CoreJsonWebKeySet;
use reqwest::Client;
use url::Url;

use cache::Cache;
use http::{Http, Transport};
use metadata::Metadata;

pub use authorization_request::Transaction;
pub use authorization_response::{AuthorizationResponse, Code};
pub use credential::{Credential, CredentialError, Secret, SigningKey};
pub use error::{CheckError, ProviderError, RedeemError};
pub use logout::LogoutToken;
pub use redeem::{ClaimedEmail, SignedIn};
pub use refusal::Refusal;

pub use crate::http_client::http_client;

/// The trusted provider, and our registration there.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The issuer, compared as a string.
    pub issuer: Issuer,
    /// Our client id.
    pub client_id: String,
    /// The requested scopes, with `openid`.
    pub scopes: Vec<String>,
    /// The accepted algorithms of signatures.
    pub algorithms: Vec<Algorithm>,
    /// How we authenticate at the token endpoint.
    pub authentication: ClientAuthentication,
    /// The root of the OpenID 2.0 identifiers that the provider may assert in `openid2_id` (OpenID 2.0 to OpenID Connect
    /// Migration 1.0). Without it, the claim is ignored.
    pub openid2_root: Option<Url>,
}

impl Provider {
    /// The provider of a community file.
    pub fn of(file: &OpenIdConnect, openid2_root: Option<Url>) -> Self {
        Self {
            issuer: file.issuer.clone(),
            client_id: file.client_id.clone(),
            scopes: file.scopes.clone(),
            algorithms: file.algorithms.clone(),
            authentication: file.client_authentication,
            openid2_root,
        }
    }
}

/// Sends browsers to the provider, and verifies its tokens. Clones share the cached metadata and keys.
#[derive(Clone)]
pub struct RelyingParty {
    provider: Arc<Provider>,
    http: Http,
    metadata: Arc<Cache<Metadata>>,
    keys: Arc<Cache<CoreJsonWebKeySet>>,
}

impl RelyingParty {
    /// A relying party of this provider; `http` is usually [`http_client`], and follows no redirects.
    pub fn new(provider: Provider, http: Client) -> Self {
        let http = Http::new(http, Transport::of(&provider.issuer));
        Self { provider: Arc::new(provider), http, metadata: Arc::default(), keys: Arc::default() }
    }

    async fn metadata(&self, now: Timestamp) -> Result<Arc<Metadata>, ProviderError> {
        self.metadata.get(now, metadata::fetch(&self.provider, &self.http)).await
    }
}

impl fmt::Debug for RelyingParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelyingParty").field("issuer", &self.provider.issuer).finish_non_exhaustive()
    }
}
