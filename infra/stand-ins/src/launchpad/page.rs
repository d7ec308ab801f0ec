//! A page of a list, as lazr.restful cuts them, and the lies that can be told on it.

use serde::Serialize;

use super::Parameters;
use super::at::At;
use super::entry::{self, Entry};
use super::list::{List, Of};
use super::membership::{self, Held};
use crate::community::Community;
use crate::faults::Launchpad;

/// Entries of a page unless asked otherwise, and at most.
const SIZE: (usize, usize) = (50, 300);

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

/// The page of `list` that the parameters ask for; `link` is the list's address.
pub(super) fn page<'a>(
    community: &'a Community,
    list: &'a List,
    parameters: &Parameters,
    link: &str,
    fault: Option<&Launchpad>,
    at: &'a At,
) -> Page<'a> {
    let number = |name: &str| parameters.get(name).and_then(|text| text.parse::<usize>().ok());
    let total = list.len();
    let start = number("ws.start").unwrap_or(0).min(total);
    let size = number("ws.size").unwrap_or(SIZE.0).clamp(1, SIZE.1);
    let end = (start + size).min(total);
    let separator = if link.contains('?') { '&' } else { '?' };
    let page_at = |start: usize| format!("{link}{separator}ws.size={size}&memo={start}&ws.start={start}");
    let mut page = Page {
        start,
        total_size: Some(total),
        total_size_link: None,
        next_collection_link: (end < total).then(|| page_at(end)),
        prev_collection_link: (start > 0).then(|| page_at(start.saturating_sub(size))),
        resource_type_link: at.kind(list.page_type()),
        entries: items(community, list, start, end, at),
    };
    match fault {
        Some(Launchpad::ForeignLink) => {
            page.next_collection_link = Some("https://evil.example/1.0/~x/participants".to_owned());
        }
        Some(Launchpad::RepeatedLink) => page.next_collection_link = Some(page_at(start.saturating_sub(size))),
        Some(Launchpad::WrongTotal) => page.total_size = Some(total + 1_000),
        Some(Launchpad::ChangingTotal) => page.total_size = Some(total + start / size),
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
    /// Puts a link in the place of the total, where it is not known at once: on the last page it is.
    pub(super) fn link_to_total(&mut self, link: &str) {
        if self.next_collection_link.is_some() {
            (self.total_size, self.total_size_link) = (None, Some(format!("{link}&ws.show=total_size")));
        }
    }
}

fn items<'a>(community: &'a Community, list: &'a List, start: usize, end: usize, at: &'a At) -> Vec<Item<'a>> {
    match &list.of {
        Of::Entries(keys) | Of::Teams(keys) => {
            let entries = keys[start..end].iter().filter_map(|key| Entry::of(community, key));
            entries.map(|entry| Item::Entry(entry::Shown { entry, at })).collect()
        }
        Of::Memberships(pairs) => {
            let held = pairs[start..end].iter().filter_map(|(team, member)| Held::of(community, team, member));
            held.map(|held| Item::Membership(membership::Shown { held, at })).collect()
        }
    }
}
