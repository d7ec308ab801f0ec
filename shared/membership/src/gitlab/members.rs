//! One page of a group's members.
//!
//! `members/all` lists each user once, with the highest access level of the direct and inherited memberships
//! (`GroupMembersFinder`, `distinct_on_user_with_max_access_level`), in the order of membership ids. Above 10,000 members
//! GitLab does not count them (`lib/api/helpers/pagination.rb`).

use membermail_core::member::Fingerprint;
use reqwest::header::{HeaderMap, LINK};
use serde_json::value::RawValue;
use tracing::debug;
use url::Url;

use super::client::Client;
use super::response::MemberResponse;
use crate::error::Error;
use crate::source::{PageCursor, RosterPage};

/// Maximum page size; GitLab returns 100 rows for any larger one.
pub(crate) const MAX_PAGE_SIZE: u32 = 100;
/// More pages than any group has.
const MAX_PAGES: u64 = 100_000;
pub(crate) const WHAT: &str = "the members of a group";
const MALFORMED: Error = Error::Malformed { what: WHAT };

/// The position of a page, by number from 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageNumber {
    page: u64,
    size: u32,
}

impl PageNumber {
    pub(crate) fn of(cursor: PageCursor) -> Result<Self, Error> {
        let size = if cursor.size == 0 { MAX_PAGE_SIZE } else { cursor.size.min(MAX_PAGE_SIZE) };
        if !cursor.start.is_multiple_of(size.into()) {
            return Err(Error::TotalMismatch);
        }
        Ok(Self { page: cursor.start / u64::from(size) + 1, size })
    }

    fn start(self) -> u64 {
        (self.page - 1) * u64::from(self.size)
    }
}

impl Client {
    /// The URL of a page of all members, direct and inherited.
    pub(crate) fn members_url(&self, group: Fingerprint, at: PageNumber) -> Url {
        let mut url = self.url(&format!("groups/{group}/members/all"));
        let mut query = url.query_pairs_mut();
        query.append_pair("per_page", &at.size.to_string()).append_pair("page", &at.page.to_string());
        drop(query);
        url
    }

    /// Reads a page. Members whose membership does not count are shown, but not on the roster.
    pub(crate) fn read_members(&self, at: PageNumber, headers: &HeaderMap, body: &[u8]) -> Result<RosterPage, Error> {
        // Not parsed at once, so that one malformed entry does not fail the page.
        let rows: Vec<&RawValue> = serde_json::from_slice(body).map_err(|_| MALFORMED)?;
        let shown = rows.len() as u64;
        let total = number(headers, "x-total")?;
        let next = next_page(headers, at)?;
        let is_same = |name, expected| Ok::<_, Error>(number(headers, name)?.is_none_or(|value| value == expected));
        let is_requested = is_same("x-page", at.page)? && is_same("x-per-page", at.size.into())?;
        let end = at.start().saturating_add(shown);
        let is_whole = next.is_some() || total.is_none_or(|total| total <= at.start().saturating_add(at.size.into()));
        if !is_requested || !is_whole || shown > at.size.into() || (next.is_some() && shown == 0) {
            return Err(Error::TotalMismatch);
        }
        if total.is_some_and(|total| total < end) {
            return Err(Error::TotalMismatch);
        }
        let now = self.now();
        let minimum = self.settings().minimum_access_level;
        let mut page = RosterPage { shown, total, next, ..RosterPage::default() };
        for row in rows {
            let read = serde_json::from_str::<MemberResponse>(row.get()).map_err(|_| MALFORMED);
            let entry = read.and_then(|member| match member.counts(minimum, now)? {
                true => member.into_entry().map(Some),
                false => Ok(None),
            });
            match entry {
                Ok(entry) => page.people.extend(entry),
                Err(_) => page.malformed += 1,
            }
        }
        // A single malformed entry is an unusual account; a page with only malformed entries has another format.
        if page.malformed == shown && shown > 1 {
            return Err(MALFORMED);
        }
        if page.malformed > 0 {
            debug!(malformed = page.malformed, "skipped malformed members of a group");
        }
        Ok(page)
    }
}

/// The next page. One of the headers must be there, since its absence would look like the end of the list. Links are not
/// followed; only the number of the page is read from them.
fn next_page(headers: &HeaderMap, at: PageNumber) -> Result<Option<PageCursor>, Error> {
    let next = match headers.get("x-next-page") {
        Some(value) if value.is_empty() => None,
        Some(_) => number(headers, "x-next-page")?,
        None => {
            let links = headers.get(LINK).and_then(|links| links.to_str().ok()).ok_or(MALFORMED)?;
            linked_page(links)?
        }
    };
    let Some(next) = next else { return Ok(None) };
    if next <= at.page {
        return Err(Error::RepeatedLink);
    }
    if next != at.page + 1 {
        return Err(Error::TotalMismatch);
    }
    if next > MAX_PAGES {
        return Err(Error::TooManyPages);
    }
    let start = at.start().saturating_add(at.size.into());
    Ok(Some(PageCursor { start, size: at.size }))
}

/// The page of the link with `rel="next"` (RFC 8288); none if there is no such link.
fn linked_page(links: &str) -> Result<Option<u64>, Error> {
    let Some(link) = links.split(',').find(|link| link.contains("rel=\"next\"")) else { return Ok(None) };
    let url = link.trim().strip_prefix('<').and_then(|link| link.split_once('>')).ok_or(MALFORMED)?.0;
    let url = Url::parse(url).map_err(|_| MALFORMED)?;
    let page = url.query_pairs().find(|(name, _)| name == "page").ok_or(MALFORMED)?.1.parse();
    page.map(Some).map_err(|_| MALFORMED)
}

/// The number in a header; none without the header.
fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>, Error> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    number.map(Some).ok_or(MALFORMED)
}
