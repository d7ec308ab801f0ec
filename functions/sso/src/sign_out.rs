//! `POST /sign-out` ends the session. `GET /signed-out` offers to sign out at the provider too: a form cannot redirect to
//! another site (`form-action` of the Content-Security-Policy), so that takes a link.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use membermail_identity::{session, state};
use membermail_pages::form::has_csrf_token;
use membermail_pages::public_url::PublicUrl;
use membermail_pages::response::{self, with_cookie};
use membermail_pages::signed_out::SignedOut;
use tracing::warn;

use crate::browser::session_id;
use crate::context::Context;
use crate::pages;
use crate::providers::Protocol;

/// Ends the session, if the form comes from one of its pages.
pub(crate) async fn sign_out(context: &Context, request: &Request, public_url: &PublicUrl) -> Response<Body> {
    let home = match &context.providers.current.protocol {
        Protocol::OpenId2(_) => response::see_other(public_url.join("/").as_str()),
        Protocol::OpenIdConnect(_) => response::see_other(public_url.join("/signed-out").as_str()),
    };
    let Some(id) = session_id(request, public_url) else { return home };
    if !has_csrf_token(request, &id) {
        warn!("refused a sign-out without a valid CSRF token");
        return pages::invalid_form(context, request, public_url, "invalid-sign-out");
    }
    if let Err(cause) = context.store.end_session(id.hash().as_str()).await {
        return pages::unavailable(context, request, public_url, &cause);
    }
    // The next person at this browser gets a new browser secret.
    let home = with_cookie(home, &session::clearing_cookie(public_url.is_https()));
    with_cookie(home, &state::clearing_cookie(public_url.is_https()))
}

/// The page after a sign-out.
pub(crate) async fn signed_out(context: &Context, request: &Request, public_url: &PublicUrl) -> Response<Body> {
    let provider_logout = match &context.providers.current.protocol {
        Protocol::OpenId2(_) => None,
        Protocol::OpenIdConnect(client) => {
            client.relying_party.end_session_url(&public_url.join("/"), context.clock.now()).await
        }
    };
    let site = pages::site(context, request, public_url);
    response::page(StatusCode::OK, &SignedOut { site, provider_logout })
}
