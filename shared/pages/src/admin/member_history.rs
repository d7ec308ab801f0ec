//! The history of a member, as the admins of the domains see it.

use membermail_core::audit::{AdminChange, Change, Entry, LinkChange, MemberChange};
use membermail_texts::FluentValue;

use super::audit::{AuditRow, address_change};
use crate::wording::Wording;

/// Describes an entry, given the name of the operator or admin; none for an entry that admins do not see.
pub fn history_row(entry: &Entry, by: Option<&str>, wording: Wording<'_>) -> Option<AuditRow> {
    let what = describe(&entry.change, wording)?;
    Some(AuditRow::with_words(entry, by, what, wording))
}

fn describe(change: &Change, wording: Wording<'_>) -> Option<String> {
    let about = |part: &str, args: &[(&'static str, FluentValue<'_>)]| wording.part_with("members-history", part, args);
    Some(match change {
        Change::Alias { .. } | Change::Switch { .. } => address_change(change, wording)?,
        Change::Member { did, .. } => {
            let part = match did {
                MemberChange::Banned => "banned",
                MemberChange::Unbanned => "unbanned",
                MemberChange::Erased => "erased",
                MemberChange::Imported => "imported",
                MemberChange::SessionsEnded | MemberChange::Exported => return None,
            };
            about(part, &[])
        }
        Change::Link { did, .. } => {
            let part = match did {
                LinkChange::Linked => "linked",
                LinkChange::Unlinked => "unlinked",
            };
            about(part, &[])
        }
        Change::Limit { domain, limit, .. } => {
            let domain = ("domain", FluentValue::from(domain.to_string()));
            match limit {
                Some(limit) => about("limit", &[domain, ("limit", limit.to_string().into())]),
                None => about("limit-removed", &[domain]),
            }
        }
        Change::Admin { domain, did, .. } => {
            let part = match did {
                AdminChange::Added => "admin-added",
                AdminChange::Removed => "admin-removed",
                AdminChange::Changed => "admin-changed",
            };
            about(part, &[("domain", domain.to_string().into())])
        }
        Change::Destination { .. }
        | Change::Identity { .. }
        | Change::Name { .. }
        | Change::Domain { .. }
        | Change::Run { .. } => return None,
    })
}
