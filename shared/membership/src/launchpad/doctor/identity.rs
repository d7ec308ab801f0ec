//! Checks the responses for an identity.

use membermail_core::eligibility::Person;

use super::super::pages::PageResponse;
use super::super::response::{GroupResponse, PersonResponse};
use super::Finding;
use super::record::HttpResponse;
use super::report::Check;
use crate::doctor::Verdict;
use crate::error::Error;
use crate::http::decode;

/// Checks the response for an identifier that no account can have.
pub(crate) fn check_unknown(response: &HttpResponse) -> Finding {
    let check = Check::UnknownIdentifier;
    match read_person(response) {
        Ok(None) => Finding::new(check, true, "an identifier without an account returns null"),
        Ok(Some(_)) => Finding::new(check, false, "an identifier without an account returns a person"),
        Err(error) => Finding::new(check, false, error.to_string()),
    }
}

/// Checks the responses under the identity's own root and under the other one, and returns the person.
pub(crate) fn check_identifier(own: &HttpResponse, other: Option<&HttpResponse>) -> (Vec<Finding>, Option<Person>) {
    let own = read_person(own);
    let other = other.map(read_person);
    let other_result = other.as_ref().map_or("not requested", describe);
    let detail = format!("under its own root: {}; under the other root: {other_result}", describe(&own));
    let people = [own, other.unwrap_or(Ok(None))];
    let fields = match people.iter().find_map(|result| result.as_ref().err()) {
        Some(error) => Finding::new(Check::PersonFields, false, error.to_string()),
        None => Finding::new(Check::PersonFields, true, "all fields that the client reads are present"),
    };
    let mut known = people.into_iter().filter_map(|result| result.ok().flatten());
    let first = known.next();
    let second = known.next();
    let is_same = second.as_ref().is_none_or(|second| first.as_ref().is_some_and(|first| first.name == second.name));
    let identifier = Finding::new(Check::Identifier, first.is_some() && is_same, detail);
    let fields = match (&first, fields.verdict) {
        (None, Verdict::Holds) => Finding::skipped(Check::PersonFields, "no person was found"),
        _ => fields,
    };
    (vec![identifier, fields], first)
}

/// Checks the first page of the person's teams.
pub(crate) fn check_groups(response: &HttpResponse) -> Finding {
    match read_groups(response) {
        Ok((groups, total, has_more)) => {
            let pages = if has_more { "more than one page" } else { "one page" };
            let detail = format!("{groups} teams of {total} rows, {pages}, {:.2} s", response.seconds);
            Finding::new(Check::Groups, !has_more, detail)
        }
        Err(error) => Finding::new(Check::Groups, false, error.to_string()),
    }
}

/// The number of teams on the page, the number of rows, and whether there is another page.
fn read_groups(response: &HttpResponse) -> Result<(u64, u64, bool), Error> {
    const WHAT: &str = "the teams of a person";
    let page: PageResponse<'_> =
        serde_json::from_slice(response.body()?).map_err(|_| Error::Malformed { what: WHAT })?;
    let mut groups = 0;
    for entry in &page.entries {
        groups += u64::from(decode::<GroupResponse>(entry.get().as_bytes(), WHAT)?.into_group()?.is_some());
    }
    Ok((groups, page.total_size, page.next_collection_link.is_some()))
}

fn read_person(response: &HttpResponse) -> Result<Option<Person>, Error> {
    let person: Option<PersonResponse> = decode(response.body()?, "a person")?;
    person.map(PersonResponse::into_person).transpose()
}

fn describe(result: &Result<Option<Person>, Error>) -> &'static str {
    match result {
        Ok(Some(_)) => "a person",
        Ok(None) => "null",
        Err(_) => "an error",
    }
}
