//! One page of a list, with an adaptive page size.
//!
//! A page starts at `ws.start` and has up to `ws.size` rows. A hidden row (a private team) counts as a row but has no entry, so
//! positions count rows, not entries.
//!
//! The page size shrinks when Launchpad cannot deliver a page: an oversized body halves it at once, and so does every second
//! slow failure (timeout, 503, 504) in a sequence of attempts: 300, 150, 75, 37, 18, 9, 4, 2, 1. The next page doubles the
//! size again, up to 300. A single row beyond the body limit is skipped and counts as malformed, so that one huge description
//! cannot block a team.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::time::sleep;
use tracing::debug;
use url::Url;

use super::client::Client;
use crate::error::Error;
use crate::retry::Budget;
use crate::source::PageCursor;

/// Maximum page size; Launchpad refuses 301.
pub(crate) const MAX_PAGE_SIZE: u32 = 300;
/// Maximum consecutive rows beyond the body limit.
const MAX_SKIPPED: u64 = 8;

/// One page.
#[derive(Debug)]
pub(crate) struct Page<T> {
    /// The entries in order; none for a malformed one.
    pub(crate) entries: Vec<Option<T>>,
    /// Number of rows in the whole list, with hidden ones.
    pub(crate) total: u64,
    /// The next page; none if this is the last one.
    pub(crate) next: Option<PageCursor>,
    /// Number of rows before the page that were skipped because each exceeds the body limit.
    pub(crate) skipped: u64,
}

/// A page as Launchpad sends it.
#[derive(Deserialize)]
pub(crate) struct PageResponse<'a> {
    start: Option<u64>,
    pub(crate) total_size: u64,
    pub(crate) next_collection_link: Option<String>,
    /// Not parsed, so that one malformed entry does not fail the page.
    #[serde(borrow)]
    pub(crate) entries: Vec<&'a RawValue>,
}

impl Client {
    /// Fetches the page of `list` at the cursor, with retries within the budget. `what` names the list in errors and logs.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        list: &Url,
        what: &'static str,
        cursor: PageCursor,
        budget: &Budget,
    ) -> Result<Page<T>, Error> {
        let size = if cursor.size == 0 { MAX_PAGE_SIZE } else { cursor.size.min(MAX_PAGE_SIZE) };
        let mut at = PageCursor { size, ..cursor };
        let mut pauses = self.settings().pauses.iter().copied();
        let mut slow = 0_u32;
        let mut skipped = 0;
        loop {
            let url = page_url(list, at);
            let result = self.attempt(&url, what, budget.next_timeout(), |body| self.read_page(body, at, what)).await;
            let error = match result {
                Ok(page) => return Ok(Page { skipped, ..page }),
                Err(error) => error,
            };
            if error == Error::TooLarge {
                if at.size > 1 {
                    at.size /= 2;
                } else if skipped < MAX_SKIPPED {
                    at.start = at.start.saturating_add(1);
                    skipped += 1;
                } else {
                    return Err(error);
                }
                debug!(size = at.size, skipped, "the page is too large, requesting a smaller one");
                continue;
            }
            let pause = if error.is_transient() { budget.next_pause(&error, pauses.next()) } else { None };
            let Some(pause) = pause else { return Err(error) };
            slow += u32::from(error.is_slow());
            if error.is_slow() && slow.is_multiple_of(2) {
                at.size = (at.size / 2).max(1);
                debug!(size = at.size, "the page is too slow, requesting a smaller one");
            }
            sleep(pause).await;
        }
    }

    fn read_page<T: DeserializeOwned>(
        &self,
        body: &[u8],
        at: PageCursor,
        what: &'static str,
    ) -> Result<Page<T>, Error> {
        let page: PageResponse<'_> = serde_json::from_slice(body).map_err(|_| Error::Malformed { what })?;
        if page.start.is_some_and(|start| start != at.start) && !page.entries.is_empty() {
            return Err(Error::TotalMismatch);
        }
        let next = self.next_cursor(page.next_collection_link.as_deref(), page.total_size, at)?;
        let entries = page.entries.iter().map(|entry| serde_json::from_str(entry.get()).ok()).collect();
        Ok(Page { entries, total: page.total_size, next, skipped: 0 })
    }

    /// The next page starts after the requested rows, or earlier if the link says so, because a server may return smaller
    /// pages than requested. Neither the total nor the link can make a list endless.
    pub(crate) fn next_cursor(
        &self,
        link: Option<&str>,
        total: u64,
        at: PageCursor,
    ) -> Result<Option<PageCursor>, Error> {
        let end = at.start.saturating_add(u64::from(at.size));
        let Some(link) = link else {
            return if total > end { Err(Error::TotalMismatch) } else { Ok(None) };
        };
        let link = self.link(link)?;
        let start = link.query_pairs().find(|(name, _)| name == "ws.start").map(|(_, start)| start.parse::<u64>());
        let start = start.transpose().map_err(|_| Error::Malformed { what: "a link" })?.unwrap_or(0);
        if start <= at.start {
            return Err(Error::RepeatedLink);
        }
        if total <= at.start {
            return Err(Error::TotalMismatch);
        }
        Ok(Some(PageCursor { start: start.min(end), size: at.size.saturating_mul(2).min(MAX_PAGE_SIZE) }))
    }
}

/// The URL of a page. Like Launchpad's own links, that of the first page has no `ws.start`.
pub(crate) fn page_url(list: &Url, at: PageCursor) -> Url {
    let mut url = list.clone();
    let mut query = url.query_pairs_mut();
    query.append_pair("ws.size", &at.size.to_string());
    if at.start > 0 {
        query.append_pair("ws.start", &at.start.to_string());
    }
    drop(query);
    url
}
