//! The sign-in providers of the community.

use jiff::Timestamp;
use membermail_core::community::{ClientAuthentication, Community, OpenIdConnect, SignIn};
use membermail_identity::openid_connect::{
    self, Code, Credential, CredentialError, RedeemError, SignedIn, Transaction,
};
use membermail_identity::openid2;
use membermail_runtime::rotating_secret::{RotatingSecret, Versions};
use membermail_runtime::secret::SecretError;
use url::Url;

/// The sign-in providers of the community. Only those that it uses are initialized.
pub struct Providers {
    /// Where members sign in.
    pub current: Provider,
    /// Where members find the identity that they had before, to add it.
    pub former: Option<Provider>,
}

/// A sign-in provider.
pub struct Provider {
    /// The issuer of its identities.
    pub issuer: String,
    /// The path that it returns to.
    pub callback_path: String,
    /// Whether its word confirms an e-mail address.
    pub trusts_email: bool,
    /// Our client for its protocol.
    pub protocol: Protocol,
}

/// A protocol, with our client.
pub enum Protocol {
    /// OpenID Authentication 2.0.
    OpenId2(openid2::RelyingParty),
    /// OpenID Connect.
    OpenIdConnect(Box<Client>),
}

/// Our client of an OpenID Connect provider, with its credentials.
pub struct Client {
    /// Talks to the provider.
    pub relying_party: openid_connect::RelyingParty,
    secret: RotatingSecret,
    authentication: ClientAuthentication,
}

impl Providers {
    /// The providers of a community. `secret` makes the secret of the client at an OpenID Connect provider.
    ///
    /// # Errors
    /// If a provider needs a secret and there is none.
    pub fn new(
        community: &Community,
        http: &reqwest::Client,
        secret: &mut dyn FnMut() -> Option<RotatingSecret>,
    ) -> Result<Self, NoClientSecret> {
        let mut provider = |sign_in: &SignIn| {
            let protocol = match sign_in {
                SignIn::OpenId2(provider) => Protocol::OpenId2(openid2_client(provider, http.clone())),
                SignIn::OpenIdConnect(provider) => {
                    let secret = secret().ok_or(NoClientSecret)?;
                    Protocol::OpenIdConnect(Box::new(Client::new(provider, community, http.clone(), secret)))
                }
            };
            Ok(Provider {
                issuer: sign_in.issuer().to_owned(),
                callback_path: sign_in.callback_path(),
                trusts_email: sign_in.trusts_email(),
                protocol,
            })
        };
        Ok(Self {
            current: provider(&community.sign_in)?,
            former: community.former_sign_in.as_ref().map(provider).transpose()?,
        })
    }

    /// The provider that returns to this path, and whether it is the former one.
    pub(crate) fn at_callback(&self, path: &str) -> Option<(&Provider, bool)> {
        let former = self.former.as_ref().map(|provider| (provider, true));
        std::iter::once((&self.current, false)).chain(former).find(|(provider, _)| provider.callback_path == path)
    }

    /// The OpenID Connect client whose issuer has this slug.
    pub(crate) fn client_with_slug(&self, slug: &str) -> Option<(&Provider, &Client)> {
        let (provider, _) = self.at_callback(&format!("/callback/{slug}"))?;
        match &provider.protocol {
            Protocol::OpenIdConnect(client) => Some((provider, client)),
            Protocol::OpenId2(_) => None,
        }
    }
}

/// A community that signs in with OpenID Connect needs a secret; the operator who deploys it creates one.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("SIGN_IN_SECRET_ARN is missing: the community signs in with OpenID Connect")]
pub struct NoClientSecret;

fn openid2_client(provider: &membermail_core::community::OpenId2, http: reqwest::Client) -> openid2::RelyingParty {
    let endpoint = provider.endpoint.clone();
    openid2::RelyingParty::new(openid2::Provider { endpoint, identifier_root: provider.identifier_root.clone() }, http)
}

impl Client {
    fn new(provider: &OpenIdConnect, community: &Community, http: reqwest::Client, secret: RotatingSecret) -> Self {
        let provider = openid_connect::Provider::of(provider, former_root(community));
        let authentication = provider.authentication;
        Self { relying_party: openid_connect::RelyingParty::new(provider, http), secret, authentication }
    }

    /// Redeems a code. If the provider refuses all known versions of our credentials, newer ones are fetched once.
    pub(crate) async fn redeem(&self, code: &Redeemable<'_>) -> Result<SignedIn, CodeError> {
        let versions = self.secret.versions().await?;
        match self.redeem_with(&versions, code).await {
            Err(CodeError::Redeem(RedeemError::Client)) => match self.secret.newer_than(&versions).await? {
                Some(newer) => self.redeem_with(&newer, code).await,
                None => Err(RedeemError::Client.into()),
            },
            redeemed => redeemed,
        }
    }

    async fn redeem_with(&self, versions: &Versions, code: &Redeemable<'_>) -> Result<SignedIn, CodeError> {
        let credentials = self.credentials(versions)?;
        let Redeemable { code, redirect_uri, transaction, now } = code;
        Ok(self.relying_party.redeem(code, redirect_uri, transaction, &credentials, *now).await?)
    }

    /// The usable versions. A malformed current version does not stop sign-ins while the previous one works.
    fn credentials(&self, versions: &Versions) -> Result<Vec<Credential>, CodeError> {
        let parsed = versions.iter().map(|text| Credential::parse(self.authentication, text));
        let (credentials, errors): (Vec<_>, Vec<_>) = parsed.partition(Result::is_ok);
        match errors.into_iter().find_map(Result::err) {
            Some(error) if credentials.is_empty() => Err(error.into()),
            _ => Ok(credentials.into_iter().flatten().collect()),
        }
    }
}

/// A code, with the values of its authorization request.
pub(crate) struct Redeemable<'a> {
    pub(crate) code: &'a Code,
    pub(crate) redirect_uri: &'a Url,
    pub(crate) transaction: &'a Transaction,
    pub(crate) now: Timestamp,
}

/// Why a code was not redeemed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CodeError {
    #[error("reading the client secret failed")]
    Secret(#[from] SecretError),
    #[error("the secret in Secrets Manager is no credential")]
    Credential(#[from] CredentialError),
    #[error("the provider's response is refused")]
    Redeem(#[from] RedeemError),
}

/// The root of the identifiers that an ID token may name as `openid2_id`.
fn former_root(community: &Community) -> Option<Url> {
    match community.former_sign_in.as_ref()? {
        SignIn::OpenId2(former) => Some(former.identifier_root.clone()),
        SignIn::OpenIdConnect(_) => None,
    }
}
