//! Changes that happen between two pages of a team. launchpad.md, 5: every page is cut out of the list of its moment.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::community::{Change, Community};

/// A change that waits for a page.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageShift {
    /// The key of the team.
    pub team: String,
    /// The page of its participants after which it happens, from 1: the first row of the page, divided by its size.
    pub after_page: usize,
    /// Changes of people by their keys.
    pub changes: BTreeMap<String, Change>,
}

/// All changes that wait.
#[derive(Clone, Debug, Default)]
pub struct PageShifts(Vec<PageShift>);

impl PageShifts {
    /// Waits for a page, once.
    pub fn add(&mut self, shift: PageShift) {
        self.0.push(shift);
    }

    /// The page was served: makes the changes that waited for it.
    pub fn page_was_served(&mut self, community: &mut Community, team: &str, page: usize, now: Timestamp) {
        let (due, rest) = std::mem::take(&mut self.0)
            .into_iter()
            .partition::<Vec<_>, _>(|shift| shift.team == team && shift.after_page == page);
        self.0 = rest;
        for (key, change) in due.into_iter().flat_map(|shift| shift.changes) {
            // The control has refused people who do not exist; a change that became impossible since is left out.
            let _refused = community.change(&key, change, now);
        }
    }
}
