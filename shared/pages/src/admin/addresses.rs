//! The addresses of a domain, and one of them. No page shows where an address forwards to.

use askama::Template;
use membermail_core::address::{DomainName, LocalPart};
use membermail_core::alias::Status;
use membermail_core::restoring::NotRestorable;
use membermail_store::{AddressSearch, Member, StoredAlias};
use strum::IntoEnumIterator as _;
use url::form_urlencoded::Serializer;

use super::audit::AuditRow;
use super::{Console, reason_in_words, status_in_words};
use crate::account::Mood;
use crate::layout::Site;
use crate::wording::Wording;

/// The list.
#[derive(Template)]
#[template(path = "admin/addresses.html")]
pub struct Addresses<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The frame.
    pub console: Console<'a>,
    /// What was typed.
    pub typed: String,
    /// The status that is searched for; empty for any.
    pub state: String,
    /// The statuses to choose from.
    pub filters: Vec<Filter>,
    /// The addresses of this page.
    pub rows: Vec<AddressRow>,
    /// Why there are no rows, or that the search goes on; empty otherwise.
    pub note: String,
    /// The path of the next page below the base.
    pub next: Option<String>,
    /// The path of the first page, unless this is it.
    pub first: Option<String>,
}

/// A status to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The path below the base.
    pub path: String,
    /// The status in words.
    pub label: String,
    /// Whether it is chosen.
    pub is_current: bool,
}

/// An address with its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressRow {
    /// The address.
    pub address: String,
    /// The path of its page below the base.
    pub path: String,
    /// Its state in words.
    pub state: String,
    /// Its colour.
    pub mood: Mood,
}

impl<'a> Addresses<'a> {
    /// The page of a search with its result. `next` is where the next page begins.
    pub fn new(
        site: Site<'a>,
        console: Console<'a>,
        search: &AddressSearch,
        found: &[StoredAlias],
        next: Option<&LocalPart>,
    ) -> Self {
        let typed = search.prefix.as_str().to_owned();
        let state = search.status.map(|status| status.to_string()).unwrap_or_default();
        let rows: Vec<_> = found.iter().map(|stored| AddressRow::new(stored, site.wording)).collect();
        let note = match (rows.is_empty(), next) {
            (true, None) => site.wording.part("members-addresses", "empty"),
            (_, Some(_)) if rows.len() < membermail_store::ADDRESSES_PER_PAGE => {
                site.wording.part("members-addresses", "continues")
            }
            _ => String::new(),
        };
        let path = |after: &str| list_path(&console, &typed, &state, after);
        let next = next.map(|after| path(after.as_str()));
        let first = search.after.as_ref().map(|_| path(""));
        let filters = filters(&console, &typed, &state, site.wording);
        Self { filters, rows, note, next, first, typed, state, site, console }
    }

    /// The page of a search that cannot find anything.
    pub fn invalid(site: Site<'a>, console: Console<'a>, typed: &str) -> Self {
        let note = site.wording.part("members-addresses", "invalid");
        let filters = filters(&console, "", "", site.wording);
        let typed = typed.to_owned();
        let state = String::new();
        Self { filters, rows: Vec::new(), note, next: None, first: None, typed, state, site, console }
    }
}

fn filters(console: &Console<'_>, typed: &str, state: &str, wording: Wording<'_>) -> Vec<Filter> {
    let all = Filter {
        path: list_path(console, typed, "", ""),
        label: wording.part("members-addresses", "any-state"),
        is_current: state.is_empty(),
    };
    let each = Status::iter().map(|status| Filter {
        path: list_path(console, typed, status.as_ref(), ""),
        label: status_in_words(Some(status), wording),
        is_current: state == status.as_ref(),
    });
    std::iter::once(all).chain(each).collect()
}

