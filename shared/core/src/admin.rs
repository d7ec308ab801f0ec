//! What an admin of a domain may do, who can act as one, and which changes of the admins are allowed.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{AsRefStr, Display, EnumIter, EnumString, IntoEnumIterator as _, IntoStaticStr};

use crate::alias::Reason;
use crate::eligibility::Observation;

/// A permission in one domain.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    EnumIter,
    EnumString,
    AsRefStr,
    Display,
    IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Permission {
    /// See the domain, its addresses, members, runs and audit log, and check its DNS records.
    View,
    /// Decide on held runs, request syncs and restore addresses.
    Decide,
    /// Ban members and lift bans.
    Ban,
    /// Appoint and remove admins.
    Appoint,
}

/// A set of permissions. Each set with a permission has [`Permission::View`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Permission>", into = "Vec<Permission>")]
pub struct Permissions(u8);

impl Permissions {
    /// No permission.
    pub const NONE: Self = Self(0);

    /// All permissions: those of admins whom an operator or the community file names without a limit.
    pub fn all() -> Self {
        Permission::iter().collect()
    }

    /// Whether the set has a permission.
    pub fn has(self, permission: Permission) -> bool {
        self.0 & bit(permission) != 0
    }

    /// Whether the set has no permission.
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// Whether `other` has no permission that this set lacks. An admin appoints others with at most their own permissions.
    pub fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The permissions of both sets.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The permissions in order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::iter().filter(move |permission| self.has(*permission))
    }
}

fn bit(permission: Permission) -> u8 {
    1 << permission as u8
}

/// As `membermail domain admin add --permissions` takes them: `view,decide`.
impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, permission) in self.iter().enumerate() {
            write!(f, "{}{permission}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | bit(permission) | bit(Permission::View)))
    }
}

impl From<Vec<Permission>> for Permissions {
    fn from(permissions: Vec<Permission>) -> Self {
        permissions.into_iter().collect()
    }
}

impl From<Permissions> for Vec<Permission> {
    fn from(permissions: Permissions) -> Self {
        permissions.iter().collect()
    }
}

/// Why an admin cannot act at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotAct {
    /// The membership source was never asked about them.
    NeverLookedUp,
    /// They are banned.
    Banned,
    /// Their account at the membership source is not valid.
    Account(Reason),
    /// They have no active address.
    NoActiveAddress,
    /// Their personal data was erased.
    Erased,
}

impl CannotAct {
    /// Decides on the last observation of a member and on what the table has of them.
    pub fn of(
        observation: Option<&Observation>,
        is_banned: bool,
        has_active_address: bool,
        is_erased: bool,
    ) -> Option<Self> {
        let Some(observation) = observation else { return Some(Self::NeverLookedUp) };
        if is_banned {
            return Some(Self::Banned);
        }
        match observation.person.check() {
            Err(reason) => Some(Self::Account(reason)),
            Ok(()) if !has_active_address => Some(Self::NoActiveAddress),
            Ok(()) if is_erased => Some(Self::Erased),
            Ok(()) => None,
        }
    }

    /// A short description for operators.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::NeverLookedUp => "never looked up",
            Self::Banned => "banned",
            Self::Account(reason) => reason.in_words(),
            Self::NoActiveAddress => "no active address",
            Self::Erased => "the personal data was deleted",
        }
    }
}

/// A change of a member's permissions by an admin of the domain. No permission before means an appointment, none after a
/// removal.
#[derive(Clone, Copy, Debug)]
pub struct PermissionChange {
    /// What the admin who makes the change may do.
    pub own: Permissions,
    /// What the member could do.
    pub before: Permissions,
    /// What the member may do afterwards.
    pub after: Permissions,
    /// Whether somebody who can act may still appoint admins afterwards.
    pub leaves_appointer: bool,
}

/// Why an admin may not make a change of permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeRefused {
    /// They lack a permission that the change gives or takes.
    BeyondOwn,
    /// No admin could appoint others any more.
    LastAppointer,
}

