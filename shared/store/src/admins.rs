//! The admins of a domain: members bound by id, or by an identity in the community file. alias-map and notify use them.

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::audit::{AdminChange, Cause, Change, Entry};
use membermail_core::community::Domain;
use membermail_core::member::{Identity, MemberId, Subject};
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

use crate::audit::record;
use crate::error::StoreError;
use crate::identities::Owner;
use crate::keys;
use crate::members::Member;
use crate::table::{Slot, Store, Write, item_exists};

/// The binding of a member as an admin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminBinding {
    /// The admin.
    pub member: MemberId,
    /// When they were bound.
    pub since: Timestamp,
    /// The operator who bound them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl Store {
    /// Binds an admin. Returns false if they were bound before.
    pub async fn bind_admin(
        &self,
        domain: &DomainName,
        member: MemberId,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let binding = AdminBinding { member, since: cause.now, by: cause.by.map(str::to_owned) };
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