/// The path of a page of the list. Parameters that are empty are left out.
fn list_path(console: &Console<'_>, typed: &str, state: &str, after: &str) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in [("prefix", typed), ("state", state), ("after", after)] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    let (path, query) = (console.path("/addresses"), query.finish());
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

impl AddressRow {
    /// Describes an address.
    pub fn new(stored: &StoredAlias, wording: Wording<'_>) -> Self {
        let alias = &stored.alias;
        let mood = match alias.status {
            Status::Active if stored.paused.is_none() => Mood::Good,
            Status::Active | Status::Leaving => Mood::Wait,
            Status::Suspended | Status::Retired => Mood::Bad,
        };
        let path = address_path(&alias.address.domain, &alias.address.local_part);
        Self { address: alias.address.to_string(), path, state: state_in_words(stored, wording), mood }
    }
}

/// The path of an address below the base.
fn address_path(domain: &DomainName, local_part: &LocalPart) -> String {
    format!("/admin/domains/{domain}/addresses/{local_part}")
}

/// Status and reason, and whether the member paused it.
fn state_in_words(stored: &StoredAlias, wording: Wording<'_>) -> String {
    let status = status_in_words(Some(stored.alias.status), wording);
    match (stored.alias.status, stored.paused) {
        (Status::Active, Some(_)) => wording.text("members-paused"),
        (Status::Active, None) => status,
        _ => {
            let args = [("status", status.into()), ("reason", reason_in_words(stored.alias.reason, wording).into())];
            wording.text_with("members-state", &args)
        }
    }
}

/// One address.
#[derive(Template)]
#[template(path = "admin/address.html")]
pub struct AddressPage<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The frame.
    pub console: Console<'a>,
    /// The address.
    pub address: String,
    /// Names and values.
    pub facts: Vec<(String, String)>,
    /// The owner.
    pub member: MemberLink,
    /// The path of the form that requests a check, if the admin may use it.
    pub restore: Option<String>,
    /// What restores the address.
    pub hint: String,
    /// The entries about the address, newest first.
    pub history: Vec<AuditRow>,
}

/// A link to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberLink {
    /// The path below the base.
    pub path: String,
    /// The name at the membership source, or our own id.
    pub name: String,
}

impl MemberLink {
    /// The link in the console of a domain.
    pub fn new(member: &Member, console: &Console<'_>) -> Self {
        Self { path: console.path(&format!("/members/{}", member.id)), name: name_of(member) }
    }
}

/// The name of a member at the membership source, or our own id.
pub(super) fn name_of(member: &Member) -> String {
    member.name().map_or_else(|| member.id.to_string(), ToString::to_string)
}

/// What an admin can do about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreStep {
    /// Request the check that restores it.
    Request,
    /// A check of the member is requested or runs.
    Running,
    /// The admin may not.
    NotPermitted,
    /// A check does not restore it.
    NotPossible(NotRestorable),
}

impl<'a> AddressPage<'a> {
    /// The page of an address.
    pub fn new(
        site: Site<'a>,
        console: Console<'a>,
        stored: &StoredAlias,
        owner: &Member,
        step: RestoreStep,
        history: Vec<AuditRow>,
    ) -> Self {
        let wording = site.wording;
        let alias = &stored.alias;
        let fact = |id: &str, value: String| (wording.part("members-fact", id), value);
        let mut facts = vec![fact("status", status_in_words(Some(alias.status), wording))];
        if alias.status != Status::Active {
            facts.push(fact("reason", reason_in_words(stored.alias.reason, wording)));
        }
        facts.push(fact("since", wording.moment(alias.since)));
        facts.extend(alias.until.map(|until| fact("until", wording.moment(until))));
        facts.extend(stored.paused.map(|pause| {
            let kind = if pause.is_permanent { "permanent" } else { "temporary" };
            let args = [("since", wording.moment(pause.since).into())];
            fact("paused", wording.part_with("members-pause", kind, &args))
        }));
        facts.push(fact("name", alias.known_as.name.to_string()));
        let path = format!("/addresses/{}/restore", alias.address.local_part);
        let restore = (step == RestoreStep::Request).then(|| console.path(&path));
        let hint = wording.part("members-restore", restore_part(step));
        let member = MemberLink::new(owner, &console);
        Self { address: alias.address.to_string(), facts, member, restore, hint, history, site, console }
    }
}

/// The part of the text that explains a step.
fn restore_part(step: RestoreStep) -> &'static str {
    match step {
        RestoreStep::Request => "request",
        RestoreStep::Running => "running",
        RestoreStep::NotPermitted => "not-permitted",
        RestoreStep::NotPossible(why) => match why {
            NotRestorable::Active => "active",
            NotRestorable::Deleted => "deleted",
            NotRestorable::Banned => "banned",
            NotRestorable::Loop => "loop",
            NotRestorable::DomainRetired => "domain-retired",
            NotRestorable::Ended => "ended",
        },
    }
}
