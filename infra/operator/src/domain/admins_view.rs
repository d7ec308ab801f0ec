//! Views of the admins of a domain.

use std::fmt;

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::admin::{CannotAct, Permissions};
use membermail_core::audit::AdminChange;
use membermail_core::member::{MemberId, PersonName, Subject};
use membermail_store::{AdminBinding, Member};
use serde::Serialize;

use crate::output::{id_and_name, or_dash, table, time};

/// `domain admin list`
#[derive(Debug, Serialize)]
pub(super) struct AdminList {
    pub(super) domain: DomainName,
    pub(super) bindings: Vec<Binding>,
    /// Identities of the community file.
    pub(super) identities: Vec<FileIdentity>,
    /// Names of the community file that are not bound.
    pub(super) names: Vec<FileName>,
}

/// A bound member.
#[derive(Debug, Serialize)]
pub(super) struct Binding {
    member: MemberId,
    /// The member that this one was linked to.
    linked_to: Option<MemberId>,
    source_name: Option<PersonName>,
    since: Timestamp,
    by: Option<String>,
    permissions: Permissions,
    can_act: bool,
    why_not: Option<String>,
}

/// An identity of the community file.
#[derive(Debug, Serialize)]
pub(super) struct FileIdentity {
    identity: Subject,
    /// The owner, if that member can act.
    member: Option<MemberId>,
    source_name: Option<PersonName>,
    can_act: bool,
}

/// A name of the community file. It grants nothing.
#[derive(Debug, Serialize)]
pub(super) struct FileName {
    pub(super) name: PersonName,
    /// The member with that name at the last look-up.
    pub(super) member: Option<MemberId>,
}

impl Binding {
    pub(super) fn new(binding: AdminBinding, member: Option<&Member>, why_not: Option<String>) -> Self {
        let AdminBinding { member: id, since, by, permissions } = binding;
        let linked_to = member.map(|member| member.id).filter(|survivor| *survivor != id);
        let source_name = member.and_then(Member::name).cloned();
        Self { member: id, linked_to, source_name, since, by, permissions, can_act: why_not.is_none(), why_not }
    }
}

impl FileIdentity {
    pub(super) fn new(identity: Subject, member: Option<&Member>) -> Self {
        let source_name = member.and_then(Member::name).cloned();
        Self { identity, member: member.map(|member| member.id), source_name, can_act: member.is_some() }
    }
}

impl fmt::Display for AdminList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, bindings, identities, names } = self;
        if !bindings.is_empty() {
            let rows = bindings.iter().map(|binding| {
                let linked = binding.linked_to.map(|survivor| format!(" (linked to {survivor})")).unwrap_or_default();
                [
                    format!("{}{linked}", binding.member),
                    or_dash(binding.source_name.as_ref()),
                    time(binding.since),
                    or_dash(binding.by.as_ref()),
                    binding.permissions.to_string(),
                    binding.why_not.as_ref().map_or_else(|| "yes".to_owned(), |why| format!("no: {why}")),
                ]
            });
            writeln!(f, "{}\n", table(["bound member", "name", "since", "by", "may", "can act"], rows))?;
        }
        if !identities.is_empty() {
            let rows = identities.iter().map(|identity| {
                let can_act = if identity.can_act { "yes" } else { "no, or not signed in yet" };
                let name = or_dash(identity.source_name.as_ref());
                [identity.identity.to_string(), or_dash(identity.member), name, can_act.to_owned()]
            });
            writeln!(f, "{}\n", table(["identity in the community file", "member", "name", "can act"], rows))?;
        }
        if !names.is_empty() {
            writeln!(f, "Names in the community file without a binding (a name grants nothing):\n")?;
            for FileName { name, member } in names {
                match member {
                    Some(member) => writeln!(f, "  {name}: membermail domain admin add {domain} {member}")?,
                    None => writeln!(f, "  {name}: no member with this name")?,
                }
            }
            writeln!(f)?;
        }
        let can_act =
            bindings.iter().any(|binding| binding.can_act) || identities.iter().any(|identity| identity.can_act);
        if !can_act {
            writeln!(f, "No admin of {domain} can act: its admin mail goes to the operators.")?;
        }
        Ok(())
    }
}

