//! The audit log of one domain in pages, newest first.

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::audit::Entry;
use ulid::Ulid;

use crate::audit_log::{bound, months};
use crate::error::StoreError;
use crate::keys;
use crate::table::{Consistency, Query, Store, decode};

/// Entries that one page examines at most: about a megabyte.
const MAX_EXAMINED: usize = 3_000;

/// A page of entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// The id before which the next page begins. A page with a filter can have one although it is not full, because it
    /// examines a limited number of entries.
    pub next: Option<Ulid>,
}

impl Store {
    /// At most `limit` of the `wanted` entries of a domain between `from` (included) and `to` (excluded) that are older than
    /// the entry `before`.
    pub async fn audit_page(
        &self,
        domain: &DomainName,
        (from, to): (Timestamp, Timestamp),
        before: Option<Ulid>,
        wanted: impl Fn(&Entry) -> bool,
        limit: usize,
    ) -> Result<AuditPage, StoreError> {
        let mut page = AuditPage::default();
        let mut examined = 0;
        let oldest = bound(from, 0);
        let latest = bound(to, u128::MAX);
        // Both ends of the query are included.
        let newest =
            before.map(|before| Ulid(before.0.saturating_sub(1)).to_string()).unwrap_or_else(|| latest.clone());
        let newest = newest.min(latest);
        if newest < oldest {
            return Ok(page);
        }
        let mut last = None;
        for month in months(from, to).iter().rev() {
            let key = keys::audit(Some(domain), month, "");
            let query =
                Query::partition(key.pk, Consistency::Strong).between(&*oldest, &*newest).descending().limit(PAGE);
            let mut cursor = None;
            loop {
                let read = self.query_page(&query, cursor).await?;
                for item in read.items {
                    let entry: Entry = decode(item)?;
                    if page.entries.len() == limit || examined == MAX_EXAMINED.max(limit) {
                        page.next = last;
                        return Ok(page);
                    }
                    examined += 1;
                    last = Some(entry.id);
                    // The bounds are exact to the millisecond only.
                    if from <= entry.at && entry.at < to && wanted(&entry) {
                        page.entries.push(entry);
                    }
                }
                cursor = read.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        Ok(page)
    }
}

/// Entries per request.
const PAGE: i32 = 500;
