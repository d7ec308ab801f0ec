//! The audit log of a domain.

use askama::Template;
use membermail_core::audit::{Actor, AdminChange, Change, DomainChange, Entry, NameChange, RunChange, SwitchChange};
use membermail_texts::FluentValue;

use super::overview::permissions_in_words;
use super::{Console, reason_in_words, status_in_words};
use crate::layout::Site;
use crate::wording::Wording;

/// The page.
#[derive(Template)]
#[template(path = "admin/audit.html")]
pub struct Audit<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The frame.
    pub console: Console<'a>,
    /// The filters, as they were submitted.
    pub filters: Filters,
    /// The entries, newest first.
    pub rows: Vec<AuditRow>,
    /// The query of the page with older entries.
    pub older: Option<String>,
    /// The query of the export with the same filters.
    pub export: String,
}

/// The filters of the form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// A local part.
    pub address: String,
    /// One of [`KINDS`].
    pub kind: String,
    /// One of [`ACTORS`].
    pub actor: String,
    /// The first day (`YYYY-MM-DD`).
    pub from: String,
    /// The last day.
    pub to: String,
}

/// The kinds of changes to choose from: the subjects of [`Change`] that a domain's log has.
pub const KINDS: [&str; 7] = ["alias", "switch", "limit", "admin", "name", "domain", "run"];
/// The actors to choose from.
pub const ACTORS: [&str; 5] = ["member", "sync", "domain-check", "operator", "admin"];

/// An entry in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// The time of the change.
    pub moment: String,
    /// The actor of the change.
    pub who: String,
    /// The change in words.
    pub what: String,
    /// What an admin wrote about it.
    pub comment: Option<String>,
    /// The path of the run below the domain, for a change of one.
    pub run: Option<String>,
}

impl Audit<'_> {
    fn kinds(&self) -> Vec<(&'static str, String)> {
        KINDS.map(|kind| (kind, self.site.wording.part("audit-kinds", kind))).to_vec()
    }

    fn actors(&self) -> Vec<(&'static str, String)> {
        ACTORS.map(|actor| (actor, self.site.wording.part("audit-actors", actor))).to_vec()
    }
}

/// The kind of a change, as in [`KINDS`]; none for a change of a member, which is not in the log of a domain.
pub fn kind(change: &Change) -> Option<&'static str> {
    Some(match change {
        Change::Alias { .. } => "alias",
        Change::Switch { .. } => "switch",
        Change::Limit { .. } => "limit",
        Change::Admin { .. } => "admin",
        Change::Name { .. } => "name",
        Change::Domain { .. } => "domain",
        Change::Run { .. } => "run",
        Change::Member { .. } | Change::Link { .. } | Change::Destination { .. } | Change::Identity { .. } => {
            return None;
        }
    })
}

/// The name of an actor, as in [`ACTORS`].
pub fn actor(actor: Actor) -> &'static str {
    match actor {
        Actor::Member => "member",
        Actor::Sync => "sync",
        Actor::DomainCheck => "domain-check",
        Actor::Operator => "operator",
        Actor::Admin => "admin",
    }
}

impl AuditRow {
    /// Describes an entry of a domain; none for a change of a member. `by` is the name of the operator or admin, and `member`
    /// that of the member whom the change is about.
    pub fn new(entry: &Entry, by: Option<&str>, member: Option<&str>, wording: Wording<'_>) -> Option<Self> {
        Some(Self::with_words(entry, by, describe(&entry.change, member, wording)?, wording))
    }

    /// An entry that these words describe.
    pub(super) fn with_words(entry: &Entry, by: Option<&str>, what: String, wording: Wording<'_>) -> Self {
        let who = who_in_words(entry.actor, by, wording);
        let run = match &entry.change {
            Change::Run { run, .. } => Some(format!("/plans/{run}")),
            _ => None,
        };
        let comment = entry.comment.as_ref().map(|comment| comment.as_str().to_owned());
        Self { moment: wording.moment(entry.at), who, what, comment, run }
    }
}

/// The actor of a change, with the name of the operator or admin.
pub fn who_in_words(role: Actor, by: Option<&str>, wording: Wording<'_>) -> String {
    let role = wording.part("audit-actors", actor(role));
    match by {
        Some(name) => wording.text_with("audit-by", &[("role", role.into()), ("name", name.into())]),
        None => role,
    }
}

