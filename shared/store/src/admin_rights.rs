//! Who can act as an admin at present, and what they may do: members who are bound, or named by an identity in the community
//! file.

use std::collections::BTreeMap;

use membermail_core::address::DomainName;
use membermail_core::admin::{CannotAct, Permissions};
use membermail_core::community::Domain;
use membermail_core::member::{Identity, Subject};

use crate::admins::AdminBinding;
use crate::error::StoreError;
use crate::identities::Owner;
use crate::keys::{self, Key};
use crate::members::Member;
use crate::table::{BATCH, Store, decode};

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
        let all = self.appointments(member, domains, issuer).await?;
        let can_act = !all.is_empty() && self.can_act(member).await?;
        Ok(if can_act { all } else { BTreeMap::new() })
    }

    /// The permissions that a member was given in each of these domains, also while they cannot act.
    pub async fn appointments(
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
        for domain in domains {
            if !self.named_identities(member, *domain, issuer).await?.is_empty() {
                all.insert(domain.domain.clone(), Permissions::all());
            }
        }
        all.retain(|_, permissions| !permissions.is_empty());
        Ok(all)
    }

    /// The identities in the community file that belong to a member.
    pub async fn named_identities(
        &self,
        member: &Member,
        domain: FileAdmins<'_>,
        issuer: &str,
    ) -> Result<Vec<Subject>, StoreError> {
        if domain.identities.is_empty() {
            return Ok(Vec::new());
        }
        let own = self.identities_of(member).await?.into_iter().map(|own| own.identity);
        let named = own.filter(|own| own.issuer == issuer && domain.identities.contains(&own.subject));
        Ok(named.map(|own| own.subject).collect())
    }

    async fn can_act(&self, member: &Member) -> Result<bool, StoreError> {
        Ok(self.reason_not_to_act(member).await?.is_none())
    }

    /// Why a member cannot act as an admin of any domain at present; `None` if they can. They need an active address: one
    /// that ends only because its domain is retired counts too.
    pub async fn reason_not_to_act(&self, member: &Member) -> Result<Option<CannotAct>, StoreError> {
        let reason =
            |has_active| CannotAct::of(member.observation.as_ref(), member.is_banned(), has_active, member.is_erased());
        if let Some(other) = reason(true) {
            return Ok(Some(other));
        }
        for id in member.ids() {
            let aliases = self.aliases_of(id).await?;
            if aliases.iter().any(|stored| stored.alias.is_in_good_standing()) {
                return Ok(None);
            }
        }
        Ok(reason(false))
    }
}
