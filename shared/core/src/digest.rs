//! The content of a digest for the admins of a domain: some changes by address, and the number of all others by kind.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::alias::{Reason, Status};
use crate::audit::{Change, Entry};
use crate::notice::{AdminNews, admin_news, for_admins};
use crate::relevance::is_expired;

/// Number of changes by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// New addresses.
    pub created: u64,
    /// Restored addresses.
    pub restored: u64,
    /// Addresses suspended because of a loop.
    pub loops: u64,
    /// Suspended addresses.
    pub removed: u64,
}

impl Tally {
    /// Counts these changes.
    pub fn of<'a>(news: impl IntoIterator<Item = &'a AdminNews>) -> Self {
        let mut tally = Self::default();
        for news in news {
            let count = match news {
                AdminNews::Created => &mut tally.created,
                AdminNews::Restored => &mut tally.restored,
                AdminNews::Loop => &mut tally.loops,
                AdminNews::Removed(_) => &mut tally.removed,
            };
            *count += 1;
        }
        tally
    }

    /// Counts the changes of these entries.
    pub fn of_entries(entries: &[Entry]) -> Self {
        let news: Vec<_> = entries.iter().filter_map(for_admins).map(|(_, news)| news).collect();
        Self::of(&news)
    }

    /// Sum of all kinds.
    pub fn total(&self) -> u64 {
        let Self { created, restored, loops, removed } = self;
        created + restored + loops + removed
    }

    /// Adds two tallies.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            created: self.created + other.created,
            restored: self.restored + other.restored,
            loops: self.loops + other.loops,
            removed: self.removed + other.removed,
        }
    }
}

/// The net change of each address: several changes of an address count as one, and none if they cancel out. Entries that
/// are too old at `now` are left out.
pub fn net_changes(entries: &[Entry], now: Timestamp) -> Vec<(Address, AdminNews)> {
    let mut by_time: Vec<_> = entries.iter().filter(|entry| !is_expired(entry.at, now)).collect();
    by_time.sort_by_key(|entry| (entry.at, entry.id));
    // The status before the first change, and status and reason after the last.
    let mut by_address = BTreeMap::<&Address, (Option<Status>, Status, Reason)>::new();
    for entry in by_time {
        if let Change::Alias { address, before, after, reason, .. } = &entry.change {
            let net = by_address.entry(address).or_insert((*before, *after, *reason));
            (net.1, net.2) = (*after, *reason);
        }
    }
    let news = by_address
        .into_iter()
        .filter_map(|(address, (before, after, reason))| Some((address.clone(), admin_news(before, after, reason)?)));
    news.collect()
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
