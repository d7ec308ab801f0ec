//! Indirect responses (section 5.2): a redirect to the site, or a form if the URL would be too long.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use url::Url;

use crate::openid::message::Fields;

/// Maximum length of a redirect URL (launchpad.md, 9). Longer responses use a form.
const MAX_URL_LENGTH: usize = 2_047;

#[derive(Template)]
#[template(path = "back.html")]
struct Form {
    action: String,
    fields: Vec<(String, String)>,
}

/// Sends the browser to `return_to` with this message.
pub(super) fn respond(return_to: Url, fields: &Fields) -> Response {
    let url = url(&return_to, fields);
    if url.as_str().len() <= MAX_URL_LENGTH {
        // launchpad.md, 9: status 302.
        return (StatusCode::FOUND, [(header::LOCATION, url.as_str())]).into_response();
    }
    let fields = fields.iter().map(|(name, value)| (format!("openid.{name}"), value.clone())).collect();
    match (Form { action: return_to.into(), fields }).render() {
        Ok(page) => Html(page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// `return_to` with the message in its query.
pub(super) fn url(return_to: &Url, fields: &Fields) -> Url {
    let mut url = return_to.clone();
    url.query_pairs_mut().extend_pairs(fields.iter().map(|(name, value)| (format!("openid.{name}"), value)));
    url
}
