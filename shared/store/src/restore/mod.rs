//! The import after a point-in-time restore, before the restored table grants any address.
//!
//! An address that was granted after the restore point is missing from the restored table, so another member could get it
//! and read its owner's mail. The import reserves each such address: for its owner, if the old table knows them, and
//! otherwise as a tombstone that no member gets until an operator assigns it.
//!
//! The old table can be damaged, since there was a reason for the restore. So the import never replaces anything in the
//! restored table, with one exception that only removes access: bans are imported.

mod members;
mod scan;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;
use membermail_core::address::Address;
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::audit::{Actor, Cause, Change, Entry};
use membermail_core::clock::Clock;
use membermail_core::destination::DestinationId;
use membermail_core::member::{Fingerprint, MemberId, ObservedName, PersonName};
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

use crate::aliases::{Delivery, Stored, StoredAlias, put_alias};
use crate::audit;
use crate::error::StoreError;
use crate::keys;
use crate::table::{Consistency, Item, Slot, Store, TRIES, Update, Write, decode, item_not_exists, path, pause};

use members::Owner;

/// The name of a tombstone whose local part is not a valid name of the membership source.
const NO_NAME: &str = "unknown";

/// An import into a restored table.
pub struct Import<'a> {
    restored: &'a Store,
    is_dry_run: bool,
    /// The operator who runs the import.
    by: &'a str,
    request_id: &'a str,
    clock: &'a dyn Clock,
    random: &'a dyn Random,
    /// A cache of owners: a member can have many addresses.
    owners: Mutex<HashMap<MemberId, Owner>>,
}

/// The counts of an import, or of a dry run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Addresses that were read.
    pub examined: u64,
    /// Addresses that the restored table has.
    pub present: u64,
    /// Addresses that were imported unchanged, with their owner and destination.
    pub with_owner: u64,
    /// Addresses that were imported for their owner without a destination, until that member checks again: the restored
    /// table has another key context.
    pub without_destination: u64,
    /// Addresses that were imported without an owner.
    pub tombstones: u64,
    /// Members that were imported with an address, or because of a ban.
    pub members: u64,
    /// Imported bans.
    pub bans: u64,
    /// Addresses that have different owners in the two tables. The restored table counts.
    pub other_owner: Vec<Address>,
    /// Members who are banned in the restored table but no longer in the old one: an operator decides.
    pub still_banned: Vec<MemberId>,
    /// Members whose personal data was erased after the restore point and was restored: an operator decides.
    pub not_erased: Vec<MemberId>,
}

/// The outcome of assigning a tombstone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assigned {
    /// The address belongs to the member now.
    Done(Box<Alias>),
    /// The address has an owner, and never passes to another member.
    HasOwner(MemberId),
    /// The address does not exist.
    NoAlias,
    /// The member does not exist.
    NoMember,
}

#[derive(Deserialize)]
struct Place {
    address: Address,
    member: MemberId,
}

impl<'a> Import<'a> {
    /// An import into this table. A dry run reads and counts, and writes nothing.
    pub fn new(
        restored: &'a Store,
        is_dry_run: bool,
        (by, request_id): (&'a str, &'a str),
        clock: &'a dyn Clock,
        random: &'a dyn Random,
    ) -> Self {
        Self { restored, is_dry_run, by, request_id, clock, random, owners: Mutex::default() }
    }

    /// Reserves addresses with unknown owners, unless the table has them.
    pub async fn addresses(&self, addresses: &[Address]) -> Result<ImportReport, StoreError> {
        let known = self.owners_of(addresses.iter()).await?;
        let mut report = ImportReport { examined: addresses.len() as u64, ..ImportReport::default() };
        for address in addresses {
            // A new id without a profile: no member owns the address, and none can by signing in.
            let unassigned = MemberId::new(self.clock.now(), self.random);
            if known.contains_key(address) || !self.put_without_destination(address, unassigned, None).await? {
                report.present += 1;
            } else {
                report.tombstones += 1;
            }
        }
        Ok(report)
    }

    /// Imports the aliases of the old table that this one lacks.
    async fn aliases(&self, old: &Store, items: Vec<Item>) -> Result<ImportReport, StoreError> {
        let mut report = ImportReport::default();
        let places = items.iter().map(|item| decode::<Place>(item.clone())).collect::<Result<Vec<_>, _>>()?;
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
        let (is_imported, count) = match &owner {
            Owner::Same { key_context } | Owner::Imported { key_context, .. } => {
                (self.put_unchanged(old, (address, member), key_context, item).await?, &mut report.with_owner)
            }
            Owner::OtherKey => {
                let former = StoredAlias::from(decode::<Stored>(item)?).alias;
                (self.put_without_destination(address, member, Some(former)).await?, &mut report.without_destination)
            }
            Owner::Unknown => (self.put_without_destination(address, member, None).await?, &mut report.tombstones),
        };
        *(if is_imported { count } else { &mut report.present }) += 1;
        Ok(())
    }

