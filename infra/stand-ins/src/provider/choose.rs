//! The page where a person says who signs in. The real one asks for a password instead.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use url::Url;

use super::message::{Request, encode};
use super::{back, message};
use crate::community::{Community, Key, Person};

/// People on the page at most.
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
    /// The identifier, where the person has several.
    word: Option<&'a str>,
    shows: &'static str,
    href: String,
}

/// The people that the site may have asked for; those who show something come first.
pub(super) fn page(
    community: &Community,
    request: &Request,
    return_to: &Url,
    may_be: impl Fn(&str) -> bool,
) -> Response {
    let search = request.parameter("search").unwrap_or_default().trim();
    let words = search.to_lowercase();
    let is_found = |person: &Person| {
        [&person.name, &person.nickname].iter().any(|text| text.contains(&words))
            || person.shows.to_lowercase().contains(&words)
    };
    let people = community.people().filter(|(_, person)| is_found(person));
    let logins = people.flat_map(|(key, person)| person.words.iter().map(move |word| (key, person, word)));
    let mut found: Vec<(&Key, &Person, &String)> = logins.filter(|(.., word)| may_be(word)).collect();
    found.sort_by_key(|(_, person, _)| person.shows.is_empty());
    let query = request.query();
    let rows = found
        .iter()
        .take(ROWS)
        .map(|(key, person, word)| Row {
            name: &person.name,
            word: (person.words.len() > 1).then_some(word),
            shows: person.shows,
            href: format!("/+openid/sign-in-as?{}&{query}", encode([("name", &***key), ("word", word)])),
        })
        .collect();
    let cancel = back::with(return_to, &message("cancel")).into();
    let page = Choose { rows, found: found.len(), search, fields: request.fields().collect(), cancel };
    match page.render() {
        Ok(page) => Html(page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
