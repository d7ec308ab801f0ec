//! The admin console: the pages and forms with which the admins of a domain manage it. It has no master secret, so it can open
//! no destination.

mod access;
mod addresses;
mod admins;
mod audit;
mod bans;
mod changes;
mod context;
mod domain;
mod error;
mod member_history;
mod members;
mod overview;
mod people;
mod plans;
mod reserved;
mod routes;
mod submission;
#[cfg(test)]
mod tests;

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use membermail_pages::{public_url, response};
use membermail_runtime::logs;
use tracing::Instrument;

pub use context::Context;

/// Handles one request.
pub async fn handle(context: &Context, request: &Request) -> Response<Body> {
    let response =
        routes::route(context, request).instrument(logs::request_span(public_url::request_id(request))).await;
    if request.method() == Method::HEAD { response::headers_only(response) } else { response }
}
