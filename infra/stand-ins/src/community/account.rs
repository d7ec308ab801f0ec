//! The states of a Launchpad account, as launchpad.md, section 1, names them.

use serde::{Deserialize, Serialize};

/// `account_status` under `devel`. launchpad.md, 1: these seven words and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountStatus {
    /// Ubuntu One reserved a user name; its owner never logged in to Launchpad.
    Placeholder,
    /// The state that every team has.
    Unactivated,
    /// In use.
    Active,
    /// Switched off, by its owner or by an admin.
    Deactivated,
    /// Barred by an admin.
    Suspended,
    /// Erased on request.
    Closed,
    /// Its owner has died.
    Deceased,
}

/// What Launchpad has of a login at Ubuntu One.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// A person.
    Person,
    /// Nothing: the login never came to Launchpad.
    Nothing,
    /// A leftover of a merge: the name stays taken, and its page is 404.
    Merged,
}

/// What `GET /1.0/~NAME` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// The entry.
    Shown,
    /// 410 and HTML.
    Gone,
    /// 404.
    Missing,
}
