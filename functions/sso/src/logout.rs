//! `POST /logout/{issuer}`: back-channel logout (OpenID Connect Back-Channel Logout 1.0). The provider says that a person has
//! signed out there, so their sessions here end too.
//!
//! A repeat is harmless: it ends only sessions from before the token was issued.

use jiff::SignedDuration;
use lambda_http::http::{HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use membermail_core::clock::later;
use membermail_core::member::Identity;
use membermail_identity::openid_connect::{CheckError, LogoutToken};
use membermail_pages::response;
use membermail_runtime::batch::chain;
use membermail_store::StoreError;
use serde_json::json;
use tracing::{error, info, warn};

use crate::context::Context;

/// The provider's clock may be behind ours by this: a session that looks a little newer than the logout ends too.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(1);
/// Maximum bytes of the form.
const FORM_LIMIT: usize = 64 * 1024;

/// Ends the sessions of the member that the token names. Responds 200, 400 to an invalid token (2.8), or 503.
pub(crate) async fn logout(context: &Context, request: &Request, slug: &str) -> Response<Body> {
    let Some((provider, client)) = context.providers.client_with_slug(slug) else {
        return response::empty(StatusCode::NOT_FOUND);
    };
    if request.method() != Method::POST {
        return response::allow(response::empty(StatusCode::METHOD_NOT_ALLOWED), "POST");
    }
    let Some(token) = read_token(request) else {
        warn!("refused a logout request without one logout token");
        return invalid();
    };
    let token = match client.relying_party.check_logout_token(&token, context.clock.now()).await {
        Ok(token) => token,
        Err(CheckError::Refused(refusal)) => {
            warn!(code = refusal.code(), "refused a logout token");
            return invalid();
        }
        Err(CheckError::Provider(cause)) => {
            error!(cause = chain(&cause), "the provider's keys are not available");
            return unavailable();
        }
    };
    match end_sessions(context, &provider.issuer, token).await {
        Ok(()) => no_store(response::empty(StatusCode::OK)),
        Err(cause) => {
            error!(cause = chain(&cause), "ending the sessions of a member failed");
            unavailable()
        }
    }
}

async fn end_sessions(context: &Context, issuer: &str, token: LogoutToken) -> Result<(), StoreError> {
    let identity = Identity { issuer: issuer.to_owned(), subject: token.subject };
    let Some(owner) = context.store.owner_of(&identity).await? else { return Ok(()) };
    let Some(member) = context.store.survivor(owner).await? else { return Ok(()) };
    context.store.end_sessions_before(&member, later(token.issued_at, CLOCK_SKEW), context.clock.now()).await?;
    info!("the provider ended the sessions of member {}", member.id);
    Ok(())
}

/// The token, if it is the only one in the form.
fn read_token(request: &Request) -> Option<String> {
    let media_type = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?.split(';').next()?.trim();
    let body: &[u8] = request.body();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") || body.len() > FORM_LIMIT {
        return None;
    }
    let mut tokens = url::form_urlencoded::parse(body).filter(|(name, _)| name == "logout_token");
    let (_, token) = tokens.next()?;
    tokens.next().is_none().then(|| token.into_owned())
}

fn invalid() -> Response<Body> {
    no_store(response::json(StatusCode::BAD_REQUEST, &json!({ "error": "invalid_request" })))
}

fn unavailable() -> Response<Body> {
    no_store(response::empty(StatusCode::SERVICE_UNAVAILABLE))
}

fn no_store(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
