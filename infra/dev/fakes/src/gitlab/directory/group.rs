//! A group.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    /// The immutable id.
    pub id: u64,
    /// The path with those of the ancestors: `community/members`. Owners can change it.
    pub full_path: String,
    /// The display name.
    pub name: String,
    /// The group above it.
    pub parent_id: Option<u64>,
    /// Whether only members see it: 404 for others (`lib/api/helpers.rb`, `check_group_access`).
    pub is_private: bool,
    /// The creation time.
    pub created_at: Timestamp,
    /// Direct members by the id of the user.
    pub members: BTreeMap<u64, Membership>,
    /// Groups whose members are members here too.
    pub invited: Vec<Invitation>,
}

/// A group that is invited to another one.
#[derive(Clone, Copy, Debug)]
pub struct Invitation {
    /// The id of the invited group.
    pub group: u64,
    /// The highest access level of its members here.
    pub access_level: u8,
}

/// The membership of a user.
#[derive(Clone, Copy, Debug)]
pub struct Membership {
    /// The id, which orders the pages (`lib/gitlab/pagination/offset_pagination.rb`, `add_default_order`).
    pub id: u64,
    /// A value of `lib/gitlab/access.rb`: 10 guest, 15 planner, 20 reporter, 30 developer, 40 maintainer, 50 owner.
    pub access_level: u8,
    /// The time since when.
    pub created_at: Timestamp,
    /// The last day but one: the membership ends on that day. Guess: it stays listed until a daily job removes it, and the
    /// fake has no such job.
    pub expires_at: Option<Date>,
}
