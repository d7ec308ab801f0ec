//! The names that no member gets in a domain.

use askama::Template;
use membermail_core::reserved::{EXACT, PREFIXES, SUFFIXES};
use membermail_store::Reservation;

use super::Console;
use crate::layout::Site;
use crate::wording::Wording;

/// The page.
#[derive(Template)]
#[template(path = "admin/reserved.html")]
pub struct ReservedPage<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The frame.
    pub console: Console<'a>,
    /// The names that admins reserve.
    pub rows: Vec<ReservedRow>,
    /// Whether the viewer may reserve and release names.
    pub may_change: bool,
}

/// A name that admins reserve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservedRow {
    /// The name.
    pub name: String,
    /// Since when, and by whom.
    pub since: String,
}

impl ReservedRow {
    /// Describes a name; `by` is the person who reserved it.
    pub fn new(reservation: &Reservation, by: &str, wording: Wording<'_>) -> Self {
        let args = [("date", wording.date(reservation.since).into()), ("name", by.into())];
        Self { name: reservation.name.to_string(), since: wording.text_with("reserved-since", &args) }
    }
}

impl ReservedPage<'_> {
    /// The names that the rules reserve in every domain; an ellipsis stands for any further characters.
    fn built_in(&self) -> impl Iterator<Item = String> {
        let exact = EXACT.iter().map(|name| (*name).to_owned());
        let prefixes = PREFIXES.iter().map(|prefix| format!("{prefix}…"));
        exact.chain(prefixes).chain(SUFFIXES.iter().map(|suffix| format!("…{suffix}")))
    }
}
