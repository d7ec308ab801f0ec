//! The admins of a domain: members bound by id or by an identity in the community file, and eligible when they are needed.
//! alias-map and notify both ask here.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::audit::{AdminChange, Cause, Change, Entry};
use membermail_core::community::Domain;
use membermail_core::member::{ClaimedIdentifier, Identity, MemberId};
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::members::{Member, Owner};
use crate::table::{Store, Written};

/// A binding of an admin, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminBinding {
    /// The member.
    pub member: MemberId,
    /// Since when.
    pub since: Timestamp,
    /// The operator who bound them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl Store {
    /// Binds an admin. Returns whether they were none before.
    pub async fn bind_admin(
        &self,
        domain: &DomainName,
        member: MemberId,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let binding = AdminBinding { member, since: cause.now, by: cause.by.map(str::to_owned) };
        let put = self.put(&keys::admin(domain, member), &binding)?.condition_expression("attribute_not_exists(pk)");
        let put = TransactWriteItem::builder().put(put.build()?).build();
        self.change_admin(put, domain, member, AdminChange::Added, cause, random).await
    }

    /// Ends a binding. Returns whether there was one.
    pub async fn unbind_admin(
        &self,
        domain: &DomainName,
        member: MemberId,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let removal = self.removal_if(&keys::admin(domain, member), "attribute_exists(pk)")?;
        self.change_admin(removal, domain, member, AdminChange::Removed, cause, random).await
    }

    async fn change_admin(
        &self,
        write: TransactWriteItem,
        domain: &DomainName,
        member: MemberId,
        did: AdminChange,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let entry = Entry::new(Change::Admin { member, domain: domain.clone(), did }, cause, random);
        match self.transact(vec![write, self.audit_write(&entry)?]).await? {
            Written::All => Ok(true),
            Written::Failed(places) if places.contains(&0) => Ok(false),
            Written::Failed(_) => Err(StoreError::Conflict),
        }
    }

    /// All bindings of a domain, whether their members can act now or not.
    pub async fn admin_bindings(&self, domain: &DomainName) -> Result<Vec<AdminBinding>, StoreError> {
        self.list(&keys::admins(domain), "").await
    }

    /// The admins of a domain who can act now, each once. `issuer` is the provider that the identities of the community
    /// file belong to. Where there are none, mail for the admins goes to the operators.
    pub async fn admins(&self, domain: &Domain, issuer: &str) -> Result<Vec<Member>, StoreError> {
        self.admins_of(&domain.domain, &domain.admin_identities, issuer).await
    }

    /// The same for a domain that the community file need not list. Its bound admins stay admins while its addresses go
    /// through the grace period.
    pub async fn admins_of(
        &self,
        domain: &DomainName,
        identities: &[ClaimedIdentifier],
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

    /// An admin acts while they are not banned, their account was valid at the last look-up, and they have an active
    /// address. One that ends only because its domain is retired counts too.
    async fn can_act(&self, member: &Member) -> Result<bool, StoreError> {
        let is_valid = member.observation.as_ref().is_some_and(|observation| observation.person.check().is_ok());
        if member.is_banned() || member.is_shredded() || !is_valid {
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
