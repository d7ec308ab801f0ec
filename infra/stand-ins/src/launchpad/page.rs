//! A page of a list, as launchpad.md, section 5, says that they are cut, and the lies that can be told on it.

use serde::Serialize;

use super::Parameters;
use super::at::At;
use super::entry::{self, Entry};
use super::list::{List, Of};
use super::membership::{self, Held};
use crate::community::Community;
use crate::faults::Launchpad;

/// 75 unless asked otherwise.
const USUAL_SIZE: usize = 75;
/// 300 at most.
const LARGEST_SIZE: usize = 300;

/// The part of a list that a request asks for.
pub(super) struct Cut {
    /// The value of `ws.start`, before private entries are removed.
    start: usize,
    /// The first row that is cut out, or the one behind the last row when the page goes backwards.
    memo: usize,
    size: usize,
    is_backwards: bool,
}

impl Cut {
    /// The part, or the line of the 400.
    pub(super) fn of(parameters: &Parameters) -> Result<Self, String> {
        let number = |name: &str| parameters.get(name).and_then(|text| text.parse::<usize>().ok());
        // Guess: a size of zero or without a number is as none.
        let size = number("ws.size").filter(|size| *size > 0).unwrap_or(USUAL_SIZE);
        if size > LARGEST_SIZE {
            return Err(format!("Maximum for \"ws.size\" parameter is {LARGEST_SIZE}."));
        }
        let start = number("ws.start").unwrap_or(0);
        let is_backwards = parameters.get("direction").is_some_and(|direction| direction == "backwards");
        // `memo` decides what is cut out; `ws.start` alone works too.
        Ok(Self { start, memo: number("memo").unwrap_or(start), size, is_backwards })
    }

    /// The number of the page, from 1.
    pub(super) fn page_number(&self) -> usize {
        self.start / self.size + 1
    }

    fn rows(&self, total: usize) -> (usize, usize) {
        if self.is_backwards {
            let end = self.memo.min(total);
            (end.saturating_sub(self.size), end)
        } else {
            let begin = self.memo.min(total);
            (begin, (begin + self.size).min(total))
        }
    }
}

/// One page.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    start: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_size_link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_collection_link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev_collection_link: Option<String>,
    resource_type_link: String,
    entries: Vec<Item<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Item<'a> {
    Entry(entry::Shown<'a>),
    Membership(membership::Shown<'a>),
}

/// A page of `list`; `link` is the list's address.
pub(super) fn page<'a>(
    community: &'a Community,
    list: &'a List,
    cut: &Cut,
    link: &str,
    fault: Option<&Launchpad>,
    at: &'a At,
) -> Page<'a> {
    let (total, size) = (list.len(), cut.size);
    let (begin, end) = cut.rows(total);
    let separator = if link.contains('?') { '&' } else { '?' };
    let next_at = |start: usize| format!("{link}{separator}ws.size={size}&memo={start}&ws.start={start}");
    // `ws.start` is left out at 0.
    let previous = || {
        let back = begin.saturating_sub(size);
        let start = if back == 0 { String::new() } else { format!("&ws.start={back}") };
        format!("{link}{separator}ws.size={size}&direction=backwards&memo={begin}{start}")
    };
    let is_last = end == total;
    let mut page = Page {
        start: cut.start,
        // On the last page `ws.start` plus its rows, before hiding; on others a count of the moment.
        total_size: Some(if is_last { cut.start + (end - begin) } else { total }),
        total_size_link: None,
        next_collection_link: (!is_last).then(|| next_at(end)),
        prev_collection_link: (begin > 0).then(previous),
        resource_type_link: at.kind(list.page_type()),
        entries: items(community, list, begin, end, at),
    };
    match fault {
        Some(Launchpad::ForeignLink) => {
            page.next_collection_link = Some("https://evil.example/1.0/~x/participants".to_owned());
        }
        Some(Launchpad::RepeatedLink) => page.next_collection_link = Some(next_at(begin.saturating_sub(size))),
        Some(Launchpad::WrongTotal) => page.total_size = Some(total + 1_000),
        Some(Launchpad::ChangingTotal) => page.total_size = Some(total + begin / size),
        Some(Launchpad::EmptyTeam) => {
            page.entries.clear();
            (page.total_size, page.next_collection_link) = (Some(0), None);
        }
        Some(Launchpad::ShortPage { missing }) => {
            page.entries.truncate(page.entries.len().saturating_sub(missing.unwrap_or(1)));
        }
        _ => {}
    }
    page
}

impl Page<'_> {
    /// Puts a link in the place of the total: with operations under `devel`, and never on a last page.
    pub(super) fn link_to_total(&mut self, link: &str) {
        if self.next_collection_link.is_some() {
            (self.total_size, self.total_size_link) = (None, Some(format!("{link}&ws.show=total_size")));
        }
    }
}

/// The rows without those of private teams, which have their places and count in the total.
fn items<'a>(community: &'a Community, list: &'a List, begin: usize, end: usize, at: &'a At) -> Vec<Item<'a>> {
    match &list.of {
        Of::Entries(keys) | Of::Teams(keys) => {
            let shown = keys[begin..end].iter().filter(|key| !community.is_hidden(key));
            let entries = shown.filter_map(|key| Entry::of(community, key));
            entries.map(|entry| Item::Entry(entry::Shown { entry, at })).collect()
        }
        Of::Memberships(pairs) => {
            let shown = pairs[begin..end]
                .iter()
                .filter(|(team, member)| !community.is_hidden(team) && !community.is_hidden(member));
            let held = shown.filter_map(|(team, member)| Held::of(community, team, member));
            held.map(|held| Item::Membership(membership::Shown { held, at })).collect()
        }
    }
}
