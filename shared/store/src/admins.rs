//! The bindings of members as admins of a domain.

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::admin::Permissions;
use membermail_core::audit::{AdminChange, Cause, Change, Entry};
use membermail_core::member::MemberId;
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys;
use crate::outbox;
use crate::table::{Slot, Store, Update, Write, attribute, item_exists, path};

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

impl Store {
    /// Binds an admin. Returns the entry of its notice; none if they were bound before.
    pub async fn bind_admin(
        &self,
        domain: &DomainName,
        member: MemberId,
        permissions: Permissions,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Option<Ulid>, StoreError> {
        let binding = AdminBinding { member, since: cause.now, by: cause.by.map(str::to_owned), permissions };
        let create = Write::create(&keys::admin(domain, member), &binding)?;
        let change =
            Change::Admin { member, domain: domain.clone(), did: AdminChange::Added, permissions: Some(permissions) };
        self.change_admin(create, None, change, cause, random).await
    }

    /// Ends a binding. Returns the entry of its notice; none if there was no binding. If another binding has to stay, and it
    /// is not as it was read, the error is [`StoreError::Conflict`].
    pub async fn unbind_admin(
        &self,
        domain: &DomainName,
        member: MemberId,
        stays: Option<&AdminBinding>,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Option<Ulid>, StoreError> {
        let delete = Write::delete(&keys::admin(domain, member)).when(item_exists());
        let change = Change::Admin { member, domain: domain.clone(), did: AdminChange::Removed, permissions: None };
        self.change_admin(delete, keep(domain, stays)?, change, cause, random).await
    }

    /// Changes what a bound admin may do. Returns the entry of its notice; none if they are not bound with the permissions
    /// `before` any more. Another binding can have to stay, as for [`unbind_admin`](Self::unbind_admin).
    pub async fn change_permissions(
        &self,
        domain: &DomainName,
        member: MemberId,
        [before, after]: [Permissions; 2],
        stays: Option<&AdminBinding>,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Option<Ulid>, StoreError> {
        let update = set_permissions(domain, member, [before, after])?;
        let change =
            Change::Admin { member, domain: domain.clone(), did: AdminChange::Changed, permissions: Some(after) };
        self.change_admin(update, keep(domain, stays)?, change, cause, random).await
    }

    async fn change_admin(
        &self,
        write: Write,
        kept: Option<Write>,
        change: Change,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Option<Ulid>, StoreError> {
        let entry = Entry::new(change, cause, random);
        let mut writes = vec![write.slot(Slot::AdminBinding)];
        writes.extend(kept);
        writes.extend(outbox::announce(&entry)?);
        let is_done = self.commit(writes).await?.committed_unless_failed(Slot::AdminBinding)?;
        Ok(is_done.then_some(entry.id))
    }

    /// The binding of a member.
    pub async fn admin_binding(
        &self,
        domain: &DomainName,
        member: MemberId,
    ) -> Result<Option<AdminBinding>, StoreError> {
        self.get(&keys::admin(domain, member)).await
    }

    /// All bindings of a domain, including those of members who cannot act at present.
    pub async fn admin_bindings(&self, domain: &DomainName) -> Result<Vec<AdminBinding>, StoreError> {
        self.list(&keys::admins(domain), "").await
    }
}

/// Replaces the permissions of a binding that is as it was read.
fn set_permissions(
    domain: &DomainName,
    member: MemberId,
    [before, after]: [Permissions; 2],
) -> Result<Write, StoreError> {
    let stored = path("permissions");
    let mut is_as_read = stored.eq(attribute(&before)?);
    if before == Permissions::all() {
        // Bindings from before there were permissions.
        is_as_read = is_as_read.or(stored.not_exists());
    }
    let update = Update::new().set("permissions", attribute(&after)?);
    Ok(Write::update(&keys::admin(domain, member), update).when(item_exists().and(is_as_read)))
}

/// Fails the transaction unless the binding is as it was read. An update that changes nothing, since a condition alone would
/// need another IAM permission.
fn keep(domain: &DomainName, binding: Option<&AdminBinding>) -> Result<Option<Write>, StoreError> {
    binding.map(|binding| set_permissions(domain, binding.member, [binding.permissions; 2])).transpose()
}
