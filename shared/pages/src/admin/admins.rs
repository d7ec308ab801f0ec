//! The admins of a domain: who they are, what they may do, and forms to appoint, change and remove them.

use askama::Template;
use jiff::Timestamp;
use membermail_core::admin::{CannotAct, Permission, Permissions};
use membermail_core::member::{MemberId, PersonName};
use strum::IntoEnumIterator as _;

use super::overview::permissions_in_words;
use super::{Console, reason_in_words};
use crate::layout::Site;
use crate::wording::Wording;

/// The page.
#[derive(Template)]
#[template(path = "admin/admins.html")]
pub struct AdminsPage<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The frame.
    pub console: Console<'a>,
    /// The bound admins.
    pub rows: Vec<AdminRow>,
    /// The identities in the community file.
    pub named: Vec<NamedRow>,
    /// The permissions that the viewer can give; empty if they may not appoint.
    pub choices: Vec<Choice>,
}

impl AdminsPage<'_> {
    fn address_hint(&self) -> String {
        self.site.wording.part_with("admins", "address-hint", &[("domain", self.console.domain.as_str().into())])
    }
}

/// A bound admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminRow {
    /// The member of the binding, in the paths of the forms.
    pub id: String,
    /// The name, or the id of a member without one.
    pub name: String,
    /// Whether it is the viewer.
    pub is_self: bool,
    /// What they may do, in words.
    pub permissions: String,
    /// Since when, and by whom.
    pub since: String,
    /// Why they cannot act at present.
    pub why_not: Option<String>,
    /// The form with the permissions; none if the viewer may not change this admin.
    pub form: Option<Form>,
}

/// The form that changes an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The permissions that the page shows. A change by somebody else in the meantime is noticed.
    pub shown: String,
    /// All permissions of the viewer.
    pub choices: Vec<Choice>,
}

/// A permission to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The name in the form.
    pub value: &'static str,
    /// What it allows.
    pub label: String,
    /// Whether the admin has it.
    pub is_chosen: bool,
}

/// An identity in the community file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedRow {
    /// The identity.
    pub identity: String,
    /// Whether it is the viewer's.
    pub is_self: bool,
}

/// What is known of a bound admin.
#[derive(Clone, Debug)]
pub struct KnownAdmin<'a> {
    /// The member of the binding.
    pub id: MemberId,
    /// The name at the membership source.
    pub name: Option<&'a PersonName>,
    /// Whether it is the viewer.
    pub is_self: bool,
    /// What they may do.
    pub permissions: Permissions,
    /// When they were bound.
    pub since: Timestamp,
    /// Who bound them, in words.
    pub by: String,
    /// Why they cannot act at present.
    pub why_not: Option<CannotAct>,
}

impl AdminRow {
    /// Describes an admin to one with these permissions.
    pub fn new(known: &KnownAdmin<'_>, own: Permissions, wording: Wording<'_>) -> Self {
        let KnownAdmin { id, name, is_self, permissions, since, by, why_not } = known;
        let may_change = own.has(Permission::Appoint) && own.includes(*permissions);
        let since = [("date", wording.date(*since).into()), ("name", by.as_str().into())];
        Self {
            id: id.to_string(),
            name: name.map_or_else(|| id.to_string(), ToString::to_string),
            is_self: *is_self,
            permissions: permissions_in_words(*permissions, wording),
            since: wording.text_with("admins-since", &since),
            why_not: why_not.map(|why| why_not_in_words(why, wording)),
            form: may_change
                .then(|| Form { shown: permissions.to_string(), choices: choices(own, *permissions, wording) }),
        }
    }
}

/// The permissions that an admin with `own` can give, except the one to view, which every admin has.
pub fn choices(own: Permissions, chosen: Permissions, wording: Wording<'_>) -> Vec<Choice> {
    let all = Permission::iter().filter(|permission| *permission != Permission::View && own.has(*permission));
    let choice = |permission: Permission| Choice {
        value: permission.into(),
        label: wording.part("admin-permissions", permission.into()),
        is_chosen: chosen.has(permission),
    };
    all.map(choice).collect()
}

fn why_not_in_words(why: CannotAct, wording: Wording<'_>) -> String {
    let part = match why {
        CannotAct::Account(reason) => return reason_in_words(reason, wording),
        CannotAct::NeverLookedUp => "never-looked-up",
        CannotAct::Banned => "banned",
        CannotAct::NoActiveAddress => "no-active-address",
        CannotAct::Erased => "erased",
    };
    wording.part("admins-cannot-act", part)
}

#[cfg(test)]
#[path = "admins_tests.rs"]
mod tests;
