//! States of a Launchpad account (launchpad.md, section 1).

use serde::{Deserialize, Serialize};

/// `account_status` under `devel`. launchpad.md, 1, lists exactly these seven values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountStatus {
    /// Reserved by Ubuntu One; its owner has never logged in to Launchpad.
    Placeholder,
    /// The status of every team.
    Unactivated,
    /// In use.
    Active,
    /// Deactivated by its owner or an admin.
    Deactivated,
    /// Suspended by an admin.
    Suspended,
    /// Erased on request.
    Closed,
    /// Its owner has died.
    Deceased,
}

/// Whether Launchpad has a person for a login at Ubuntu One.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Launchpad has a person.
    Person,
    /// The login has never been used on Launchpad.
    Absent,
    /// The person was merged into another one: the name stays reserved, and its page is 404.
    Merged,
}

/// The response to `GET /1.0/~NAME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// 200 with the entry.
    Shown,
    /// 410 with HTML.
    Gone,
    /// 404.
    Missing,
}
