//! The pages that a browser reads and the forms that a member submits: the account page, the welcome page, the public status
//! page, the static files, and the choice of the language.

mod context;
mod error;
mod forms;
mod home;
mod language;
mod lists;
mod mail_domains;
mod mailboxes;
mod proofs;
mod routes;
mod status;
#[cfg(test)]
mod tests;
mod viewer;

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use membermail_pages::{public_url, response};
use membermail_runtime::logs;
use tracing::Instrument;

pub use context::Context;
pub use mail_domains::MailDomains;
pub use status::StatusCache;

/// Handles one request.
pub async fn handle(context: &Context, request: &Request) -> Response<Body> {
    let response =
        routes::route(context, request).instrument(logs::request_span(public_url::request_id(request))).await;
    if request.method() == Method::HEAD { response::headers_only(response) } else { response }
}
