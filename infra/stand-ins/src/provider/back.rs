//! Sending the browser back (section 5.2): by a redirect, or by a form where a URL would be too long.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use url::Url;

use super::message::Fields;

/// launchpad.md, 9: a form where the URL would be longer than this.
const LONGEST: usize = 2_047;

#[derive(Template)]
#[template(path = "back.html")]
struct Back {
    action: String,
    fields: Vec<(String, String)>,
}

/// Back to the site with this message.
pub(super) fn to(return_to: Url, fields: &Fields) -> Response {
    let url = with(&return_to, fields);
    if url.as_str().len() <= LONGEST {
        // launchpad.md, 9: a 302.
        return (StatusCode::FOUND, [(header::LOCATION, url.as_str())]).into_response();
    }
    let fields = fields.iter().map(|(name, value)| (format!("openid.{name}"), value.clone())).collect();
    match (Back { action: return_to.into(), fields }).render() {
        Ok(page) => Html(page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The URL with the message in its query.
pub(super) fn with(return_to: &Url, fields: &Fields) -> Url {
    let mut url = return_to.clone();
    url.query_pairs_mut().extend_pairs(fields.iter().map(|(name, value)| (format!("openid.{name}"), value)));
    url
}