fn describe(change: &Change, member: Option<&str>, wording: Wording<'_>) -> Option<String> {
    let name = || {
        let unknown = change_member(change);
        ("name", FluentValue::from(member.map(str::to_owned).unwrap_or(unknown)))
    };
    Some(match change {
        Change::Alias { .. } | Change::Switch { .. } => address_change(change, wording)?,
        Change::Limit { limit: Some(limit), .. } => {
            wording.text_with("audit-limit", &[name(), ("limit", limit.to_string().into())])
        }
        Change::Limit { limit: None, .. } => wording.text_with("audit-limit-removed", &[name()]),
        Change::Admin { did: AdminChange::Added, .. } => wording.text_with("audit-admin-added", &[name()]),
        Change::Admin { did: AdminChange::Removed, .. } => wording.text_with("audit-admin-removed", &[name()]),
        Change::Admin { did: AdminChange::Changed, permissions, .. } => {
            let permissions = permissions_in_words(permissions.unwrap_or_default(), wording);
            wording.text_with("audit-admin-changed", &[name(), ("permissions", permissions.into())])
        }
        Change::Name { name, did, .. } => {
            let part = match did {
                NameChange::Reserved => "reserved",
                NameChange::Released => "released",
            };
            wording.part_with("audit-names", part, &[("name", name.as_str().into())])
        }
        Change::Domain { did, until, .. } => {
            let part = match did {
                DomainChange::Verified => "verified",
                DomainChange::RecordGone => "record-gone",
                DomainChange::Lapsed => "lapsed",
                DomainChange::Restored => "restored",
                DomainChange::Unverified => "unverified",
                DomainChange::Unlisted => "unlisted",
                DomainChange::Retiring => "retiring",
                DomainChange::RetirementCancelled => "retirement-cancelled",
            };
            let date = until.map(|until| wording.date(until)).unwrap_or_default();
            wording.part_with("audit-domain", part, &[("date", date.into())])
        }
        Change::Run { did, .. } => wording.part(
            "audit-runs",
            match did {
                RunChange::Held => "held",
                RunChange::Released => "released",
                RunChange::Rejected => "rejected",
                RunChange::Resent => "resent",
            },
        ),
        Change::Member { .. } | Change::Link { .. } | Change::Destination { .. } | Change::Identity { .. } => {
            return None;
        }
    })
}

/// Describes a change of an address; none for any other change.
pub(super) fn address_change(change: &Change, wording: Wording<'_>) -> Option<String> {
    let Change::Switch { address, did, .. } = change else { return alias_in_words(change, wording) };
    let part = match did {
        SwitchChange::PausedTemporarily => "paused-temporarily",
        SwitchChange::PausedPermanently => "paused-permanently",
        SwitchChange::Resumed => "resumed",
        SwitchChange::Redirected => "redirected",
        SwitchChange::RestoreRequested => "restore-requested",
    };
    Some(wording.part_with("audit-switches", part, &[("address", address.to_string().into())]))
}

/// Stands for the name of a member who is not known any more.
fn change_member(change: &Change) -> String {
    match change {
        Change::Limit { member, .. } | Change::Admin { member, .. } => member.to_string(),
        _ => String::new(),
    }
}

fn alias_in_words(change: &Change, wording: Wording<'_>) -> Option<String> {
    let Change::Alias { address, before, after, reason, until, renamed_from, .. } = change else { return None };
    let address = ("address", FluentValue::from(address.to_string()));
    if before.is_none() {
        return Some(match renamed_from {
            Some(former) => wording.text_with("audit-alias-renamed", &[address, ("former", former.to_string().into())]),
            None => wording.text_with("audit-alias-created", &[address]),
        });
    }
    let mut args = vec![
        address,
        ("before", status_in_words(*before, wording).into()),
        ("after", status_in_words(Some(*after), wording).into()),
        ("reason", reason_in_words(*reason, wording).into()),
    ];
    let Some(until) = until else { return Some(wording.text_with("audit-alias", &args)) };
    args.push(("date", wording.date(*until).into()));
    Some(wording.text_with("audit-alias-until", &args))
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
