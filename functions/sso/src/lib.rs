//! Sign-in, sign-out and requests for a check. A sign-in opens a session and enqueues a check; it never waits for Launchpad.

mod browser;
pub mod build;
mod callback;
mod check;
mod context;
mod error;
pub mod health;
mod logout;
mod pages;
pub mod providers;
mod sign_in;
mod sign_out;

use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use membermail_pages::public_url::{self, PublicUrl};
use membermail_pages::response;
use membermail_runtime::logs;
use tracing::{Instrument, error};

pub use context::Context;

/// Handles one request.
pub async fn handle(context: &Context, request: &Request) -> Response<Body> {
    route(context, request).instrument(logs::request_span(public_url::request_id(request))).await
}

async fn route(context: &Context, request: &Request) -> Response<Body> {
    let Some(public_url) = PublicUrl::for_request(context.configured_url.as_ref(), request) else {
        error!("the public URL is unknown: PUBLIC_URL is not set and the request has no API Gateway context");
        return response::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let path = public_url::route_path(request);
    match (request.method(), path.as_str()) {
        (&Method::GET, "/sign-in") => sign_in::sign_in(context, request, &public_url).await,
        (&Method::HEAD, "/sign-in") => response::headers_only(sign_in::sign_in(context, request, &public_url).await),
        (&Method::POST, "/sign-out") => sign_out::sign_out(context, request, &public_url).await,
        (&Method::POST, "/check") => check::check(context, request, &public_url).await,
        (&Method::GET, "/signed-out") => sign_out::signed_out(context, request, &public_url).await,
        (&Method::HEAD, "/signed-out") => {
            response::headers_only(sign_out::signed_out(context, request, &public_url).await)
        }
        (&Method::GET, "/health") => health::respond(&context.health, &*context.clock).await,
        (&Method::HEAD, "/health") => response::headers_only(health::respond(&context.health, &*context.clock).await),
        (_, "/sign-in" | "/signed-out") => pages::method_not_allowed(context, request, &public_url, "GET, HEAD"),
        (_, "/sign-out" | "/check") => pages::method_not_allowed(context, request, &public_url, "POST"),
        (_, "/health") => response::allow(response::empty(StatusCode::METHOD_NOT_ALLOWED), "GET, HEAD"),
        (_, path) if path.starts_with("/callback") => callback::callback(context, request, &public_url, path).await,
        (_, path) => match path.strip_prefix("/logout/") {
            Some(slug) => logout::logout(context, request, slug).await,
            None => response::empty(StatusCode::NOT_FOUND),
        },
    }
}
