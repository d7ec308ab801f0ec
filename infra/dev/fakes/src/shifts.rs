//! Changes between two pages of a team. launchpad.md, 5: every page shows the list at the time of its request.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::community::{Community, PersonChange};

/// A change to apply after a page.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageShift {
    /// The key of the team.
    pub team: String,
    /// Number of the page of participants after which it happens, from 1.
    pub after_page: usize,
    /// Changes of people by their keys.
    pub changes: BTreeMap<String, PersonChange>,
}

/// All pending changes.
#[derive(Clone, Debug, Default)]
pub struct PageShifts(Vec<PageShift>);

impl PageShifts {
    /// Adds a change that happens once.
    pub fn add(&mut self, shift: PageShift) {
        self.0.push(shift);
    }

    /// Applies the changes that are due after this page.
    pub fn apply_after_page(&mut self, community: &mut Community, team: &str, page: usize, now: Timestamp) {
        let (due, rest) = std::mem::take(&mut self.0)
            .into_iter()
            .partition::<Vec<_>, _>(|shift| shift.team == team && shift.after_page == page);
        self.0 = rest;
        for (key, change) in due.into_iter().flat_map(|shift| shift.changes) {
            // Skips a change that has become impossible since it was added.
            let _rejected = community.change_person(&key, change, now);
        }
    }
}
