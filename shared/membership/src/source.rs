//! What a membership source answers. Launchpad is the first one; the interface holds what a sign-in and a sync ask, and
//! nothing more.

use std::collections::BTreeSet;

use async_trait::async_trait;
use membermail_core::eligibility::{Group, Person};
use membermail_core::member::{Fingerprint, Identity, TeamName};
use membermail_core::roster::RosterEntry;
use serde::{Deserialize, Serialize};

use crate::Error;

/// The authority on people and their groups. People are asked for by identity, never by name.
#[async_trait]
pub trait Source: Send + Sync {
    /// The person who has this identity just now; none, where no account has it. Two identities that answer the same name
    /// at the same moment are the same person.
    async fn person(&self, identity: &Identity) -> Result<Option<Person>, Error>;

    /// All public groups of a person, direct and indirect. `person` is an answer of a moment ago.
    async fn groups(&self, person: &Person) -> Result<BTreeSet<Group>, Error>;

    /// The group of this name with its fingerprint; none, where there is no such group any more.
    async fn group(&self, name: &TeamName) -> Result<Option<Group>, Error>;

    /// One page of a group's people. Pages can be read in any order and shift while they are read: a roster is a filter,
    /// never proof.
    async fn roster_page(&self, group: &TeamName, cursor: PageCursor) -> Result<RosterPage, Error>;

    /// Rows that the source counts in the whole list of a group's people, as [`RosterPage::total`] does, by one small
    /// request.
    async fn roster_total(&self, group: &TeamName) -> Result<u64, Error> {
        Ok(self.roster_page(group, PageCursor { start: 0, size: 1 }).await?.total)
    }

    /// Whether several accounts are known to share this fingerprint, so that it is weak evidence.
    fn is_shared(&self, _fingerprint: Fingerprint) -> bool {
        false
    }
}

/// Where the next page begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageCursor {
    /// Rows before it.
    pub start: u64,
    /// Rows that it may have; 0 leaves the size to the source.
    #[serde(default)]
    pub size: u32,
}

/// One page of a group's people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RosterPage {
    /// The people on it.
    pub people: Vec<RosterEntry>,
    /// Entries that it shows: people, groups within the group, and malformed ones.
    pub shown: u64,
    /// Entries that could not be read and were skipped.
    pub malformed: u64,
    /// Rows that the source counts in the whole list, with those that it hides (private groups).
    pub total: u64,
    /// The next page; none, where this is the last one.
    pub next: Option<PageCursor>,
}

/// A whole roster, and the sums over its pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WholeRoster {
    /// The people of all pages in their order. A name can come twice, where the list shifted while it was read.
    pub people: Vec<RosterEntry>,
    /// Pages that were read.
    pub pages: u64,
    /// Entries that the pages show.
    pub shown: u64,
    /// Entries that were skipped because they are malformed.
    pub malformed: u64,
    /// Rows by the last page, with hidden ones.
    pub total: u64,
}

/// Reads all pages of a group in their order, for tools; `each` hears of every page. A sync reads page by page, so that it
/// can go on where it stopped.
pub async fn read_roster(
    source: &dyn Source,
    group: &TeamName,
    mut each: impl FnMut(&RosterPage),
) -> Result<WholeRoster, Error> {
    let mut whole = WholeRoster::default();
    let mut cursor = PageCursor::default();
    loop {
        let page = source.roster_page(group, cursor).await?;
        each(&page);
        whole.pages += 1;
        whole.shown += page.shown;
        whole.malformed += page.malformed;
        whole.total = page.total;
        whole.people.extend(page.people);
        match page.next {
            None => return Ok(whole),
            Some(next) if next.start <= cursor.start => return Err(Error::RepeatedLink),
            Some(next) => cursor = next,
        }
    }
}
