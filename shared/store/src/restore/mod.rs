//! After a point-in-time restore: what the restored table must know before it grants anything.
//!
//! An address that was granted after the restore point has no trace in the restored table, so another member could get it
//! and read mail that is meant for its owner. The import marks each such address as taken: with its owner, where the table
//! from before still knows them, and otherwise as a tombstone that no member is granted until an operator assigns it.
//!
//! The table from before may be damaged, which is why there was a restore. So nothing that the restored table has is
//! replaced by what the other one says, with one exception that only takes rights away: a ban counts.

mod members;
mod scan;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, TransactWriteItem};
use membermail_core::address::Address;
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::audit::{Actor, Cause, Change, Entry};
use membermail_core::clock::Clock;
use membermail_core::member::{Fingerprint, LaunchpadName, MemberId, ObservedName};
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

use crate::aliases::{Stored, StoredAlias};
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::table::{Item, Store, TRIES, Written, decode, number, pause, text};

use members::Owner;

/// The name that a tombstone is known by, where its local part is no name of the membership source.
const NO_NAME: &str = "unknown";

/// An import into a restored table.
pub struct Import<'a> {
    restored: &'a Store,
    is_dry_run: bool,
    /// The operator.
    by: &'a str,
    request_id: &'a str,
    clock: &'a dyn Clock,
    random: &'a dyn Random,
    /// What is known of owners: a member can have many addresses.
    owners: Mutex<HashMap<MemberId, Owner>>,
}

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Addresses that were looked at.
    pub examined: u64,
    /// Those that the restored table has.
    pub present: u64,
    /// Those that were imported as they were, with their owner and where they forward to.
    pub with_owner: u64,
    /// Those that were imported for their owner and forward nowhere until that member checks again: the restored table has
    /// another key of theirs.
    pub without_destination: u64,
    /// Those that were imported without an owner.
    pub tombstones: u64,
    /// Members that were imported with them, or because of a ban.
    pub members: u64,
    /// Bans that were carried over.
    pub bans: u64,
    /// Addresses that each table gives to another member. The restored table counts.
    pub other_owner: Vec<Address>,
    /// Members who are banned in the restored table and were not any more: an operator decides.
    pub still_banned: Vec<MemberId>,
    /// Members whose personal data was erased after the restore point and is back: an operator decides.
    pub not_erased: Vec<MemberId>,
}

/// The result of assigning a tombstone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assigned {
    /// It belongs to the member now.
    Done(Box<Alias>),
    /// It has an owner: addresses never pass to another member.
    HasOwner(MemberId),
    /// There is no such address.
    NoAlias,
    /// There is no such member.
    NoMember,
}

#[derive(Deserialize)]
struct Place {
    address: Address,
    member: MemberId,
}

impl<'a> Import<'a> {
    /// Into this table. A dry run reads and counts, and writes nothing.
    pub fn new(
        restored: &'a Store,
        is_dry_run: bool,
        (by, request_id): (&'a str, &'a str),
        clock: &'a dyn Clock,
        random: &'a dyn Random,
    ) -> Self {
        Self { restored, is_dry_run, by, request_id, clock, random, owners: Mutex::default() }
    }

    /// Marks addresses as taken whose owners are not known, unless the table has them.
    pub async fn addresses(&self, addresses: &[Address]) -> Result<ImportReport, StoreError> {
        let known = self.owners_of(addresses.iter()).await?;
        let mut report = ImportReport { examined: addresses.len() as u64, ..ImportReport::default() };
        for address in addresses {
            // An id of its own that no profile has: no member is the owner, and none can become it by signing in.
            let unassigned = MemberId::new(self.clock.now(), self.random);
            if known.contains_key(address) || !self.put_without_destination(address, unassigned, None).await? {
                report.present += 1;
            } else {
                report.tombstones += 1;
            }
        }
        Ok(report)
    }

