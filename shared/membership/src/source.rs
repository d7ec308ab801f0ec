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
