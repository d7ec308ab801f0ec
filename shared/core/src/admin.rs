//! What an admin of a domain may do.

use serde::{Deserialize, Serialize};
use strum::{AsRefStr, Display, EnumIter, EnumString, IntoEnumIterator as _};

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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

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
}