    /// Imports those aliases of the table from before that this one does not have.
    async fn aliases(&self, old: &Store, items: Vec<Item>) -> Result<ImportReport, StoreError> {
        let mut report = ImportReport::default();
        let key = Key { pk: "DOMAIN".to_owned(), sk: keys::ALIAS.to_owned() };
        let mut places = Vec::with_capacity(items.len());
        for item in &items {
            places.push(decode::<Place>(item.clone(), &key)?);
        }
        let known = self.owners_of(places.iter().map(|place| &place.address)).await?;
        for (Place { address, member }, item) in places.into_iter().zip(items) {
            report.examined += 1;
            match known.get(&address) {
                Some(owner) => {
                    report.present += 1;
                    if *owner != member {
                        report.other_owner.push(address);
                    }
                }
                None => self.alias(old, (&address, member), item, &mut report).await?,
            }
        }
        Ok(report)
    }

    async fn alias(
        &self,
        old: &Store,
        (address, member): (&Address, MemberId),
        item: Item,
        report: &mut ImportReport,
    ) -> Result<(), StoreError> {
        let owner = self.owner(old, member).await?;
        report.members += u64::from(matches!(owner, Owner::Imported { is_new: true, .. }));
        let count = match &owner {
            Owner::Same { salt } | Owner::Imported { salt, .. } => {
                if self.put_as_it_was((address, member), salt, item).await? {
                    report.with_owner += 1;
                    return Ok(());
                }
                &mut report.present
            }
            Owner::OtherKey => {
                let stored = StoredAlias::from(decode::<Stored>(item, &keys::alias(address))?).alias;
                if self.put_without_destination(address, member, Some(stored)).await? {
                    &mut report.without_destination
                } else {
                    &mut report.present
                }
            }
            Owner::Unknown => match self.put_without_destination(address, member, None).await? {
                true => &mut report.tombstones,
                false => &mut report.present,
            },
        };
        *count += 1;
        Ok(())
    }

    /// Puts an alias as the other table has it, for a member who has the same key here. False, where the address is there.
    async fn put_as_it_was(
        &self,
        (address, member): (&Address, MemberId),
        salt: &AttributeValue,
        item: Item,
    ) -> Result<bool, StoreError> {
        if self.is_dry_run {
            return Ok(true);
        }
        let alias = StoredAlias::from(decode::<Stored>(item.clone(), &keys::alias(address))?).alias;
        let put = Put::builder().table_name(&self.restored.table).set_item(Some(item));
        let put = put.condition_expression("attribute_not_exists(pk)").build()?;
        let Key { pk, sk } = keys::profile(member);
        let has_key = ConditionCheck::builder()
            .table_name(&self.restored.table)
            .key("pk", text(pk))
            .key("sk", text(sk))
            .condition_expression("salt = :salt")
            .expression_attribute_values(":salt", salt.clone())
            .build()?;
        let writes = vec![
            TransactWriteItem::builder().put(put).build(),
            self.audit_write(Change::of_alias(&alias, None, None))?,
            self.count_write(member, address)?,
            TransactWriteItem::builder().condition_check(has_key).build(),
        ];
        self.put_new(writes).await
    }

    /// Puts an address that forwards nowhere: retired, so that no sync looks after it, and its owner alone gets it back.
    /// Without what it `was`, it has no owner yet.
    async fn put_without_destination(
        &self,
        address: &Address,
        member: MemberId,
        was: Option<Alias>,
    ) -> Result<bool, StoreError> {
        if self.is_dry_run {
            return Ok(true);
        }
        let now = self.clock.now();
        let (known_as, reason) = match was {
            Some(was) => (was.known_as, was.reason),
            None => (placeholder_name(address, now)?, Reason::Unassigned),
        };
        let alias = Alias {
            address: address.clone(),
            member,
            known_as,
            status: Status::Retired,
            reason,
            since: now,
            until: None,
            version: 1,
            erase_pending: false,
        };
        let entry = self.entry(Change::of_alias(&alias, None, None));
        // The alias and its audit entry, without the one in the outbox: no member is to be notified of an import.
        let mut writes = self.restored.alias_writes(&alias, None, &entry)?;
        writes.truncate(2);
        if reason != Reason::Unassigned {
            writes.push(self.count_write(member, address)?);
        }
        self.put_new(writes).await
    }

    /// Writes what begins with a put of a new item. False, where that item is there.
    async fn put_new(&self, writes: Vec<TransactWriteItem>) -> Result<bool, StoreError> {
        for tried in 0..TRIES {
            match self.restored.transact(writes.clone()).await? {
                Written::All => return Ok(true),
                Written::Failed(places) if places.contains(&0) => return Ok(false),
                Written::Failed(_) => pause(tried, self.random).await,
            }
        }
        Err(StoreError::Conflict)
    }

