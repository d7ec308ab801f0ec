//! The interface of a membership source, limited to the needs of a sign-in and a sync.

use std::collections::BTreeSet;

use async_trait::async_trait;
use membermail_core::eligibility::{Group, Person};
use membermail_core::member::{Fingerprint, Identity, TeamName};
use membermail_core::roster::RosterEntry;
use serde::{Deserialize, Serialize};

use crate::Error;

/// The authority on people and their groups. People are looked up by identity, never by name.
#[async_trait]
pub trait Source: Send + Sync {
    /// Whether the source can say anything about this identity. It answers only for providers whose identities it knows: for
    /// every other identity, "no account" would be no answer, and would take addresses away while a community moves from one
    /// provider to another.
    fn is_authority_on(&self, identity: &Identity) -> bool;

    /// The person with this identity; none if no account has it, or if the source is no authority on it. Two identities that
    /// return the same name at the same time belong to the same person.
    async fn person(&self, identity: &Identity) -> Result<Option<Person>, Error>;

    /// The groups that a person is in, directly or indirectly: at least those of the community that the source shows.
    /// `person` must have been fetched just before.
    async fn groups(&self, person: &Person) -> Result<BTreeSet<Group>, Error>;

    /// The group of this name with its fingerprint; none if it does not exist.
    async fn group(&self, name: &TeamName) -> Result<Option<Group>, Error>;

    /// One page of a group's people. Pages can shift between two requests, so a roster is a filter, never proof. `group` must
    /// have been fetched before: a source that can read by fingerprint does, so that no other group with its name is read.
    async fn roster_page(&self, group: &Group, cursor: PageCursor) -> Result<RosterPage, Error>;

    /// The number of rows in the whole roster ([`RosterPage::total`]), with one small request.
    async fn roster_total(&self, group: &Group) -> Result<Option<u64>, Error> {
        Ok(self.roster_page(group, PageCursor { start: 0, size: 1 }).await?.total)
    }

    /// Whether several accounts are known to share this fingerprint, which makes it weak evidence.
    fn is_shared(&self, _fingerprint: Fingerprint) -> bool {
        false
    }
}

/// The position of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageCursor {
    /// Number of rows before the page.
    pub start: u64,
    /// Maximum number of rows; 0 leaves the size to the source.
    #[serde(default)]
    pub size: u32,
}

/// One page of a group's people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RosterPage {
    /// The people on the page.
    pub people: Vec<RosterEntry>,
    /// Number of visible entries: people, groups within the group, and malformed entries.
    pub shown: u64,
    /// Number of malformed entries, which were skipped.
    pub malformed: u64,
    /// Number of rows in the whole list, with hidden ones (private groups); none if the source does not count them (GitLab
    /// above 10,000 rows).
    pub total: Option<u64>,
    /// The next page; none if this is the last one.
    pub next: Option<PageCursor>,
}

/// A whole roster, and the sums over its pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WholeRoster {
    /// The people of all pages in order. A name can occur twice if the list shifted during the read.
    pub people: Vec<RosterEntry>,
    /// Number of pages.
    pub pages: u64,
    /// Number of visible entries.
    pub shown: u64,
    /// Number of malformed entries, which were skipped.
    pub malformed: u64,
    /// Number of rows according to the last page, with hidden ones; none if the source does not count them.
    pub total: Option<u64>,
}

/// Reads all pages of a group in order and passes each to `on_page`. Only for tools: a sync reads page by page, so that it can
/// resume from a cursor.
pub async fn read_roster(
    source: &dyn Source,
    group: &Group,
    mut on_page: impl FnMut(&RosterPage),
) -> Result<WholeRoster, Error> {
    let mut whole = WholeRoster::default();
    let mut cursor = PageCursor::default();
    loop {
        let page = source.roster_page(group, cursor).await?;
        on_page(&page);
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