impl PermissionChange {
    /// Checks the change. An admin gives and takes only what they have: otherwise one who may only appoint could remove all
    /// others, or get a permission through a second account.
    pub fn check(self) -> Result<(), ChangeRefused> {
        let Self { own, before, after, leaves_appointer } = self;
        if !own.includes(before.union(after)) {
            return Err(ChangeRefused::BeyondOwn);
        }
        let takes_appoint = before.has(Permission::Appoint) && !after.has(Permission::Appoint);
        if takes_appoint && !leaves_appointer { Err(ChangeRefused::LastAppointer) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rstest::rstest;

    use super::*;
    use crate::eligibility::{Account, Person};
    use crate::member::{Fingerprint, PersonName};

    #[rstest]
    #[case(r"[]", r"[]")]
    #[case(r#"["view"]"#, r#"["view"]"#)]
    #[case(r#"["ban"]"#, r#"["view","ban"]"#)]
    #[case(r#"["appoint","decide","appoint"]"#, r#"["view","decide","appoint"]"#)]
    fn each_permission_includes_view(#[case] stored: &str, #[case] expected: &str) {
        let permissions: Permissions = serde_json::from_str(stored).unwrap();
        assert_eq!(serde_json::to_string(&permissions).unwrap(), expected);
        assert_eq!(permissions.has(Permission::View), !permissions.is_empty());
    }

    #[test]
    fn set_includes_its_subsets_only() {
        let some: Permissions = [Permission::Decide].into_iter().collect();
        let other: Permissions = [Permission::Ban].into_iter().collect();
        assert!(Permissions::all().includes(some) && some.includes(some) && some.includes(Permissions::NONE));
        assert!(!some.includes(other) && !Permissions::NONE.includes(some));
        assert!(some.union(other).includes(other));
    }

    fn set(permissions: &[Permission]) -> Permissions {
        permissions.iter().copied().collect()
    }

    #[rstest]
    #[case::appoints_with_own(&[Permission::Appoint, Permission::Ban], &[], &[Permission::Ban], Ok(()))]
    #[case::gives_foreign(&[Permission::Appoint], &[], &[Permission::Ban], Err(ChangeRefused::BeyondOwn))]
    #[case::takes_foreign(&[Permission::Appoint], &[Permission::Ban], &[], Err(ChangeRefused::BeyondOwn))]
    #[case::keeps_foreign(
        &[Permission::Appoint],
        &[Permission::Ban, Permission::Appoint],
        &[Permission::Ban],
        Err(ChangeRefused::BeyondOwn)
    )]
    #[case::takes_own(&[Permission::Appoint], &[Permission::View], &[], Ok(()))]
    #[case::takes_last_appoint(
        &[Permission::Appoint],
        &[Permission::Appoint],
        &[Permission::View],
        Err(ChangeRefused::LastAppointer)
    )]
    #[case::keeps_last_appoint(&[Permission::Appoint], &[Permission::Appoint], &[Permission::Appoint], Ok(()))]
    fn admin_changes_only_what_they_have(
        #[case] own: &[Permission],
        #[case] before: &[Permission],
        #[case] after: &[Permission],
        #[case] expected: Result<(), ChangeRefused>,
    ) {
        let (own, before, after) = (set(own), set(before), set(after));
        let change = PermissionChange { own, before, after, leaves_appointer: false };
        assert_eq!(change.check(), expected);
        let leaves_appointer = PermissionChange { leaves_appointer: true, ..change }.check();
        assert_eq!(
            leaves_appointer,
            expected.or_else(|why| match why {
                ChangeRefused::LastAppointer => Ok(()),
                ChangeRefused::BeyondOwn => Err(why),
            })
        );
    }

    #[rstest]
    #[case::valid(true, false, true, false, None)]
    #[case::never_looked_up(false, true, true, false, Some(CannotAct::NeverLookedUp))]
    #[case::banned(true, true, true, true, Some(CannotAct::Banned))]
    #[case::no_address(true, false, false, true, Some(CannotAct::NoActiveAddress))]
    #[case::erased(true, false, true, true, Some(CannotAct::Erased))]
    fn admin_needs_valid_account_and_address(
        #[case] is_observed: bool,
        #[case] is_banned: bool,
        #[case] has_active_address: bool,
        #[case] is_erased: bool,
        #[case] expected: Option<CannotAct>,
    ) {
        let mut seen = Observation {
            person: Person {
                name: PersonName::parse("ada").unwrap(),
                fingerprint: Fingerprint(1),
                account: Account::Active,
                signed_code_of_conduct: true,
            },
            observed_at: Timestamp::UNIX_EPOCH,
        };
        let of =
            |seen: &Observation| CannotAct::of(is_observed.then_some(seen), is_banned, has_active_address, is_erased);
        assert_eq!(of(&seen), expected);
        seen.person.account = Account::Deactivated;
        if is_observed && !is_banned {
            assert_eq!(of(&seen), Some(CannotAct::Account(Reason::Deactivated)));
        }
    }
}
