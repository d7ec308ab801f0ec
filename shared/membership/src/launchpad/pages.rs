//! One page of a list, with a page size that adapts.
//!
//! A page begins at `ws.start` and has up to `ws.size` rows. A row that the reader may not see (a private team) keeps its
//! place but has no entry, so that rows count and entries do not.
//!
//! The page size shrinks where Launchpad cannot answer: an oversized body halves it at once, and every second slow failure
//! (timeout, 503, 504) in a row of attempts halves it too: 300, 150, 75, 37, 18, 9, 4, 2, 1. The page after a small one
//! asks for twice its size, up to 300 again. A single row beyond the body limit is skipped and counted as malformed, so
//! that one endless description cannot block a team.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::time::sleep;
use tracing::debug;
use url::Url;

use super::client::Client;
use super::error::Error;
use super::retry::Budget;
use crate::source::PageCursor;

/// The most that Launchpad gives; it refuses 301.
pub(crate) const LARGEST_PAGE: u32 = 300;
/// Rows in a row that may each be beyond the body limit.
const MOST_SKIPPED: u64 = 8;

/// One page.
#[derive(Debug)]
pub(crate) struct Page<T> {
    /// Its entries in order; none for a malformed one.
    pub(crate) entries: Vec<Option<T>>,
    /// Rows of the whole list, with hidden ones.
    pub(crate) total: u64,
    /// The next page; none, where this is the last one.
    pub(crate) next: Option<PageCursor>,
    /// Rows before it that were skipped because each is beyond the body limit.
    pub(crate) skipped: u64,
}

/// A page as it is sent.
#[derive(Deserialize)]
pub(crate) struct PageAnswer<'a> {
    start: Option<u64>,
    pub(crate) total_size: u64,
    pub(crate) next_collection_link: Option<String>,
    /// Unread, so that one malformed entry does not fail the page.
    #[serde(borrow)]
    pub(crate) entries: Vec<&'a RawValue>,
}

impl Client {
    /// Reads the page of `list` at the cursor, with retries within the budget. `what` is for messages.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        list: &Url,
        what: &'static str,
        cursor: PageCursor,
        budget: &Budget,
    ) -> Result<Page<T>, Error> {
        let size = if cursor.size == 0 { LARGEST_PAGE } else { cursor.size.min(LARGEST_PAGE) };
        let mut at = PageCursor { size, ..cursor };
        let mut pauses = self.settings().pauses.iter().copied();
        let (mut slow, mut skipped) = (0_u32, 0);
        loop {
            let url = page_url(list, at);
            let answer = self.attempt(&url, what, budget.next_timeout(), |body| self.read_page(body, at, what)).await;
            let error = match answer {
                Ok(page) => return Ok(Page { skipped, ..page }),
                Err(error) => error,
            };
            if error == Error::TooLarge {
                if at.size > 1 {
                    at.size /= 2;
                } else if skipped < MOST_SKIPPED {
                    at.start = at.start.saturating_add(1);
                    skipped += 1;
                } else {
                    return Err(error);
                }
                debug!(size = at.size, skipped, "Launchpad's page is too large");
                continue;
            }
            let pause = if error.is_transient() { budget.next_pause(&error, pauses.next()) } else { None };
            let Some(pause) = pause else { return Err(error) };
            slow += u32::from(error.is_slow());
            if error.is_slow() && slow.is_multiple_of(2) {
                at.size = (at.size / 2).max(1);
                debug!(size = at.size, "Launchpad's page takes too long");
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
        let answer: PageAnswer<'_> = serde_json::from_slice(body).map_err(|_| Error::Malformed { what })?;
        if answer.start.is_some_and(|start| start != at.start) && !answer.entries.is_empty() {
            return Err(Error::TotalMismatch);
        }
        let next = self.next_cursor(answer.next_collection_link.as_deref(), answer.total_size, at)?;
        let entries = answer.entries.iter().map(|entry| serde_json::from_str(entry.get()).ok()).collect();
        Ok(Page { entries, total: answer.total_size, next, skipped: 0 })
    }

    /// Where the next page begins: behind the rows asked for, or earlier where the link says so, so that a server which
    /// gives smaller pages than asked loses no row. Neither total nor link can make a list endless.
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
        Ok(Some(PageCursor { start: start.min(end), size: at.size.saturating_mul(2).min(LARGEST_PAGE) }))
    }
}

/// The URL of a page. The first one has no `ws.start`, as in Launchpad's own links.
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
