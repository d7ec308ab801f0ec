//! Aliases: each change is conditional on what it was decided on, in one transaction with its audit entry.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{self, Alias, Decision, Reason, Refusal, Status};
use membermail_core::audit::{Actor, Entry};
use membermail_core::email::EmailAddress;
use membermail_core::member::{self, MemberId};
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

use crate::domains::IS_VERIFIED;
use crate::error::StoreError;
use crate::keys;
use crate::members::{IS_NOT_BANNED, Member, unsealable};
use crate::sealing::{Field, Salt, SealError, Sealed, Sealer};
use crate::table::{Store, TRIES, Written, decode, number, pause, text};

/// An alias with its sealed destination.
#[derive(Clone, Debug)]
pub struct StoredAlias {
    /// All but the destination.
    pub alias: Alias,
    destination: Sealed,
}

impl StoredAlias {
    /// Where it forwards to.
    pub fn destination(&self, sealer: &Sealer, salt: &Salt) -> Result<EmailAddress, SealError> {
        sealer.open(salt, self.alias.member, Field::Destination(&self.alias.address), &self.destination)
    }
}

/// What became of a wish for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// It is new.
    Created(Alias),
    /// The member had it in another state.
    Changed(Alias),
    /// It was as it should be.
    Unchanged,
    /// There is a reason against it.
    Refused(Refusal),
    /// The member has been banned meanwhile.
    Banned,
}

/// Who wishes, and what the audit log is told.
#[derive(Clone, Copy, Debug)]
pub struct Cause<'a> {
    /// By whom.
    pub actor: Actor,
    /// The request that it began with.
    pub request_id: &'a str,
    /// When.
    pub now: Timestamp,
}

/// The item. `member` and `address` are the keys of the index by member.
#[derive(Serialize, Deserialize)]
struct Stored {
    address: Address,
    member: MemberId,
    status: Status,
    reason: Reason,
    since: Timestamp,
    version: u64,
    destination: Sealed,
}

impl From<Stored> for StoredAlias {
    fn from(stored: Stored) -> Self {
        let Stored { address, member, status, reason, since, version, destination } = stored;
        Self { alias: Alias { address, member, status, reason, since, version }, destination }
    }
}

impl Store {
    /// The alias of that address, strongly consistent.
    pub async fn alias(&self, address: &Address) -> Result<Option<StoredAlias>, StoreError> {
        Ok(self.get::<Stored>(&keys::alias(address)).await?.map(StoredAlias::from))
    }

    /// The alias of that address as it was a moment ago, for who looks often and may be late by that.
    pub async fn alias_eventually(&self, address: &Address) -> Result<Option<StoredAlias>, StoreError> {
        Ok(self.get_eventually::<Stored>(&keys::alias(address)).await?.map(StoredAlias::from))
    }

    /// A member's aliases, by address. The index lags behind the table by a moment.
    pub async fn aliases_of(&self, member: MemberId) -> Result<Vec<StoredAlias>, StoreError> {
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by-member")
            .key_condition_expression("#member = :member")
            .expression_attribute_names("#member", "member")
            .expression_attribute_values(":member", text(member.to_string()))
            .into_paginator()
            .items()
            .send();
        let mut aliases = Vec::new();
        while let Some(item) = items.next().await {
            aliases.push(decode::<Stored>(item?, &keys::profile(member))?.into());
        }
        Ok(aliases)
    }

    /// Gives an eligible member an address that forwards to where they sign in, or says why not. The same wish again,
    /// two at once, or an older one later come to one alias and one audit entry.
    pub async fn grant(
        &self,
        sealer: &Sealer,
        member: &Member,
        address: &Address,
        community: &[DomainName],
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Grant, StoreError> {
        let destination = member.sign_in_address(sealer).map_err(unsealable)?;
        for tried in 0..TRIES {
            let existing = self.alias(address).await?.map(|stored| stored.alias);
            let (status, reason) = match alias::decide(existing.as_ref(), member.id, &destination, community) {
                Decision::Create { status, reason } | Decision::Change { status, reason, .. } => (status, reason),
                Decision::Refuse(refusal) => return Ok(Grant::Refused(refusal)),
                Decision::Unchanged => {
                    self.delete(&keys::refusal(member.id, &address.domain)).await?;
                    return Ok(Grant::Unchanged);
                }
            };
            let version = existing.as_ref().map_or(1, |alias| alias.version + 1);
            let alias =
                Alias { address: address.clone(), member: member.id, status, reason, since: cause.now, version };
            let field = Field::Destination(address);
            let sealed = sealer.seal(&member.salt, member.id, field, &destination, random).map_err(unsealable)?;
            let writes = vec![
                self.alias_write(&alias, sealed)?,
                self.audit_write(&entry(&alias, existing.as_ref(), cause, random))?,
                self.check(&keys::domain(&address.domain), IS_VERIFIED)?,
                self.check(&keys::profile(member.id), IS_NOT_BANNED)?,
                self.removal(&keys::refusal(member.id, &address.domain))?,
            ];
            match self.transact(writes).await? {
                Written::All if existing.is_none() => return Ok(Grant::Created(alias)),
                Written::All => return Ok(Grant::Changed(alias)),
                Written::Failed(places) if places.contains(&3) => return Ok(Grant::Banned),
                Written::Failed(places) if places.contains(&2) => {
                    return Ok(Grant::Refused(Refusal::DomainNotVerified));
                }
                // Somebody else wrote the alias meanwhile: decide again on what it is now.
                Written::Failed(_) => pause(tried, random).await,
            }
        }
        Err(StoreError::Conflict)
    }

    fn alias_write(&self, alias: &Alias, destination: Sealed) -> Result<TransactWriteItem, StoreError> {
        let Alias { address, member, status, reason, since, version } = alias.clone();
        let key = keys::alias(&address);
        let stored = Stored { address, member, status, reason, since, version, destination };
        let put = self.put(&key, &stored)?;
        let put = if version == 1 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("#version = :version")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":version", number(version - 1))
        };
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }
}

fn entry(alias: &Alias, before: Option<&Alias>, cause: Cause<'_>, random: &dyn Random) -> Entry {
    Entry {
        id: member::ulid(cause.now, random),
        at: cause.now,
        actor: cause.actor,
        member: alias.member,
        address: alias.address.clone(),
        before: before.map(|alias| alias.status),
        after: alias.status,
        reason: alias.reason,
        request_id: cause.request_id.to_owned(),
    }
}

#[cfg(test)]
#[path = "item_tests.rs"]
mod tests;
