//! The return from a provider: verifies what it says, then opens a session, or adds the identity to the member of the session.

mod finish;
mod openid2;
mod openid_connect;

use jiff::Timestamp;
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use membermail_core::email::EmailAddress;
use membermail_core::master::MasterKeys;
use membermail_core::member::{Identity, Subject};
use membermail_identity::language_cookie;
use membermail_identity::session;
use membermail_identity::state::{self, BrowserSecret, State, StateError, StateKey};
use membermail_pages::public_url::PublicUrl;
use membermail_pages::response::{self, with_cookie};
use membermail_runtime::metrics::Measure;

use crate::context::Context;
use crate::error::SignInError;
use crate::pages;
use crate::providers::{Protocol, Provider};

/// What a provider has confirmed.
struct Confirmed {
    identity: Identity,
    /// The address, and what the provider says about it (`email_verified`).
    email: Option<(EmailAddress, Option<bool>)>,
    /// The preferred language (ISO 639 or BCP 47), unchecked.
    language: Option<String>,
    /// The same person's identifier at the former provider, if this provider named it.
    former: Option<Subject>,
}

/// The end of a sign-in.
enum Done {
    /// A session was opened for this member.
    SignedIn(session::SessionId, Box<membermail_store::Member>),
    /// The identity will be added to the member of the session.
    Adding,
}

/// Handles a request for a callback path.
pub(crate) async fn callback(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    path: &str,
) -> Response<Body> {
    let Some((provider, is_former)) = context.providers.at_callback(path) else {
        return response::empty(StatusCode::NOT_FOUND);
    };
    // No HEAD: a response is valid once, and a link preview must not consume it.
    match (&provider.protocol, request.method()) {
        (_, &Method::GET) | (Protocol::OpenId2(_), &Method::POST) => {}
        (Protocol::OpenId2(_), _) => return pages::method_not_allowed(context, request, public_url, "GET, POST"),
        (Protocol::OpenIdConnect(_), _) => return pages::method_not_allowed(context, request, public_url, "GET"),
    }
    let result = complete(context, request, public_url, provider, is_former).await;
    let outcome = match &result {
        Ok(Done::SignedIn(..)) => "signed-in",
        Ok(Done::Adding) => "adding-identity",
        Err(cause) => cause.outcome(),
    };
    context.metrics.record(&Measure::SignIn { outcome });
    match result {
        Ok(Done::SignedIn(session, member)) => {
            let https = public_url.is_https();
            // The browser keeps its secret, so that a sign-in in another tab can still finish.
            let home = response::see_other(public_url.join("/").as_str());
            let home = with_cookie(home, &session::cookie(&session, https));
            match member.chosen_language() {
                // For the pages that do not read the member, and after the sign-out.
                Some(language) => with_cookie(home, &language_cookie::cookie(language, https)),
                None => home,
            }
        }
        Ok(Done::Adding) => {
            let mut identities = public_url.join("/identities");
            identities.set_query(Some("adding"));
            response::see_other(identities.as_str())
        }
        Err(cause) => pages::sign_in_failed(context, request, public_url, &cause),
    }
}

async fn complete(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    provider: &Provider,
    is_former: bool,
) -> Result<Done, SignInError> {
    let (confirmed, state) = match &provider.protocol {
        Protocol::OpenId2(relying_party) => {
            openid2::confirm(context, request, public_url, (provider, relying_party, is_former)).await?
        }
        Protocol::OpenIdConnect(client) => {
            openid_connect::confirm(context, request, public_url, provider, client).await?
        }
    };
    if state.is_link {
        return finish::add_identity(context, request, confirmed, &state).await;
    }
    finish::open_session(context, request, public_url, provider, confirmed, state).await
}

/// Verifies the state of a response from one of these issuers. It binds the response to the browser that started the sign-in.
async fn check_state(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    token: Option<&str>,
    issuers: &[Option<&str>],
) -> Result<State, SignInError> {
    let now = context.clock.now();
    let browser = state::read_cookie(request.headers(), public_url.is_https()).ok_or(StateError::OtherBrowser)?;
    let token = token.ok_or(StateError::Malformed)?;
    let verify = |keys: &MasterKeys| Ok(verify_state(keys, token, &browser, issuers, now)?);
    context.secret.open_with_rotation(verify, SignInError::has_other_key).await
}

/// Verifies a state, which may be signed under a key from before or after a rotation.
fn verify_state(
    keys: &MasterKeys,
    token: &str,
    browser: &BrowserSecret,
    issuers: &[Option<&str>],
    now: Timestamp,
) -> Result<State, StateError> {
    let mut error = StateError::OtherBrowser;
    for master in keys.each() {
        let key = StateKey::derive(master);
        for issuer in issuers {
            match state::verify(&key, token, browser, *issuer, now) {
                Ok(state) => return Ok(state),
                Err(StateError::OtherBrowser) => {}
                Err(other) => error = other,
            }
        }
    }
    Err(error)
}