/// `domain admin add` and `domain admin remove`
#[derive(Debug, Serialize)]
pub(super) struct AdminChangeView {
    domain: DomainName,
    member: MemberId,
    source_name: Option<PersonName>,
    did: AdminChange,
    /// Whether the command changed anything.
    changed: bool,
    /// What the member may do, if the command changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Permissions>,
    /// After `add`: the reason why the member cannot act yet.
    why_not: Option<&'static str>,
}

impl AdminChangeView {
    pub(super) fn new(
        domain: &DomainName,
        member: &Member,
        did: AdminChange,
        changed: bool,
        why_not: Option<CannotAct>,
    ) -> Self {
        Self {
            domain: domain.clone(),
            member: member.id,
            source_name: member.name().cloned(),
            did,
            changed,
            permissions: None,
            why_not: why_not.map(CannotAct::in_words),
        }
    }

    pub(super) fn with_permissions(self, permissions: Option<Permissions>) -> Self {
        Self { permissions, ..self }
    }
}

impl fmt::Display for AdminChangeView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, member, source_name, did, changed, permissions, why_not } = self;
        let member = id_and_name(*member, source_name.as_ref());
        let words = match (did, changed) {
            (AdminChange::Added, true) => "is an admin of",
            (AdminChange::Added, false) => "is already an admin of",
            (AdminChange::Changed, _) => "has other permissions at",
            (AdminChange::Removed, true) => "is no longer an admin of",
            (AdminChange::Removed, false) => "was not a bound admin of",
        };
        writeln!(f, "{member} {words} {domain}.")?;
        if let Some(permissions) = permissions {
            writeln!(f, "They may {permissions}.")?;
        }
        match why_not {
            Some(why) => writeln!(f, "They cannot act now: {why}."),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::member::test_member;

    const ADA: &str = "01KATW4Y00ZZZZZZZZZZZZZZZZ";

    fn binding(why_not: Option<&str>, bound: &str) -> Binding {
        let since = "2026-11-24T10:00:00Z".parse().unwrap();
        let binding = AdminBinding {
            member: MemberId::parse(bound).unwrap(),
            since,
            by: Some("kim".to_owned()),
            permissions: Permissions::all(),
        };
        Binding::new(binding, Some(&test_member(ADA, "ada")), why_not.map(str::to_owned))
    }

    #[test]
    fn admin_list_views() {
        let all = AdminList {
            domain: "ubuntu.com".parse().unwrap(),
            bindings: vec![binding(None, ADA), binding(Some("banned"), "01KATW4Y00YYYYYYYYYYYYYYYY")],
            identities: vec![
                FileIdentity::new(
                    "https://login.example.org/+id/AAAAAAA".parse().unwrap(),
                    Some(&test_member(ADA, "ada")),
                ),
                FileIdentity::new("https://login.example.org/+id/BBBBBBB".parse().unwrap(), None),
            ],
            names: vec![
                FileName { name: "bob".parse().unwrap(), member: MemberId::parse(ADA).ok() },
                FileName { name: "carol".parse().unwrap(), member: None },
            ],
        };
        let none = AdminList {
            bindings: vec![binding(Some("no active address"), ADA)],
            identities: Vec::new(),
            names: Vec::new(),
            domain: all.domain.clone(),
        };
        insta::assert_snapshot!(format!("{all}---\n{none}"));
    }

    #[test]
    fn admin_change_views() {
        let domain = "ubuntu.com".parse().unwrap();
        let ada = test_member(ADA, "ada");
        let all = [
            (AdminChange::Added, true, None),
            (AdminChange::Added, true, Some(CannotAct::NoActiveAddress)),
            (AdminChange::Changed, true, None),
            (AdminChange::Added, false, None),
            (AdminChange::Removed, true, None),
            (AdminChange::Removed, false, None),
        ];
        let all = all.map(|(did, changed, why_not)| {
            let view = AdminChangeView::new(&domain, &ada, did, changed, why_not);
            let may = changed && did != AdminChange::Removed;
            view.with_permissions(may.then(Permissions::all)).to_string()
        });
        insta::assert_snapshot!(all.join("---\n"));
    }
}
