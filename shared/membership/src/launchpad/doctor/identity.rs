//! Judges the answers for an identity.

use membermail_core::eligibility::Person;

use super::super::answer::{GroupAnswer, PersonAnswer};
use super::super::client::decode;
use super::super::error::Error;
use super::super::pages::PageAnswer;
use super::record::Answer;
use super::report::{Check, Finding, Verdict};

/// Judges the answer for an identifier that no account can have.
pub(crate) fn check_unknown(answer: &Answer) -> Finding {
    let check = Check::UnknownIdentifier;
    match read_person(answer) {
        Ok(None) => Finding::new(check, true, "an identifier without an account answers null"),
        Ok(Some(_)) => Finding::new(check, false, "an identifier without an account answers a person"),
        Err(error) => Finding::new(check, false, error.to_string()),
    }
}

/// Judges the answers under the identity's own root and under the other one, and returns the person.
pub(crate) fn check_identifier(own: &Answer, other: Option<&Answer>) -> (Vec<Finding>, Option<Person>) {
    let (own, other) = (read_person(own), other.map(read_person));
    let other_word = other.as_ref().map_or("not asked", describe);
    let detail = format!("under its own root: {}; under the other root: {other_word}", describe(&own));
    let people = [own, other.unwrap_or(Ok(None))];
    let fields = match people.iter().find_map(|answer| answer.as_ref().err()) {
        Some(error) => Finding::new(Check::PersonFields, false, error.to_string()),
        None => Finding::new(Check::PersonFields, true, "all fields that the client reads are there"),
    };
    let mut known = people.into_iter().filter_map(|answer| answer.ok().flatten());
    let (first, second) = (known.next(), known.next());
    let is_one = second.as_ref().is_none_or(|second| first.as_ref().is_some_and(|first| first.name == second.name));
    let identifier = Finding::new(Check::Identifier, first.is_some() && is_one, detail);
    let fields = match (&first, fields.verdict) {
        (None, Verdict::Holds) => Finding::skipped(Check::PersonFields, "no person to judge them by"),
        _ => fields,
    };
    (vec![identifier, fields], first)
}

/// Judges the first page of the person's teams.
pub(crate) fn check_groups(answer: &Answer) -> Finding {
    const WHAT: &str = "the teams of a person";
    let read = || {
        let page: PageAnswer<'_> =
            serde_json::from_slice(answer.body()?).map_err(|_| Error::Malformed { what: WHAT })?;
        let mut groups = 0;
        for entry in &page.entries {
            groups += u64::from(decode::<GroupAnswer>(entry.get().as_bytes(), WHAT)?.into_group()?.is_some());
        }
        Ok::<_, Error>((groups, page.total_size, page.next_collection_link.is_some()))
    };
    match read() {
        Ok((groups, total, has_more)) => {
            let pages = if has_more { "more than one page" } else { "one page" };
            let detail = format!("{groups} teams of {total} rows, {pages}, {:.2} s", answer.seconds);
            Finding::new(Check::Groups, !has_more, detail)
        }
        Err(error) => Finding::new(Check::Groups, false, error.to_string()),
    }
}

fn read_person(answer: &Answer) -> Result<Option<Person>, Error> {
    let person: Option<PersonAnswer> = decode(answer.body()?, "a person")?;
    person.map(PersonAnswer::into_person).transpose()
}

fn describe(answer: &Result<Option<Person>, Error>) -> &'static str {
    match answer {
        Ok(Some(_)) => "a person",
        Ok(None) => "null",
        Err(_) => "an error",
    }
}
