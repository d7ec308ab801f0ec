//! Who did what to which alias, when and why. Append only, and without personal data in clear.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::address::Address;
use crate::alias::{Reason, Status};
use crate::member::MemberId;

/// Who made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// The member, by signing in.
    Member,
    /// An operator at the command line.
    Operator,
}

/// One change of one alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Sorts by time.
    pub id: Ulid,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// Whose alias. Stored by another word than an alias stores it, so that the index by member holds aliases only.
    #[serde(rename = "owner")]
    pub member: MemberId,
    /// Which.
    pub address: Address,
    /// What it was before, if it was.
    pub before: Option<Status>,
    /// What it is now.
    pub after: Status,
    /// Why.
    pub reason: Reason,
    /// The request that it began with.
    pub request_id: String,
}