    /// Those of these addresses that the restored table has, with their owners.
    async fn owners_of(
        &self,
        addresses: impl Iterator<Item = &Address>,
    ) -> Result<HashMap<Address, MemberId>, StoreError> {
        let keys: Vec<_> = addresses.map(keys::alias).collect();
        let mut known = HashMap::new();
        self.restored
            .each_of(&keys, |Place { address, member }| {
                known.insert(address, member);
            })
            .await?;
        Ok(known)
    }

    /// One address more of its owner, as a grant counts and lists it.
    fn count_write(&self, member: MemberId, address: &Address) -> Result<TransactWriteItem, StoreError> {
        let update = self
            .restored
            .update(&keys::addresses(member, &address.domain))
            .update_expression("ADD #count :one, held :held")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":held", AttributeValue::Ss(vec![address.to_string()]));
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    fn audit_write(&self, change: Change) -> Result<TransactWriteItem, StoreError> {
        self.restored.audit_write(&self.entry(change))
    }

    fn entry(&self, change: Change) -> Entry {
        Entry::new(change, self.cause(), self.random)
    }

    fn cause(&self) -> Cause<'a> {
        Cause { actor: Actor::Operator, by: Some(self.by), request_id: self.request_id, now: self.clock.now() }
    }

    fn owners(&self) -> std::sync::MutexGuard<'_, HashMap<MemberId, Owner>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ImportReport {
    /// Adds what another part of the same import did.
    pub fn add(&mut self, other: Self) {
        self.examined += other.examined;
        self.present += other.present;
        self.with_owner += other.with_owner;
        self.without_destination += other.without_destination;
        self.tombstones += other.tombstones;
        self.members += other.members;
        self.bans += other.bans;
        self.other_owner.extend(other.other_owner);
        self.still_banned.extend(other.still_banned);
        self.not_erased.extend(other.not_erased);
    }
}

impl Store {
    /// An item with all of its attributes, also those that only a later release knows.
    async fn raw(&self, Key { pk, sk }: &Key) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        Ok(request.key("pk", text(pk)).key("sk", text(sk)).send().await?.item)
    }

    /// The same for a partition.
    async fn raw_partition(&self, pk: &str) -> Result<Vec<Item>, StoreError> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query.key_condition_expression("pk = :pk").expression_attribute_values(":pk", text(pk));
        let mut items = query.into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(item) = items.next().await {
            all.push(item?);
        }
        Ok(all)
    }

    /// Assigns an imported address without an owner to a member. It is theirs from now on, and forwards once they sign in
    /// or check again under the name that it comes with.
    pub async fn assign_alias(
        &self,
        address: &Address,
        member: MemberId,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Assigned, StoreError> {
        for tried in 0..TRIES {
            if self.member(member).await?.is_none() {
                return Ok(Assigned::NoMember);
            }
            let Some(StoredAlias { alias: before, .. }) = self.alias(address).await? else {
                return Ok(Assigned::NoAlias);
            };
            let is_free = before.status == Status::Retired
                && before.reason == Reason::Unassigned
                && self.member(before.member).await?.is_none();
            if !is_free {
                return Ok(Assigned::HasOwner(before.member));
            }
            let alias = Alias { member, since: cause.now, version: before.version + 1, ..before.clone() };
            let entry = Entry::new(Change::of_alias(&alias, Some(&before), None), cause, random);
            let mut writes = self.alias_writes(&alias, None, &entry)?;
            writes.truncate(2);
            match self.transact(writes).await? {
                Written::All => return Ok(Assigned::Done(Box::new(alias))),
                Written::Failed(_) => pause(tried, random).await,
            }
        }
        Err(StoreError::Conflict)
    }
}

/// The observation of a tombstone, which has no member yet.
fn placeholder_name(address: &Address, now: jiff::Timestamp) -> Result<ObservedName, StoreError> {
    let name = LaunchpadName::parse(address.local_part.as_str()).or_else(|_| LaunchpadName::parse(NO_NAME));
    let name = name.map_err(|cause| StoreError::corrupt("DOMAIN", cause))?;
    Ok(ObservedName { name, fingerprint: Fingerprint(0), observed_at: now })
}
