//! The page that asks who signs in. The real provider asks for a password instead.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use url::Url;

use super::{indirect, message};
use crate::community::{Community, Key, Person};
use crate::openid::message::{Request, encode_query};

/// Maximum rows on the page.
const ROWS: usize = 200;

#[derive(Template)]
#[template(path = "choose.html")]
struct Choose<'a> {
    rows: Vec<Row<'a>>,
    found: usize,
    search: &'a str,
    fields: Vec<(&'a str, &'a str)>,
    cancel: String,
}

struct Row<'a> {
    name: &'a str,
    /// The identifier, if the person has several.
    identifier: Option<&'a str>,
    scenario: &'static str,
    href: String,
}

/// Renders the people whose identifiers match the request; those that represent a case come first.
pub(super) fn page(
    community: &Community,
    request: &Request,
    return_to: &Url,
    is_requested: impl Fn(&str) -> bool,
) -> Response {
    let search = request.parameter("search").unwrap_or_default().trim();
    let lower = search.to_lowercase();
    let people = community.people().filter(|(_, person)| {
        let texts = [&person.name, &person.nickname, &person.scenario.to_lowercase()];
        texts.iter().any(|text| text.contains(&lower))
    });
    let logins =
        people.flat_map(|(key, person)| person.identifiers.iter().map(move |identifier| (key, person, identifier)));
    let mut found: Vec<(&Key, &Person, &String)> = logins.filter(|(.., identifier)| is_requested(identifier)).collect();
    found.sort_by_key(|(_, person, _)| person.scenario.is_empty());
    let query = request.query();
    let rows = found
        .iter()
        .take(ROWS)
        .map(|(key, person, identifier)| Row {
            name: &person.name,
            identifier: (person.identifiers.len() > 1).then_some(identifier),
            scenario: person.scenario,
            href: format!(
                "/+openid/sign-in-as?{}&{query}",
                encode_query([("name", &***key), ("openid_identifier", identifier)])
            ),
        })
        .collect();
    let cancel = indirect::url(return_to, &message("cancel")).into();
    let page = Choose { rows, found: found.len(), search, fields: request.fields().collect(), cancel };
    match page.render() {
        Ok(page) => Html(page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
