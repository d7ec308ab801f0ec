//! The admins of a domain, as an operator sees them.

use std::fmt;

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::audit::AdminChange;
use membermail_core::member::{ClaimedIdentifier, LaunchpadName, MemberId};
use membermail_store::{AdminBinding, Member};
use serde::Serialize;

use crate::output::{table, time};

/// `domain admin list`
#[derive(Debug, Serialize)]
pub(super) struct Admins {
    pub(super) domain: DomainName,
    pub(super) bindings: Vec<Binding>,
    /// Identities of the community file.
    pub(super) identities: Vec<FileIdentity>,
    /// Names of the community file that are not bound.
    pub(super) names: Vec<FileName>,
}

/// A member that is bound.
#[derive(Debug, Serialize)]
pub(super) struct Binding {
    member: MemberId,
    /// The member that this one was linked to.
    linked_to: Option<MemberId>,
    launchpad_name: Option<LaunchpadName>,
    since: Timestamp,
    by: Option<String>,
    can_act: bool,
    why_not: Option<String>,
}

/// An identity of the community file.
#[derive(Debug, Serialize)]
pub(super) struct FileIdentity {
    identity: ClaimedIdentifier,
    /// The member, if that one can act.
    member: Option<MemberId>,
    launchpad_name: Option<LaunchpadName>,
    can_act: bool,
}

/// A name of the community file. It grants nothing.
#[derive(Debug, Serialize)]
pub(super) struct FileName {
    pub(super) name: LaunchpadName,
    /// The member that had the name at the last look-up.
    pub(super) member: Option<MemberId>,
}

impl Binding {
    pub(super) fn new(binding: AdminBinding, member: Option<&Member>, why_not: Option<String>) -> Self {
        let AdminBinding { member: id, since, by } = binding;
        let linked_to = member.map(|member| member.id).filter(|survivor| *survivor != id);
        let launchpad_name = member.and_then(Member::name).cloned();
        Self { member: id, linked_to, launchpad_name, since, by, can_act: why_not.is_none(), why_not }
    }
}

impl FileIdentity {
    pub(super) fn new(identity: ClaimedIdentifier, member: Option<&Member>) -> Self {
        let launchpad_name = member.and_then(Member::name).cloned();
        Self { identity, member: member.map(|member| member.id), launchpad_name, can_act: member.is_some() }
    }
}

impl fmt::Display for Admins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, bindings, identities, names } = self;
        let name = |name: &Option<LaunchpadName>| name.as_ref().map_or("-", LaunchpadName::as_str).to_owned();
        if !bindings.is_empty() {
            let row = |binding: &Binding| {
                let linked = binding.linked_to.map(|survivor| format!(" (linked to {survivor})")).unwrap_or_default();
                [
                    format!("{}{linked}", binding.member),
                    name(&binding.launchpad_name),
                    time(binding.since),
                    binding.by.clone().unwrap_or_else(|| "-".to_owned()),
                    binding.why_not.as_ref().map_or_else(|| "yes".to_owned(), |why| format!("no: {why}")),
                ]
            };
            let head = ["bound member", "name", "since", "by", "can act"];
            writeln!(f, "{}\n", table(head, bindings.iter().map(row)))?;
        }
        if !identities.is_empty() {
            let row = |one: &FileIdentity| {
                let member = one.member.map_or_else(|| "-".to_owned(), |member| member.to_string());
                let can_act = if one.can_act { "yes" } else { "no, or not signed in yet" };
                [one.identity.to_string(), member, name(&one.launchpad_name), can_act.to_owned()]
            };
            let head = ["identity in the community file", "member", "name", "can act"];
            writeln!(f, "{}\n", table(head, identities.iter().map(row)))?;
        }
        if !names.is_empty() {
            writeln!(f, "Named in the community file, and not bound (a name grants nothing):\n")?;
            for FileName { name, member } in names {
                match member {
                    Some(member) => writeln!(f, "  {name}: membermail domain admin add {domain} {member}")?,
                    None => writeln!(f, "  {name}: no member had this name at the last look-up")?,
                }
            }
            writeln!(f)?;
        }
        let can_act = bindings.iter().any(|one| one.can_act) || identities.iter().any(|one| one.can_act);
        if !can_act {
            writeln!(f, "No admin of {domain} can act now: mail for its admins goes to the operators.")?;
        }
        Ok(())
    }
}

/// `domain admin add` and `domain admin remove`
#[derive(Debug, Serialize)]
pub(super) struct Changed {
    domain: DomainName,
    member: MemberId,
    launchpad_name: Option<LaunchpadName>,
    did: AdminChange,
    /// Whether that was not so before.
    changed: bool,
    /// Of one who was added: why they cannot act now.
    why_not: Option<String>,
}

impl Changed {
    pub(super) fn new(
        domain: &DomainName,
        member: &Member,
        did: AdminChange,
        changed: bool,
        why_not: Option<String>,
    ) -> Self {
        let (member, launchpad_name) = (member.id, member.name().cloned());
        Self { domain: domain.clone(), member, launchpad_name, did, changed, why_not }
    }
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, member, launchpad_name, did, changed, why_not } = self;
        let name = launchpad_name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        let words = match (did, changed) {
            (AdminChange::Added, true) => "is an admin of",
            (AdminChange::Added, false) => "was an admin already of",
            (AdminChange::Removed, true) => "is no longer an admin of",
            (AdminChange::Removed, false) => "was no bound admin of",
        };
        writeln!(f, "{member}{name} {words} {domain}.")?;
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
        let binding = AdminBinding { member: MemberId::parse(bound).unwrap(), since, by: Some("kim".to_owned()) };
        Binding::new(binding, Some(&test_member(ADA, "ada")), why_not.map(str::to_owned))
    }

    #[test]
    fn admins_as_operators_see_them() {
        let identity = |text: &str| format!("https://login.example.org/+id/{text}").parse().unwrap();
        let all = Admins {
            domain: "ubuntu.com".parse().unwrap(),
            bindings: vec![binding(None, ADA), binding(Some("banned"), "01KATW4Y00YYYYYYYYYYYYYYYY")],
            identities: vec![
                FileIdentity::new(identity("AAAAAAA"), Some(&test_member(ADA, "ada"))),
                FileIdentity::new(identity("BBBBBBB"), None),
            ],
            names: vec![
                FileName { name: "bob".parse().unwrap(), member: MemberId::parse(ADA).ok() },
                FileName { name: "carol".parse().unwrap(), member: None },
            ],
        };
        let none = Admins {
            bindings: vec![binding(Some("no active address"), ADA)],
            identities: Vec::new(),
            names: Vec::new(),
            domain: all.domain.clone(),
        };
        insta::assert_snapshot!(format!("{all}---\n{none}"));
    }

    #[test]
    fn changed_bindings_as_operators_see_them() {
        let (domain, ada) = ("ubuntu.com".parse().unwrap(), test_member(ADA, "ada"));
        let view = |did, changed, why_not: Option<&str>| {
            Changed::new(&domain, &ada, did, changed, why_not.map(str::to_owned)).to_string()
        };
        let all = [
            view(AdminChange::Added, true, None),
            view(AdminChange::Added, true, Some("no active address")),
            view(AdminChange::Added, false, None),
            view(AdminChange::Removed, true, None),
            view(AdminChange::Removed, false, None),
        ];
        insta::assert_snapshot!(all.join("---\n"));
    }
}
