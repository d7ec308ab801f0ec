//! `GET /sign-in`: redirects to a provider, to sign in or to add another identity to the member of the session.

use std::borrow::Cow;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use membermail_core::destination::FRESH_SIGN_IN;
use membermail_identity::link_token::{self, LinkTo};
use membermail_identity::openid_connect::{ProviderError, Transaction};
use membermail_identity::state::{self, BrowserSecret, Issued, Purpose, StateKey};
use membermail_pages::public_url::PublicUrl;
use membermail_pages::response::{self, with_cookie};
use membermail_pages::signed_in::live_session;
use membermail_runtime::secret::SecretError;
use membermail_store::StoreError;
use tracing::warn;

use crate::browser::session_id;
use crate::context::Context;
use crate::pages;
use crate::providers::{Protocol, Provider};

/// Redirects the browser to a provider, with a state that is bound to this browser.
pub(crate) async fn sign_in(context: &Context, request: &Request, public_url: &PublicUrl) -> Response<Body> {
    let wish = match Wish::read(context, request, public_url) {
        Ok(wish) => wish,
        Err(Refused) => {
            warn!("refused a request to add an identity that comes from no page of the session");
            return pages::message(context, request, public_url, StatusCode::FORBIDDEN, "invalid-link");
        }
    };
    if wish.is_link {
        match is_fresh(context, request, public_url).await {
            Ok(true) => {}
            Ok(false) => return pages::message(context, request, public_url, StatusCode::FORBIDDEN, "sign-in-first"),
            Err(cause) => return pages::unavailable(context, request, public_url, &cause),
        }
    }
    match start(context, request, public_url, wish).await {
        Ok(response) => response,
        Err(StartError::Secret(cause)) => pages::unavailable(context, request, public_url, &cause),
        Err(StartError::Provider(cause)) => pages::provider_unavailable(context, request, public_url, &cause),
    }
}

struct Wish<'a> {
    provider: &'a Provider,
    is_link: bool,
}

struct Refused;

impl<'a> Wish<'a> {
    /// A link needs a token that only a page of the session contains. Otherwise another site could start one.
    fn read(context: &'a Context, request: &Request, public_url: &PublicUrl) -> Result<Self, Refused> {
        let query = request.uri().query().unwrap_or_default();
        let parameter = |name: &str| -> Option<Cow<'_, str>> {
            url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
        };
        let Some(token) = parameter("link") else {
            return Ok(Self { provider: &context.providers.current, is_link: false });
        };
        let (provider, at) = match parameter("provider").as_deref() {
            None => (Some(&context.providers.current), LinkTo::Current),
            Some("former") => (context.providers.former.as_ref(), LinkTo::Former),
            Some(_) => return Err(Refused),
        };
        let session = session_id(request, public_url).ok_or(Refused)?;
        if !link_token::is_token_of(&token, &session, at) {
            return Err(Refused);
        }
        Ok(Self { provider: provider.ok_or(Refused)?, is_link: true })
    }
}

/// Whether the member has signed in a short time ago: a stolen session must not be able to add an account.
async fn is_fresh(context: &Context, request: &Request, public_url: &PublicUrl) -> Result<bool, StoreError> {
    let now = context.clock.now();
    let Some(session) = session_id(request, public_url) else { return Ok(false) };
    let live = live_session(&context.store, &session.hash(), now).await?;
    Ok(live.is_some_and(|live| now.duration_since(live.created) < FRESH_SIGN_IN))
}

#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("reading the master secret failed")]
    Secret(#[from] SecretError),
    #[error("the provider's configuration is not available")]
    Provider(#[from] ProviderError),
}

async fn start(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    Wish { provider, is_link }: Wish<'_>,
) -> Result<Response<Body>, StartError> {
    let now = context.clock.now();
    let key = StateKey::derive(context.secret.keys().await?.current());
    // All tabs share one browser secret, which the callback keeps, so that they can return in any order.
    let browser = state::read_cookie(request.headers(), public_url.is_https())
        .unwrap_or_else(|| BrowserSecret::new(&*context.random));
    let previous = session_id(request, public_url).map(|id| id.hash());
    let purpose = match &provider.protocol {
        Protocol::OpenId2(_) if !is_link => Purpose::OPENID2,
        _ => Purpose { issuer: Some(&provider.issuer), is_link },
    };
    let Issued { token, secrets } = state::issue(&key, &browser, purpose, previous.as_ref(), now, &*context.random);
    let mut callback = public_url.join(&provider.callback_path);
    let url = match &provider.protocol {
        Protocol::OpenId2(relying_party) => {
            callback.query_pairs_mut().append_pair("state", &token);
            relying_party.authentication_request(&public_url.join("/"), &callback)
        }
        Protocol::OpenIdConnect(client) => {
            let transaction = Transaction { nonce: secrets.nonce, verifier: secrets.verifier };
            client.relying_party.authorization_url(&callback, &token, &transaction, now).await?
        }
    };
    Ok(with_cookie(response::see_other(url.as_str()), &state::cookie(&browser, public_url.is_https())))
}
