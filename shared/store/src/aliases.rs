//! Aliases as items: how they are read, one by one, by member, and a whole domain as a stream.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::audit::Entry;
use membermail_core::clock::later;
use membermail_core::email::EmailAddress;
use membermail_core::expiry::{CLOCK_SKEW, is_from_future};
use membermail_core::member::{MemberId, ObservedName};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::members::Member;
use crate::sealing::{Field, Salt, SealError, Sealed, Sealer};
use crate::table::{Store, decode, if_condition_holds, number, text};

/// An alias with its sealed destination.
#[derive(Clone, Debug)]
pub struct StoredAlias {
    /// All but the destination.
    pub alias: Alias,
    pub(crate) destination: Option<Sealed>,
}

impl StoredAlias {
    /// Where it forwards to; nowhere, once it is retired.
    pub fn destination(&self, sealer: &Sealer, salt: &Salt) -> Result<Option<EmailAddress>, SealError> {
        let field = Field::Destination(&self.alias.address);
        self.destination.as_ref().map(|sealed| sealer.open(salt, self.alias.member, field, sealed)).transpose()
    }
}

/// The item. `member` and `address` are the keys of the index by member.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stored {
    address: Address,
    member: MemberId,
    #[serde(flatten)]
    known_as: ObservedName,
    status: Status,
    reason: Reason,
    since: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    version: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    erase_pending: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    destination: Option<Sealed>,
}

/// What a sync needs of an alias: all but the destination, which it has no business with.
const COMPARED: &str = "address, #member, #name, fingerprint, observed_at, #status, reason, since, #until, version, \
    erase_pending";

impl From<Stored> for StoredAlias {
    fn from(stored: Stored) -> Self {
        let Stored { address, member, known_as, status, reason, since, until, version, erase_pending, destination } =
            stored;
        let alias = Alias { address, member, known_as, status, reason, since, until, version, erase_pending };
        Self { alias, destination }
    }
}

impl Store {
    /// The alias of that address.
    pub async fn alias(&self, address: &Address) -> Result<Option<StoredAlias>, StoreError> {
        Ok(self.get::<Stored>(&keys::alias(address)).await?.map(StoredAlias::from))
    }

    /// A member and an alias, by one request, strongly consistent: what a grant or a notice on the alias needs.
    pub async fn member_with_alias(
        &self,
        id: MemberId,
        address: &Address,
    ) -> Result<(Option<Member>, Option<StoredAlias>), StoreError> {
        let keys = [keys::profile(id), keys::alias(address)];
        let (mut member, mut alias) = (None, None);
        self.each_item_of(&keys, |item| {
            if item.get("sk").and_then(|sk| sk.as_s().ok()) == Some(&keys[0].sk) {
                member = Some(decode::<Member>(item, &keys[0])?);
            } else {
                alias = Some(decode::<Stored>(item, &keys[1])?.into());
            }
            Ok(())
        })
        .await?;
        Ok((member, alias))
    }

    /// The same with the member that they were linked to, where they were.
    pub async fn survivor_with_alias(
        &self,
        id: MemberId,
        address: &Address,
    ) -> Result<(Option<Member>, Option<StoredAlias>), StoreError> {
        let (member, alias) = self.member_with_alias(id, address).await?;
        let survivor = match member {
            Some(member) => self.survivor_of(member).await?,
            None => None,
        };
        Ok((survivor, alias))
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

    /// Hands every alias of a domain to `each`, by local part. Eventually consistent: a change that is based on it is
    /// conditional on the version.
    pub async fn each_alias(&self, domain: &DomainName, mut each: impl FnMut(Alias)) -> Result<(), StoreError> {
        let key = keys::domain(domain);
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", text(&key.pk))
            .expression_attribute_values(":sk", text(keys::ALIAS))
            .projection_expression(COMPARED)
            .expression_attribute_names("#member", "member")
            .expression_attribute_names("#name", "name")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#until", "until")
            .into_paginator()
            .items()
            .send();
        while let Some(item) = items.next().await {
            each(StoredAlias::from(decode::<Stored>(item?, &key)?).alias);
        }
        Ok(())
    }

    /// Records the name that an alias is known by from now on; its state and version stay. An older observation changes
    /// nothing, and neither does one from the future. Returns whether it was recorded.
    pub async fn observe_alias(
        &self,
        address: &Address,
        member: MemberId,
        known_as: &ObservedName,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if is_from_future(known_as.observed_at, now) {
            return Ok(false);
        }
        let Key { pk, sk } = keys::alias(address);
        let request = self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
        let updated = request
            .update_expression("SET #name = :name, fingerprint = :fingerprint, observed_at = :observed_at")
            .condition_expression("#member = :member AND (observed_at < :observed_at OR observed_at > :future)")
            .expression_attribute_names("#name", "name")
            .expression_attribute_names("#member", "member")
            .expression_attribute_values(":name", text(known_as.name.as_str()))
            .expression_attribute_values(":fingerprint", number(known_as.fingerprint))
            .expression_attribute_values(":observed_at", number(known_as.observed_at.as_microsecond()))
            .expression_attribute_values(":future", number(later(now, CLOCK_SKEW).as_microsecond()))
            .expression_attribute_values(":member", text(member.to_string()))
            .send()
            .await;
        if_condition_holds(updated)
    }

    /// The writes of an alias' change: itself, on the version before, its audit entry, and the same in the outbox, so
    /// that those whom it concerns are told of it whatever happens next.
    pub(crate) fn alias_writes(
        &self,
        alias: &Alias,
        destination: Option<Sealed>,
        entry: &Entry,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let Alias { address, member, known_as, status, reason, since, until, version, erase_pending } = alias.clone();
        let key = keys::alias(&address);
        let stored =
            Stored { address, member, known_as, status, reason, since, until, version, erase_pending, destination };
        let put = self.put(&key, &stored)?;
        let put = if version == 1 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("#version = :version")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":version", number(version - 1))
        };
        let put = TransactWriteItem::builder().put(put.build()?).build();
        Ok(vec![put, self.audit_write(entry)?, self.outbox_write(entry)?])
    }
}

#[cfg(test)]
#[path = "item_tests.rs"]
mod tests;