    /// Copies an alias of a member who has the same key context here. Returns false if the address exists.
    async fn put_unchanged(
        &self,
        old: &Store,
        (address, member): (&Address, MemberId),
        key_context: &AttributeValue,
        item: Item,
    ) -> Result<bool, StoreError> {
        if self.is_dry_run {
            return Ok(true);
        }
        let stored = StoredAlias::from(decode::<Stored>(item.clone())?);
        let mut writes = vec![
            Write::put_raw(item)?.when(item_not_exists()).slot(Slot::Alias),
            self.put_audit_entry(Change::of_alias(&stored.alias, None, None))?,
            count_address(member, address),
            Write::check(&keys::profile(member), path("salt").eq(key_context.clone())),
        ];
        writes.extend(self.missing_destinations(old, member, &stored.destinations).await?);
        self.create_alias(writes).await
    }

    /// Copies the destinations of an alias that were added after the restore point.
    async fn missing_destinations(
        &self,
        old: &Store,
        member: MemberId,
        ids: &[DestinationId],
    ) -> Result<Vec<Write>, StoreError> {
        let mut writes = Vec::new();
        for id in ids {
            let key = keys::destination(member, *id);
            if self.restored.get_raw(&key, Consistency::Strong).await?.is_none()
                && let Some(item) = old.get_raw(&key, Consistency::Strong).await?
            {
                writes.push(Write::put_raw(item)?.when(item_not_exists()));
            }
        }
        Ok(writes)
    }

    /// Puts an address without a destination: retired, so that no sync changes it, and only its owner can get it back. An
    /// address without its former alias has no owner yet.
    async fn put_without_destination(
        &self,
        address: &Address,
        member: MemberId,
        former: Option<Alias>,
    ) -> Result<bool, StoreError> {
        if self.is_dry_run {
            return Ok(true);
        }
        let now = self.clock.now();
        let (known_as, reason) = match former {
            Some(former) => (former.known_as, former.reason),
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
        // Without an outbox entry: no member is to be notified of an import.
        let change = Change::of_alias(&alias, None, None);
        let mut writes = vec![put_alias(&alias, Delivery::default())?, self.put_audit_entry(change)?];
        if reason != Reason::Unassigned {
            writes.push(count_address(member, address));
        }
        self.create_alias(writes).await
    }

    /// Commits writes that create an alias. Returns false if the alias exists.
    async fn create_alias(&self, writes: Vec<Write>) -> Result<bool, StoreError> {
        for tried in 0..TRIES {
            match self.restored.commit(writes.clone()).await?.committed_unless_failed(Slot::Alias) {
                Err(StoreError::Conflict) => pause(tried, self.random).await,
                done => return done,
            }
        }
        Err(StoreError::Conflict)
    }

    /// The owners of those of these addresses that the restored table has.
    async fn owners_of(
        &self,
        addresses: impl Iterator<Item = &Address>,
    ) -> Result<HashMap<Address, MemberId>, StoreError> {
        let places: Vec<Place> = self.restored.get_all(&addresses.map(keys::alias).collect::<Vec<_>>()).await?;
        Ok(places.into_iter().map(|Place { address, member }| (address, member)).collect())
    }

    fn put_audit_entry(&self, change: Change) -> Result<Write, StoreError> {
        audit::put_entry(&Entry::new(change, self.cause(), self.random))
    }

    fn cause(&self) -> Cause<'a> {
        Cause { actor: Actor::Operator, by: Some(self.by), request_id: self.request_id, now: self.clock.now() }
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<MemberId, Owner>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ImportReport {
    /// Adds the counts of another segment of the same import.
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
    /// Assigns an imported address without an owner to a member. It forwards once they sign in or check again under the name
    /// that leads to it.
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
            let mut writes = vec![put_alias(&alias, Delivery::default())?];
            writes.extend(audit::record(&entry)?);
            if self.commit(writes).await?.is_committed() {
                return Ok(Assigned::Done(Box::new(alias)));
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }
}

/// Adds an address to the owner's count and list, as a grant does.
fn count_address(member: MemberId, address: &Address) -> Write {
    let update = Update::new().count("count").insert("held", address.to_string());
    Write::update(&keys::addresses(member, &address.domain), update)
}

/// The observed name of a tombstone, which has no member yet.
fn placeholder_name(address: &Address, now: jiff::Timestamp) -> Result<ObservedName, StoreError> {
    let name = PersonName::parse(address.local_part.as_str()).or_else(|_| PersonName::parse(NO_NAME));
    let name = name.map_err(|cause| StoreError::corrupt("DOMAIN", cause))?;
    Ok(ObservedName { name, fingerprint: Fingerprint(0), observed_at: now })
}
