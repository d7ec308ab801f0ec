//! Changes between two pages of a group: each page shows the list at the time of its request.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::directory::{Directory, UserChange};

/// A change to apply after a page.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageShift {
    /// Path or id of the group.
    pub(super) group: String,
    /// Number of the page after which it happens, from 1.
    pub(super) after_page: usize,
    /// Changes of users by id or username.
    pub(super) changes: BTreeMap<String, UserChange>,
}

/// All pending changes.
#[derive(Clone, Debug, Default)]
pub(super) struct PageShifts(Vec<PageShift>);

impl PageShifts {
    /// Adds a change that happens once.
    pub(super) fn add(&mut self, shift: PageShift) {
        self.0.push(shift);
    }

    /// Applies the changes that are due after this page.
    pub(super) fn apply_after_page(&mut self, directory: &mut Directory, group: u64, page: usize, now: Timestamp) {
        let (due, rest) = std::mem::take(&mut self.0).into_iter().partition::<Vec<_>, _>(|shift| {
            shift.after_page == page && directory.group(&shift.group).is_some_and(|found| found.id == group)
        });
        self.0 = rest;
        for (user, change) in due.into_iter().flat_map(|shift| shift.changes) {
            // Skips a change that has become impossible since it was added.
            let _rejected = directory.change_user(&user, change, now);
        }
    }
}
