//! The admins of a domain: members bound by id, or by an identity in the community file. alias-map, notify and the admin pages
//! use them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::admin::Permissions;
use membermail_core::audit::{AdminChange, Cause, Change, Entry};
use membermail_core::community::Domain;
use membermail_core::member::{Identity, MemberId, Subject};
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

use crate::audit::record;
use crate::error::StoreError;
use crate::identities::Owner;
use crate::keys::{self, Key};
use crate::members::Member;
use crate::table::{BATCH, Slot, Store, Write, decode, item_exists};

/// The binding of a member as an admin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminBinding {
    /// The admin.
    pub member: MemberId,
    /// When they were bound.
    pub since: Timestamp,
    /// The operator or the admin who bound them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What they may do. All, if they were bound before there were permissions.
    #[serde(default = "Permissions::all")]
    pub permissions: Permissions,
}

/// A domain with its admins in the community file.
#[derive(Clone, Copy, Debug)]
pub struct FileAdmins<'a> {
    /// The domain.
    pub domain: &'a DomainName,
    /// Members with one of these identities have all permissions.
    pub identities: &'a [Subject],
}

impl<'a> From<&'a Domain> for FileAdmins<'a> {
    fn from(domain: &'a Domain) -> Self {
        Self { domain: &domain.domain, identities: &domain.admin_identities }
    }
}

impl Store {
    /// Binds an admin. Returns false if they were bound before.
    pub async fn bind_admin(
        &self,
        domain: &DomainName,
        member: MemberId,
        permissions: Permissions,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let binding = AdminBinding { member, since: cause.now, by: cause.by.map(str::to_owned), permissions };
        let create = Write::create(&keys::admin(domain, member), &binding)?;
        self.change_admin(create, domain, member, AdminChange::Added, cause, random).await
    }

    /// Ends a binding. Returns false if there was none.
    pub async fn unbind_admin(
        &self,
        domain: &DomainName,
        member: MemberId,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let delete = Write::delete(&keys::admin(domain, member)).when(item_exists());
        self.change_admin(delete, domain, member, AdminChange::Removed, cause, random).await
    }

    async fn change_admin(
        &self,
        write: Write,
        domain: &DomainName,
        member: MemberId,
        did: AdminChange,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let entry = Entry::new(Change::Admin { member, domain: domain.clone(), did }, cause, random);
        let mut writes = vec![write.slot(Slot::AdminBinding)];
        writes.extend(record(&entry)?);
        self.commit(writes).await?.committed_unless_failed(Slot::AdminBinding)
    }

    /// All bindings of a domain, including those of members who cannot act at present.
    pub async fn admin_bindings(&self, domain: &DomainName) -> Result<Vec<AdminBinding>, StoreError> {
        self.list(&keys::admins(domain), "").await
    }

    /// The admins of a domain who can act at present, each once. `issuer` is the provider of the identities in the community
    /// file. If there are none, mail for the admins goes to the operators.
    pub async fn admins(&self, domain: &Domain, issuer: &str) -> Result<Vec<Member>, StoreError> {
        self.admins_of(&domain.domain, &domain.admin_identities, issuer).await
    }

    /// The same for a domain that the community file need not list: its bound admins stay admins during the grace period of
    /// its addresses.
    pub async fn admins_of(
        &self,
        domain: &DomainName,
        identities: &[Subject],
        issuer: &str,
    ) -> Result<Vec<Member>, StoreError> {
        let bindings = self.admin_bindings(domain).await?;
        let mut ids: Vec<_> = bindings.into_iter().map(|binding| binding.member).collect();
        for subject in identities {
            let identity = Identity { issuer: issuer.to_owned(), subject: subject.clone() };
            ids.extend(self.get::<Owner>(&keys::identity(&identity)).await?.map(|owner| owner.owner));
        }
        let mut admins: Vec<Member> = Vec::new();
        for id in ids {
            let Some(member) = self.survivor(id).await? else { continue };
            if admins.iter().all(|admin| admin.id != member.id) && self.can_act(&member).await? {
                admins.push(member);
            }
        }
        Ok(admins)
    }

    /// What a member may do at present in each of these domains; domains without a permission are left out. `issuer` is the
    /// provider of the identities in the community file.
    pub async fn permissions(
        &self,
        member: &Member,
        domains: &[FileAdmins<'_>],
        issuer: &str,
    ) -> Result<BTreeMap<DomainName, Permissions>, StoreError> {
        let mut all: BTreeMap<DomainName, Permissions> = BTreeMap::new();
        let names: BTreeMap<_, _> =
            domains.iter().map(|FileAdmins { domain, .. }| (keys::admins(domain), *domain)).collect();
        let keys: Vec<_> = domains
            .iter()
            .flat_map(|FileAdmins { domain, .. }| member.ids().map(|id| keys::admin(domain, id)))
            .collect();
        for keys in keys.chunks(BATCH) {
            for item in self.batch_get(keys).await? {
                let Some(domain) = names.get(&Key::of_item(&item)?.pk) else { continue };
                let AdminBinding { permissions, .. } = decode(item)?;
                let known = all.entry((*domain).clone()).or_default();
                *known = known.union(permissions);
            }
        }
        if domains.iter().any(|FileAdmins { identities, .. }| !identities.is_empty()) {
            let identities = self.identities_of(member).await?;
            for FileAdmins { domain, identities: named } in domains {
                let mut own = identities.iter().map(|own| &own.identity);
                if own.any(|own| own.issuer == issuer && named.contains(&own.subject)) {
                    all.insert((*domain).clone(), Permissions::all());
                }
            }
        }
        all.retain(|_, permissions| !permissions.is_empty());
        let can_act = !all.is_empty() && self.can_act(member).await?;
        Ok(if can_act { all } else { BTreeMap::new() })
    }

    /// An admin can act if they are not banned, their account was valid at the last look-up, and they have an active address.
    /// An address that ends only because its domain is retired counts too.
    async fn can_act(&self, member: &Member) -> Result<bool, StoreError> {
        let is_valid = member.observation.as_ref().is_some_and(|observation| observation.person.check().is_ok());
        if member.is_banned() || member.is_erased() || !is_valid {
            return Ok(false);
        }
        for id in member.ids() {
            let aliases = self.aliases_of(id).await?;
            if aliases.iter().any(|stored| stored.alias.is_in_good_standing()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
