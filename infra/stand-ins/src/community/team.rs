//! A team and its memberships.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::Key;

/// A team.
#[derive(Clone, Debug)]
pub struct Team {
    /// Launchpad's id.
    pub id: u64,
    /// Direct memberships, those that are over too.
    pub memberships: BTreeMap<Key, Membership>,
}

/// How somebody is, or was, in a team.
#[derive(Clone, Debug)]
pub struct Membership {
    /// Whether it counts.
    pub status: Status,
    /// Since when.
    pub joined: Timestamp,
    /// Until when, if it ends by itself.
    pub expires: Option<Timestamp>,
}

/// Launchpad's words for it.
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

    /// Whether somebody is a direct member.
    pub fn has(&self, key: &str) -> bool {
        self.memberships.get(key).is_some_and(Membership::is_active)
    }
}
