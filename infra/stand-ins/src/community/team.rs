//! A team and its memberships.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::Key;

/// A team.
#[derive(Clone, Debug)]
pub struct Team {
    /// Launchpad's id: for the controls only.
    pub id: u64,
    /// The name just now. launchpad.md, 3: a team can be renamed too.
    pub name: String,
    /// The name for people to read.
    pub display_name: String,
    /// When it was made.
    pub date_created: Timestamp,
    /// launchpad.md, 5: anonymous clients do not get the entry of a private team.
    pub is_private: bool,
    /// The key of the owner.
    pub owner: Key,
    /// Direct memberships, ended ones too.
    pub memberships: BTreeMap<Key, Membership>,
}

/// How a person or team is, or was, in a team.
#[derive(Clone, Debug)]
pub struct Membership {
    /// Whether it counts.
    pub status: Status,
    /// The beginning.
    pub joined: Timestamp,
    /// The end, if it ends by itself.
    pub expires: Option<Timestamp>,
}

/// Launchpad's words for it (launchpadlib's own description of the web service).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Status {
    /// A member.
    Approved,
    /// A member who may add others.
    Administrator,
    /// Left, or was taken out.
    Deactivated,
    /// Not renewed in time.
    Expired,
}

impl Membership {
    /// Whether it counts.
    pub fn is_active(&self) -> bool {
        matches!(self.status, Status::Approved | Status::Administrator)
    }
}

impl Team {
    /// Direct members.
    pub fn active(&self) -> impl Iterator<Item = &Key> {
        self.memberships.iter().filter(|(_, membership)| membership.is_active()).map(|(key, _)| key)
    }

    /// Whether a person or team is a direct member.
    pub fn has(&self, key: &str) -> bool {
        self.memberships.get(key).is_some_and(Membership::is_active)
    }
}
