//! Signing in and out, and asking for a check. A sign-in ends with a session and a message on the queue; Launchpad is
//! never waited for.

pub mod build;
mod callback;
mod check;
mod context;
pub mod health;
mod refused;

use lambda_http::http::{Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use membermail_identity::csrf;
use membermail_identity::session::{self, SessionId};
use membermail_identity::state::{self, BrowserSecret, StateKey};
use membermail_pages::answer;
use membermail_pages::place::{self, Place};
use membermail_runtime::batch::chain;
use membermail_runtime::logs;
use tracing::{Instrument, error, warn};

pub use context::Context;

/// Answers one request.
pub async fn handle(context: &Context, request: &Request) -> Response<Body> {
    answer(context, request).instrument(logs::request(place::request_id(request))).await
}

async fn answer(context: &Context, request: &Request) -> Response<Body> {
    let Some(place) = Place::of(context.public_url.as_ref(), request) else {
        error!("neither PUBLIC_URL nor the request tells where the site is");
        return answer::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let path = place::path(request);
    match (request.method(), path.as_str()) {
        (&Method::GET, "/sign-in") => sign_in(context, request, &place).await,
        (&Method::HEAD, "/sign-in") => answer::headers_only(sign_in(context, request, &place).await),
        // Not by HEAD: an assertion is good once, and a preview must not use it up.
        (&Method::GET | &Method::POST, "/callback") => callback::callback(context, request, &place).await,
        (&Method::POST, "/sign-out") => sign_out(context, request, &place).await,
        (&Method::POST, "/check") => check::check(context, request, &place).await,
        (&Method::GET, "/health") => health::answer(&context.health, &*context.clock).await,
        (&Method::HEAD, "/health") => answer::headers_only(health::answer(&context.health, &*context.clock).await),
        (_, "/sign-in") => refused::other_method(context, &place, "GET, HEAD"),
        (_, "/callback") => refused::other_method(context, &place, "GET, POST"),
        (_, "/sign-out" | "/check") => refused::other_method(context, &place, "POST"),
        (_, "/health") => answer::allow(answer::empty(StatusCode::METHOD_NOT_ALLOWED), "GET, HEAD"),
        _ => answer::empty(StatusCode::NOT_FOUND),
    }
}

/// Sends the browser to the provider, with a state that only this browser can come back with.
async fn sign_in(context: &Context, request: &Request, place: &Place) -> Response<Body> {
    let key = match context.secret.keys().await {
        Ok(keys) => StateKey::derive(keys.current()),
        Err(cause) => return refused::unavailable(context, place, &cause),
    };
    // A second tab has the first one's secret, and the callback leaves it there: both can come back, in any order.
    let browser =
        state::read_cookie(request.headers(), place.is_https()).unwrap_or_else(|| BrowserSecret::new(&*context.random));
    let previous = session_of(request, place).map(|id| id.hash());
    let token = state::issue(&key, &browser, previous.as_ref(), context.clock.now(), &*context.random);
    let mut return_to = place.join("/callback");
    return_to.query_pairs_mut().append_pair("state", &token);
    let url = context.relying_party.authentication_request(&place.join("/"), &return_to);
    with_cookie(answer::see_other(url.as_str()), &state::cookie(&browser, place.is_https()))
}

/// Ends the session, if the form is ours.
async fn sign_out(context: &Context, request: &Request, place: &Place) -> Response<Body> {
    let home = answer::see_other(place.join("/").as_str());
    let Some(id) = session_of(request, place) else { return home };
    if !is_own_form(request, &id) {
        warn!("a sign-out without the token of its session");
        return refused::foreign_form(context, place, "You were not signed out");
    }
    if let Err(cause) = context.store.end_session(id.hash().as_str()).await {
        return refused::unavailable(context, place, &cause);
    }
    // The next person at this browser starts with a secret of their own.
    let home = with_cookie(home, &session::clearing_cookie(place.is_https()));
    with_cookie(home, &state::clearing_cookie(place.is_https()))
}

/// The session that the browser sends, good or not.
fn session_of(request: &Request, place: &Place) -> Option<SessionId> {
    session::read_cookie(request.headers(), place.is_https())
}

/// Whether the form of a request carries the token of this session once: only a page of the session shows it.
fn is_own_form(request: &Request, session: &SessionId) -> bool {
    let mut tokens = url::form_urlencoded::parse(request.body()).filter(|(name, _)| name == "csrf");
    let token = tokens.next().is_some_and(|(_, token)| csrf::is_token_of(&token, session));
    token && tokens.next().is_none()
}

fn with_cookie(mut response: Response<Body>, cookie: &str) -> Response<Body> {
    match header::HeaderValue::from_str(cookie) {
        Ok(value) => drop(response.headers_mut().append(header::SET_COOKIE, value)),
        Err(cause) => error!(cause = chain(&cause), "a cookie that is no header"),
    }
    response
}
