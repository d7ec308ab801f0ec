//! The audit log is append-only: the transaction of a change puts its entry, and nothing updates it later.

use jiff::SignedDuration;
use membermail_core::address::DomainName;
use membermail_core::audit::Entry;
use membermail_core::clock::later;
use membermail_core::member::MemberId;

use crate::error::StoreError;
use crate::keys;
use crate::table::{Query, Store, Write};

/// How long a member's page shows their history.
const HISTORY_KEPT: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Puts an entry into the log alone.
pub(crate) fn put_entry(entry: &Entry) -> Result<Write, StoreError> {
    let key = keys::audit(entry.domain(), &keys::month(entry.at), &entry.id.to_string());
    Write::create(&key, entry)
}

/// Puts an entry, as part of the transaction of its change. An entry about a member is also put into their history, so that
/// their page need not search the log.
pub(crate) fn record(entry: &Entry) -> Result<Vec<Write>, StoreError> {
    let mut writes = vec![put_entry(entry)?];
    if let Some(member) = entry.member() {
        let put = Write::put(&keys::history(member, entry.id), entry)?;
        writes.push(put.expires(later(entry.at, HISTORY_KEPT)));
    }
    Ok(writes)
}

impl Store {
    /// The entries of a domain in a month (`YYYY-MM`, in UTC), oldest first; without a domain, the entries about members.
    pub async fn audit(&self, domain: Option<&DomainName>, month: &str) -> Result<Vec<Entry>, StoreError> {
        self.list(&keys::audit(domain, month, "").pk, "").await
    }

    /// The latest entries about a member, newest first.
    pub async fn history_of(&self, member: MemberId, limit: i32) -> Result<Vec<Entry>, StoreError> {
        let query = Query::partition(&keys::profile(member).pk, self.consistency()).begins_with(keys::HISTORY);
        self.first_page(&query.descending().limit(limit)).await
    }
}
