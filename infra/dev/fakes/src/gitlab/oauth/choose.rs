//! The page that asks who signs in. The real server asks for a password instead.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::authorize::Request;
use super::client::parameter;
use crate::gitlab::directory::{Directory, User};

/// Maximum rows on the page.
const ROWS: usize = 200;

#[derive(Template)]
#[template(path = "choose-gitlab.html")]
struct Choose<'a> {
    rows: Vec<Row<'a>>,
    found: usize,
    search: &'a str,
    fields: Vec<(&'a str, &'a str)>,
    cancel: String,
}

struct Row<'a> {
    username: &'a str,
    scenario: &'static str,
    href: String,
}

/// Renders the users who can sign in; those that represent a case come first.
pub(super) fn page(directory: &Directory, request: &Request, query: &str, root: &str) -> Response {
    let search = parameter(&request.parameters, "search").unwrap_or_default().trim();
    let lower = search.to_lowercase();
    let is_found = |user: &&User| {
        let texts = [user.username.to_lowercase(), user.scenario.to_lowercase()];
        user.can_sign_in() && texts.iter().any(|text| text.contains(&lower))
    };
    let mut found: Vec<_> = directory.users().filter(is_found).collect();
    found.sort_by_key(|user| user.scenario.is_empty());
    let rows = found.iter().take(ROWS).map(|user| Row {
        username: &user.username,
        scenario: user.scenario,
        href: format!("{root}/oauth/authorize/sign-in-as?user={}&{query}", user.id),
    });
    let fields = request.parameters.iter().filter(|(name, _)| name != "search");
    let page = Choose {
        rows: rows.collect(),
        found: found.len(),
        search,
        fields: fields.map(|(name, value)| (&**name, &**value)).collect(),
        cancel: request.cancelled().into(),
    };
    match page.render() {
        Ok(page) => Html(page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
