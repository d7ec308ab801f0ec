//! Reads a whole list of Launchpad's, page by page, along the links that it gives.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tracing::debug;
use url::Url;

use crate::client::Client;
use crate::error::Error;
use crate::retry::Patience;

/// Entries on a page: the most that Launchpad gives.
const PAGE_SIZE: u64 = 300;
/// Far more than any list has; what is beyond is an endless one.
const MOST_PAGES: usize = 1000;

/// A list that was read to its end.
#[derive(Debug)]
pub(crate) struct Collection<K, T> {
    /// Its entries in the order of their keys.
    pub(crate) entries: BTreeMap<K, T>,
    /// How many the total counts that were not on the pages.
    ///
    /// lazr.restful leaves an entry out of a page that the reader may not see (a private team, for all who read
    /// without signing in) and counts it all the same. Whether a list with such entries will do is the caller's rule.
    pub(crate) hidden: u64,
}

#[derive(Deserialize)]
struct Page<T> {
    total_size: Option<u64>,
    total_size_link: Option<String>,
    next_collection_link: Option<String>,
    entries: Vec<T>,
}

/// Reads the list that begins at `first`; one that contradicts itself is read once more.
///
/// `key` is what makes an entry one of its kind: the same key twice is a contradiction, as an entry that moved to
/// the next page has moved another one out of sight.
pub(crate) async fn read<K: Ord, T: DeserializeOwned>(
    client: &Client,
    first: &Url,
    what: &'static str,
    key: fn(&T) -> K,
    patience: &Patience,
) -> Result<Collection<K, T>, Error> {
    match read_once(client, first, what, key, patience).await {
        Err(Error::TotalMismatch) => {
            debug!(list = what, "the list changed while it was read: once more");
            read_once(client, first, what, key, patience).await
        }
        result => result,
    }
}

async fn read_once<K: Ord, T: DeserializeOwned>(
    client: &Client,
    first: &Url,
    what: &'static str,
    key: fn(&T) -> K,
    patience: &Patience,
) -> Result<Collection<K, T>, Error> {
    let mut entries = BTreeMap::new();
    let each = |entry, _| entries.insert(key(&entry), entry).map_or(Ok(()), |_| Err(Error::TotalMismatch));
    let hidden = walk(client, first, what, patience, each).await?;
    Ok(Collection { entries, hidden })
}

/// Hands every entry of a list to `each`, page by page along the links that it gives and with the total that it gives, and
/// returns how many more that counts. `each` refuses an entry that was there before.
pub(crate) async fn walk<T: DeserializeOwned>(
    client: &Client,
    first: &Url,
    what: &'static str,
    patience: &Patience,
    mut each: impl FnMut(T, u64) -> Result<(), Error>,
) -> Result<u64, Error> {
    let mut seen = HashSet::new();
    let (mut total, mut count) = (None, 0_u64);
    let mut next = Some(largest_pages(first));
    while let Some(url) = next {
        if seen.len() == MOST_PAGES {
            return Err(Error::TooManyPages);
        }
        let page: Page<T> = client.get(&url, what, patience).await?;
        seen.insert(url);
        let agreed = agreed_total(client, &page, total, patience).await?;
        total = Some(agreed);
        count += page.entries.len() as u64;
        page.entries.into_iter().try_for_each(|entry| each(entry, agreed))?;
        next = page.next_collection_link.as_deref().map(|link| client.link(link)).transpose()?;
        if next.as_ref().is_some_and(|link| seen.contains(link)) {
            return Err(Error::RepeatedLink);
        }
    }
    let (total, pages) = (total.unwrap_or_default(), seen.len() as u64);
    // Hidden entries have their places on the pages: a total beyond all of these means that pages are missing.
    match total.checked_sub(count) {
        Some(hidden) if total <= pages * PAGE_SIZE => Ok(hidden),
        _ => Err(Error::TotalMismatch),
    }
}

/// The total that this page gives, which has to be the one `before`. Some lists give a link to it in its place.
async fn agreed_total<T>(
    client: &Client,
    page: &Page<T>,
    before: Option<u64>,
    patience: &Patience,
) -> Result<u64, Error> {
    match (before, page.total_size, &page.total_size_link) {
        (Some(before), Some(now), _) if before != now => Err(Error::TotalMismatch),
        (_, Some(now), _) => Ok(now),
        (Some(before), None, Some(_)) => Ok(before),
        (None, None, Some(link)) => client.get(&client.link(link)?, "the total of a list", patience).await,
        (_, None, None) => Err(Error::Malformed { what: "a list without a total" }),
    }
}

/// Asks for the largest pages, where the link does not ask for a size already.
fn largest_pages(first: &Url) -> Url {
    let mut url = first.clone();
    if !url.query_pairs().any(|(name, _)| name == "ws.size") {
        url.query_pairs_mut().append_pair("ws.size", &PAGE_SIZE.to_string());
    }
    url
}
