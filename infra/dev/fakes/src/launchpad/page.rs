//! Pages of a collection (launchpad.md, section 5), with injected faults.

use serde::Serialize;

use super::Parameters;
use super::api_root::ApiRoot;
use super::entry::{Entry, EntryJson};
use super::list::{List, Rows};
use super::membership::{Membership, MembershipJson};
use crate::community::Community;
use crate::faults::Launchpad;

/// Default number of rows on a page.
const DEFAULT_SIZE: usize = 75;
/// Maximum number of rows on a page.
const MAX_SIZE: usize = 300;

/// The requested rows of a collection.
pub(super) struct PageRequest {
    /// The value of `ws.start`, which counts hidden rows too.
    start: usize,
    /// The first row of the page; for a backwards page, the row after its last one.
    memo: usize,
    size: usize,
    is_backwards: bool,
}

impl PageRequest {
    /// Parses the parameters; an error is the text of the 400 response.
    pub(super) fn of(parameters: &Parameters) -> Result<Self, String> {
        // Guess: a size that is zero or not a number is ignored.
        let size = number(parameters, "ws.size").filter(|size| *size > 0).unwrap_or(DEFAULT_SIZE);
        if size > MAX_SIZE {
            return Err(format!("Maximum for \"ws.size\" parameter is {MAX_SIZE}."));
        }
        let start = number(parameters, "ws.start").unwrap_or(0);
        let is_backwards = parameters.get("direction").is_some_and(|direction| direction == "backwards");
        // `memo` selects the rows, or `ws.start` if it is absent.
        Ok(Self { start, memo: number(parameters, "memo").unwrap_or(start), size, is_backwards })
    }

    /// The number of the page, from 1.
    pub(super) fn page_number(&self) -> usize {
        self.start / self.size + 1
    }

    /// First and end index of the rows.
    fn rows(&self, total: usize) -> (usize, usize) {
        if self.is_backwards {
            let end = self.memo.min(total);
            (end.saturating_sub(self.size), end)
        } else {
            let first = self.memo.min(total);
            (first, (first + self.size).min(total))
        }
    }
}

fn number(parameters: &Parameters, name: &str) -> Option<usize> {
    parameters.get(name)?.parse().ok()
}

/// A page as JSON.
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
    Entry(EntryJson<'a>),
    Membership(MembershipJson<'a>),
}

/// Creates a page of `list`, whose URL is `link`.
pub(super) fn page<'a>(
    community: &'a Community,
    list: &'a List,
    request: &PageRequest,
    link: &str,
    fault: Option<&Launchpad>,
    root: &'a ApiRoot,
) -> Page<'a> {
    let total = list.len();
    let size = request.size;
    let (first, end) = request.rows(total);
    let separator = if link.contains('?') { '&' } else { '?' };
    let next_at = |start: usize| format!("{link}{separator}ws.size={size}&memo={start}&ws.start={start}");
    let previous_link = (first > 0).then(|| {
        // A `ws.start` of 0 is omitted.
        let start = if first <= size { String::new() } else { format!("&ws.start={}", first - size) };
        format!("{link}{separator}ws.size={size}&direction=backwards&memo={first}{start}")
    });
    let is_last = end == total;
    let mut page = Page {
        start: request.start,
        // On the last page `ws.start` plus its rows, including hidden ones; on other pages the current count.
        total_size: Some(if is_last { request.start + (end - first) } else { total }),
        total_size_link: None,
        next_collection_link: (!is_last).then(|| next_at(end)),
        prev_collection_link: previous_link,
        resource_type_link: root.kind(list.page_type()),
        entries: items(community, list, first, end, root),
    };
    match fault {
        Some(Launchpad::ForeignLink) => {
            page.next_collection_link = Some("https://evil.example/1.0/~x/participants".to_owned());
        }
        Some(Launchpad::RepeatedLink) => page.next_collection_link = Some(next_at(first.saturating_sub(size))),
        Some(Launchpad::WrongTotal) => page.total_size = Some(total + 1_000),
        Some(Launchpad::ChangingTotal) => page.total_size = Some(total + first / size),
        Some(Launchpad::EmptyTeam) => {
            page.entries.clear();
            page.total_size = Some(0);
            page.next_collection_link = None;
        }
        Some(Launchpad::ShortPage { missing }) => {
            page.entries.truncate(page.entries.len().saturating_sub(missing.unwrap_or(1)));
        }
        _ => {}
    }
    page
}

impl Page<'_> {
    /// Replaces the total by a link, unless this is the last page. For operations under `devel`.
    pub(super) fn link_to_total(&mut self, link: &str) {
        if self.next_collection_link.is_some() {
            self.total_size = None;
            self.total_size_link = Some(format!("{link}&ws.show=total_size"));
        }
    }
}

/// The rows without private teams, which still count in positions and totals.
fn items<'a>(community: &'a Community, list: &'a List, first: usize, end: usize, root: &'a ApiRoot) -> Vec<Item<'a>> {
    match &list.rows {
        Rows::Entries(keys) | Rows::Teams(keys) => {
            let shown = keys[first..end].iter().filter(|key| !community.is_hidden(key));
            let entries = shown.filter_map(|key| Entry::of(community, key));
            entries.map(|entry| Item::Entry(EntryJson { entry, root })).collect()
        }
        Rows::Memberships(pairs) => {
            let shown = pairs[first..end]
                .iter()
                .filter(|(team, member)| !community.is_hidden(team) && !community.is_hidden(member));
            let memberships = shown.filter_map(|(team, member)| Membership::of(community, team, member));
            memberships.map(|membership| Item::Membership(MembershipJson { membership, root })).collect()
        }
    }
}
