//! A team and its memberships.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::Key;

/// A team.
#[derive(Clone, Debug)]
pub struct Team {
    /// Launchpad's id, only visible in the controls.
    pub id: u64,
    /// The current name. launchpad.md, 3: teams can be renamed too.
    pub name: String,
    /// The display name.
    pub display_name: String,
    /// The creation date.
    pub date_created: Timestamp,
    /// Whether the team is private. launchpad.md, 5: anonymous clients do not get its entry.
    pub is_private: bool,
    /// Key of the owner.
    pub owner: Key,
    /// Direct memberships by member, including ended ones.
    pub memberships: BTreeMap<Key, Membership>,
}

/// The membership of a person or team in a team.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The current status.
    pub status: Status,
    /// The start date.
    pub joined: Timestamp,
    /// The expiry date, if any.
    pub expires: Option<Timestamp>,
}

/// Status of a membership, with Launchpad's values (from the WADL of launchpadlib).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Status {
    /// A member.
    Approved,
    /// A member who may add other members.
    Administrator,
    /// Left the team, or was removed.
    Deactivated,
    /// Expired without renewal.
    Expired,
}

impl Membership {
    /// Whether the membership is in force.
    pub fn is_active(&self) -> bool {
        matches!(self.status, Status::Approved | Status::Administrator)
    }
}

impl Team {
    /// Keys of the direct members.
    pub fn active(&self) -> impl Iterator<Item = &Key> {
        self.memberships.iter().filter(|(_, membership)| membership.is_active()).map(|(key, _)| key)
    }

    /// Whether a person or team is a direct member.
    pub fn has(&self, key: &str) -> bool {
        self.memberships.get(key).is_some_and(Membership::is_active)
    }
}
