//! The addresses of a domain by the beginning of their local part and by status, page by page.
//!
//! Addresses are sorted by local part, so a page without a status is one query that reads one page. DynamoDB filters by status
//! after it has read: where few addresses match, a page ends after [`READ_AT_MOST`] with what was found until then. So the time
//! of a page does not depend on the size of the domain.

use membermail_core::address::{Address, DomainName, LocalPart};
use membermail_core::address_search::LocalPartPrefix;
use membermail_core::alias::Status;

use crate::aliases::{LISTED, Stored, StoredAlias};
use crate::error::StoreError;
use crate::keys;
use crate::table::{Consistency, Cursor, Query, Store, decode, path};

/// Addresses of a page.
pub const PAGE: usize = 50;
/// Addresses that one query reads where it filters.
const STRIDE: usize = 1000;
/// Addresses that one page reads where it filters.
const READ_AT_MOST: usize = 3 * STRIDE;

/// Which addresses of a domain to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressSearch {
    /// The beginning of the local part.
    pub prefix: LocalPartPrefix,
    /// The status; `None` for any.
    pub status: Option<Status>,
    /// The local part after which the page begins. It begins with the prefix.
    pub after: Option<LocalPart>,
}

/// A page of addresses.
#[derive(Clone, Debug)]
pub struct AddressPage {
    /// In the order of local parts, without their destinations. It can be empty although there are more pages.
    pub found: Vec<StoredAlias>,
    /// The local part after which the next page begins, if there can be one.
    pub next: Option<LocalPart>,
}

impl Store {
    /// Loads a page of a domain's addresses. Eventually consistent.
    pub async fn search_addresses(
        &self,
        domain: &DomainName,
        search: &AddressSearch,
    ) -> Result<AddressPage, StoreError> {
        let AddressSearch { prefix, status, after } = search;
        let key = keys::domain(domain);
        let query = Query::partition(&key.pk, Consistency::Eventual).attributes(&LISTED);
        let query = query.begins_with(format!("{}{prefix}", keys::ALIAS));
        // One more than a page shows whether there is another.
        let (query, stride) = match status {
            Some(status) => (query.filter(path("status").eq(status.as_ref())), STRIDE),
            None => (query, PAGE + 1),
        };
        let query = query.limit(i32::try_from(stride).unwrap_or(i32::MAX));
        let cursor_of = |local_part: &LocalPart| {
            Cursor::after(&keys::alias(&Address { local_part: local_part.clone(), domain: domain.clone() }))
        };
        let mut from = after.as_ref().filter(|after| prefix.is_of(after)).map(cursor_of);
        let mut found: Vec<StoredAlias> = Vec::new();
        let mut read = 0;
        loop {
            let page = self.query_page(&query, from).await?;
            for item in page.items {
                found.push(decode::<Stored>(item)?.into());
            }
            if found.len() > PAGE {
                found.truncate(PAGE);
                let next = found.last().map(|stored| stored.alias.address.local_part.clone());
                return Ok(AddressPage { found, next });
            }
            let Some(next) = page.next else { return Ok(AddressPage { found, next: None }) };
            read += stride;
            if read >= READ_AT_MOST {
                let key = next.key()?;
                let next = key.sk.strip_prefix(keys::ALIAS).and_then(|local_part| local_part.parse().ok());
                return Ok(AddressPage { found, next });
            }
            from = Some(next);
        }
    }
}

#[cfg(test)]
#[path = "address_search_tests.rs"]
mod tests;
