//! The page with the history of a member: each entry of the audit log about them, in words.

use std::collections::BTreeMap;

use askama::Template;
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{
    Actor, AdminChange, Change, DestinationChange, Entry, IdentityChange, LinkChange, MemberChange, SwitchChange,
};
use membermail_core::destination::DestinationId;
use membermail_core::email::EmailAddress;
use membermail_texts::FluentValue;

use crate::layout::Site;
use crate::wording::Wording;

/// The page.
#[derive(Template)]
#[template(path = "history.html")]
pub struct History<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The entries, newest first.
    pub rows: Vec<HistoryRow>,
}

/// An entry in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// The time of the change.
    pub moment: String,
    /// The actor of the change.
    pub who: String,
    /// The change in words.
    pub what: String,
}

/// The addresses of mailboxes that the table still has; the log itself names no mailbox.
pub type KnownMailboxes = BTreeMap<DestinationId, EmailAddress>;

impl HistoryRow {
    /// Describes an entry; none for one that is not about a member.
    pub fn new(entry: &Entry, mailboxes: &KnownMailboxes, wording: Wording<'_>) -> Option<Self> {
        let who = wording.text(match entry.actor {
            Actor::Member => "history-by-member",
            Actor::Sync => "history-by-sync",
            Actor::DomainCheck => "history-by-domain-check",
            Actor::Operator => "history-by-operator",
            Actor::Admin => "history-by-admin",
        });
        let what = describe(&entry.change, mailboxes, wording)?;
        Some(Self { moment: wording.moment(entry.at), who, what })
    }
}

fn describe(change: &Change, mailboxes: &KnownMailboxes, wording: Wording<'_>) -> Option<String> {
    let text = match change {
        Change::Alias { .. } => return alias_in_words(change, wording),
        Change::Switch { address, did, .. } => {
            let id = match did {
                SwitchChange::PausedTemporarily => "history-paused",
                SwitchChange::PausedPermanently => "history-paused-permanently",
                SwitchChange::Resumed => "history-resumed",
                SwitchChange::Redirected => "history-redirected",
                SwitchChange::RestoreRequested => "history-restore-requested",
            };
            wording.text_with(id, &[("address", address.to_string().into())])
        }
        Change::Destination { destination, did, .. } => {
            let id = match did {
                DestinationChange::Requested => "history-code-requested",
                DestinationChange::Confirmed => "history-mailbox-confirmed",
                DestinationChange::Removed => "history-mailbox-removed",
                DestinationChange::Reverted => "history-mailbox-reverted",
            };
            let known = mailboxes.get(destination).map(|address| address.expose().to_owned());
            let mailbox = known.unwrap_or_else(|| wording.text("history-former-mailbox"));
            wording.text_with(id, &[("mailbox", mailbox.into())])
        }
        Change::Member { did, .. } => wording.text(match did {
            MemberChange::Banned => "history-banned",
            MemberChange::Unbanned => "history-unbanned",
            MemberChange::Erased => "history-erased",
            MemberChange::Imported => "history-imported",
            MemberChange::SessionsEnded => "history-sessions-ended",
            MemberChange::Exported => "history-exported",
        }),
        Change::Link { did, .. } => wording.text(match did {
            LinkChange::Linked => "history-linked",
            LinkChange::Unlinked => "history-unlinked",
        }),
        Change::Identity { did, .. } => wording.text(match did {
            IdentityChange::Added => "history-identity-added",
            IdentityChange::Removed => "history-identity-removed",
        }),
        Change::Limit { domain, limit, .. } => {
            let domain = FluentValue::from(domain.to_string());
            match limit {
                Some(limit) => {
                    let limit = FluentValue::from(limit.to_string());
                    wording.text_with("history-limit", &[("domain", domain), ("limit", limit)])
                }
                None => wording.text_with("history-limit-removed", &[("domain", domain)]),
            }
        }
        Change::Admin { domain, did, .. } => {
            let id = match did {
                AdminChange::Added => "history-admin-added",
                AdminChange::Removed => "history-admin-removed",
                AdminChange::Changed => "history-admin-changed",
            };
            wording.text_with(id, &[("domain", domain.to_string().into())])
        }
        Change::Domain { .. } | Change::Run { .. } | Change::Name { .. } => return None,
    };
    Some(text)
}

fn alias_in_words(change: &Change, wording: Wording<'_>) -> Option<String> {
    let Change::Alias { address, before, after, reason, until, renamed_from, .. } = change else { return None };
    let why = wording.text_with(&format!("reason-{reason}"), &[("domain", address.domain.to_string().into())]);
    let mut args = vec![("address", FluentValue::from(address.to_string()))];
    let id = match (before, after, reason) {
        (None, ..) => match renamed_from {
            Some(former) => {
                args.push(("former", former.to_string().into()));
                "history-renamed"
            }
            None => "history-created",
        },
        (Some(_), Status::Active, _) => "history-restored",
        (Some(_), Status::Leaving, _) => {
            let date = until.map(|until| wording.date(until)).unwrap_or_default();
            args.extend([("date", date.into()), ("reason", why.into())]);
            "history-leaving"
        }
        (Some(_), Status::Suspended, Reason::Deleted) => "history-deleted",
        (Some(_), Status::Suspended, Reason::Returning) => "history-returning",
        (Some(_), Status::Suspended, _) => {
            args.push(("reason", why.into()));
            "history-suspended"
        }
        (Some(_), Status::Retired, _) => "history-retired",
    };
    Some(wording.text_with(id, &args))
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
