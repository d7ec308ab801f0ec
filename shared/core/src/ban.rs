//! Who may ban whom. A ban is for the whole community, so an admin of one domain cannot decide on it alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::DomainName;
use crate::admin::{Permission, Permissions};

/// What a ban of a member affects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BanScope {
    /// Whether the admin would ban themselves.
    pub is_oneself: bool,
    /// The domains in which the member, or one linked to them, ever got an address.
    pub addresses_in: BTreeSet<DomainName>,
    /// The domains whose admin they are, whether or not they can act at present.
    pub admin_of: BTreeSet<DomainName>,
}

/// Why an admin may neither ban a member nor lift the ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BanRefusal {
    /// They are the same person.
    Oneself,
    /// The member has an address in a domain where the admin may not ban, or none at all: only operators may.
    OtherDomain,
    /// The member is an admin of a domain where the admin may not appoint: only operators may.
    OtherAdmin,
}

/// Decides whether an admin with these permissions, by domain, may ban a member or lift the ban.
pub fn may_ban(scope: &BanScope, permissions: &BTreeMap<DomainName, Permissions>) -> Result<(), BanRefusal> {
    let has_in_all = |domains: &BTreeSet<DomainName>, permission| {
        domains.iter().all(|domain| permissions.get(domain).is_some_and(|own| own.has(permission)))
    };
    if scope.is_oneself {
        Err(BanRefusal::Oneself)
    } else if scope.addresses_in.is_empty() || !has_in_all(&scope.addresses_in, Permission::Ban) {
        Err(BanRefusal::OtherDomain)
    } else if !has_in_all(&scope.admin_of, Permission::Appoint) {
        Err(BanRefusal::OtherAdmin)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use Permission::{Appoint, Ban, Decide};

    const UBUNTU: &str = "ubuntu.com";
    const KUBUNTU: &str = "kubuntu.org";

    fn domains(names: &[&str]) -> BTreeSet<DomainName> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[rstest]
    #[case::one_domain(&[UBUNTU], &[], &[(UBUNTU, Ban)], Ok(()))]
    #[case::both_domains(&[UBUNTU, KUBUNTU], &[], &[(UBUNTU, Ban), (KUBUNTU, Ban)], Ok(()))]
    #[case::not_elsewhere(&[UBUNTU, KUBUNTU], &[], &[(UBUNTU, Ban)], Err(BanRefusal::OtherDomain))]
    #[case::other_permission(&[UBUNTU, KUBUNTU], &[], &[(UBUNTU, Ban), (KUBUNTU, Decide)], Err(BanRefusal::OtherDomain))]
    #[case::no_address(&[], &[], &[(UBUNTU, Ban), (UBUNTU, Appoint)], Err(BanRefusal::OtherDomain))]
    #[case::no_permission(&[UBUNTU], &[], &[], Err(BanRefusal::OtherDomain))]
    #[case::admin(&[UBUNTU], &[UBUNTU], &[(UBUNTU, Ban)], Err(BanRefusal::OtherAdmin))]
    #[case::appointed_admin(&[UBUNTU], &[UBUNTU], &[(UBUNTU, Ban), (UBUNTU, Appoint)], Ok(()))]
    #[case::admin_elsewhere(&[UBUNTU], &[KUBUNTU], &[(UBUNTU, Ban), (UBUNTU, Appoint)], Err(BanRefusal::OtherAdmin))]
    #[case::appoint_only(&[UBUNTU], &[UBUNTU], &[(UBUNTU, Appoint)], Err(BanRefusal::OtherDomain))]
    fn ban_needs_permission_everywhere(
        #[case] addresses_in: &[&str],
        #[case] admin_of: &[&str],
        #[case] given: &[(&str, Permission)],
        #[case] expected: Result<(), BanRefusal>,
    ) {
        let mut permissions = BTreeMap::<DomainName, Permissions>::new();
        for (domain, permission) in given {
            let own = permissions.entry(domain.parse().unwrap()).or_default();
            *own = own.union([*permission].into_iter().collect());
        }
        let scope = BanScope { is_oneself: false, addresses_in: domains(addresses_in), admin_of: domains(admin_of) };
        assert_eq!(may_ban(&scope, &permissions), expected);
        let scope = BanScope { is_oneself: true, ..scope };
        assert_eq!(may_ban(&scope, &permissions), Err(BanRefusal::Oneself));
    }
}
