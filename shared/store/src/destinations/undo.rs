//! "This was not me": the owner of an old destination reverts a change of destinations within 72 hours.
//!
//! The record of a change has the destinations of all addresses before it. Reverting ends all sessions first, since the
//! person who made the change may still have one, and then puts the destinations back. Each step can be repeated.

use std::collections::BTreeSet;

use jiff::Timestamp;
use membermail_core::address::Address;
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::audit::{Cause, Change, DestinationChange, Entry, MemberChange, SwitchChange};
use membermail_core::clock::later;
use membermail_core::code::Code;
use membermail_core::destination::{DestinationId, UNDO_PERIOD};
use membermail_core::member::MemberId;
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::next;
use super::select::is_changeable;
use crate::aliases::{Delivery, StoredAlias, put_alias};
use crate::audit;
use crate::codes::Proof;
use crate::error::StoreError;
use crate::keys;
use crate::members::Member;
use crate::outbox;
use crate::sealing::Sealer;
use crate::table::{Store, TRIES, Update, Write, path, pause};

/// Wrong codes for one change; its owner can still ask the operators.
const ATTEMPTS: u32 = 10;

/// The destinations that a change added or removed.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct UndoneDestinations {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) added: Option<DestinationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) removed: Option<DestinationId>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Before {
    pub(crate) alias: Address,
    pub(crate) destinations: Vec<DestinationId>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stored {
    pub(crate) id: Ulid,
    pub(crate) at: Timestamp,
    #[serde(flatten)]
    pub(crate) destinations: UndoneDestinations,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default_destination: Option<DestinationId>,
    pub(crate) before: Vec<Before>,
    #[serde(default)]
    attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reverted: Option<Timestamp>,
}

/// A change that can be reverted, as its page shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UndoView {
    /// When the change was made.
    pub at: Timestamp,
    /// Until when it can be reverted.
    pub until: Timestamp,
    /// Whether it was reverted.
    pub is_reverted: bool,
}

/// The outcome of reverting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reverted {
    /// The change is reverted, now or before.
    Done {
        /// The audit entry, if it was reverted now.
        entry: Option<Ulid>,
    },
    /// Another code.
    Wrong,
    /// The period is over, the change does not exist, or too many codes were tried.
    Expired,
}

impl Store {
    /// The record of a change: what all addresses of the member forward to at this moment.
    pub(crate) async fn undo_record(
        &self,
        member: &Member,
        id: Ulid,
        destinations: UndoneDestinations,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let aliases = self.strong_aliases_of(member).await?;
        let before = aliases.into_iter().filter(|stored| !stored.destinations.is_empty());
        let stored = Stored {
            id,
            at: now,
            destinations,
            default_destination: member.destination,
            before: before
                .map(|stored| Before { alias: stored.alias.address, destinations: stored.destinations })
                .collect(),
            attempts: 0,
            reverted: None,
        };
        Ok(Write::create(&keys::undo(member.id, id), &stored)?.expires(later(now, UNDO_PERIOD)))
    }

    /// The change with this id, while it can be reverted.
    pub async fn undo(&self, member: MemberId, id: Ulid, now: Timestamp) -> Result<Option<UndoView>, StoreError> {
        let stored: Option<Stored> = self.get(&keys::undo(member, id)).await?;
        let stored = stored.filter(|stored| now < later(stored.at, UNDO_PERIOD) && stored.attempts < ATTEMPTS);
        Ok(stored.map(|stored| UndoView {
            at: stored.at,
            until: later(stored.at, UNDO_PERIOD),
            is_reverted: stored.reverted.is_some(),
        }))
    }

    /// Reverts a change, if the code from the mail about it is right.
    pub async fn revert(
        &self,
        sealer: &Sealer,
        (member, id): (MemberId, Ulid),
        typed: Option<&Code>,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Reverted, StoreError> {
        let key = keys::undo(member, id);
        if self.undo(member, id, cause.now).await?.is_none() {
            return Ok(Reverted::Expired);
        }
        // Counted before the code is compared, so that concurrent requests have no more attempts than others.
        let is_left = path("attempts").lt(u64::from(ATTEMPTS));
        if !self.write(Write::update(&key, Update::new().count("attempts")).when(is_left)).await? {
            return Ok(Reverted::Expired);
        }
        let is_valid = match typed {
            Some(typed) => sealer.is_code(typed, Proof::Undo { member, undo: id })?,
            None => false,
        };
        if !is_valid {
            return Ok(Reverted::Wrong);
        }
        for tried in 0..TRIES {
            let Some(stored) = self.get::<Stored>(&key).await? else { return Ok(Reverted::Expired) };
            let Some(owner) = self.member(member).await? else { return Ok(Reverted::Expired) };
            let mut entry = None;
            if stored.reverted.is_none() {
                entry = self.begin_revert(&owner, &stored, cause, random).await?;
                if entry.is_none() {
                    pause(tried, random).await;
                    continue;
                }
            }
            self.put_back(sealer, &owner, &stored, cause, random).await?;
            return Ok(Reverted::Done { entry });
        }
        Err(StoreError::Conflict)
    }

    /// Ends all sessions and marks the change as reverted, in one transaction. Returns the audit entry.
    async fn begin_revert(
        &self,
        owner: &Member,
        stored: &Stored,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Option<Ulid>, StoreError> {
        let mut update = Update::new().increment("session_epoch");
        if let Some(default) = stored.default_destination {
            update = update.set("destination", default.to_string());
        }
        let is_as_read = path("session_epoch").eq(owner.session_epoch);
        let is_open = path("attempts").exists().and(path("reverted").not_exists());
        let mut writes = vec![
            Write::update(&keys::profile(owner.id), update).when(is_as_read),
            Write::update(&keys::undo(owner.id, stored.id), Update::new().set("reverted", cause.now.to_string()))
                .when(is_open),
        ];
        // After a link, the sessions are those of the surviving member.
        let survivor = self.survivor_of(owner.clone()).await?;
        let linked: BTreeSet<_> = survivor.iter().flat_map(Member::ids).chain(owner.ids()).collect();
        for id in linked.into_iter().filter(|id| *id != owner.id) {
            let update = Update::new().increment("session_epoch");
            writes.push(Write::update(&keys::profile(id), update).when(path("session_epoch").exists()));
        }
        let UndoneDestinations { added, removed } = stored.destinations;
        let before = stored.before.iter().find_map(|before| before.destinations.first().copied());
        let entry = match added.or(removed).or(before) {
            Some(destination) => {
                let did = DestinationChange::Reverted;
                let entry = Entry::new(Change::Destination { member: owner.id, destination, did }, cause, random);
                writes.extend(outbox::announce(&entry)?);
                entry
            }
            None => {
                let change = Change::Member { member: owner.id, did: MemberChange::SessionsEnded };
                let entry = Entry::new(change, cause, random);
                writes.extend(audit::record(&entry)?);
                entry
            }
        };
        Ok(self.commit(writes).await?.is_committed().then_some(entry.id))
    }

    /// Puts the destinations of all addresses back, brings the removed ones among them back, and removes the added one.
    async fn put_back(
        &self,
        sealer: &Sealer,
        owner: &Member,
        stored: &Stored,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        let UndoneDestinations { added, removed } = stored.destinations;
        // A later change can have removed a destination that the addresses forward to again.
        let before = stored.before.iter().flat_map(|before| before.destinations.iter().copied());
        let wanted: BTreeSet<_> = before.chain(removed).chain(stored.default_destination).collect();
        for id in owner.ids() {
            for wanted in &wanted {
                self.set_removed(id, *wanted, None, random).await?;
            }
        }
        for before in &stored.before {
            self.put_back_alias(owner, before, cause, random).await?;
        }
        // Last: until here, an address can still forward to it.
        if let Some(added) = added {
            let copies = self.with_copies(sealer, owner, added).await?;
            for (id, added) in copies.into_iter().filter(|(_, id)| !wanted.contains(id)) {
                for listing in self.strong_aliases_of(owner).await? {
                    if listing.alias.member == id && listing.destinations.contains(&added) {
                        let fallback = stored.default_destination.filter(|_| id == owner.id);
                        self.take_out(owner, &listing.alias.address, (added, fallback), cause, random).await?;
                    }
                }
                self.set_removed(id, added, Some(cause.now), random).await?;
            }
        }
        Ok(())
    }

    /// A destination, and those of linked members with the same address: choosing it for their addresses copied it.
    async fn with_copies(
        &self,
        sealer: &Sealer,
        owner: &Member,
        id: DestinationId,
    ) -> Result<Vec<(MemberId, DestinationId)>, StoreError> {
        let all = self.all_destinations(owner).await?;
        let mut address = None;
        for (key_context, stored) in all.iter().filter(|(_, stored)| stored.destination.id == id) {
            address = Some(stored.address(sealer, key_context)?);
        }
        let mut same = Vec::new();
        for (key_context, stored) in &all {
            if stored.destination.removed.is_none() && Some(stored.address(sealer, key_context)?) == address {
                same.push((stored.member, stored.destination.id));
            }
        }
        Ok(same)
    }

    async fn put_back_alias(
        &self,
        owner: &Member,
        before: &Before,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        let restore = |_: &StoredAlias| before.destinations.clone();
        self.replace_destinations(owner, &before.alias, restore, cause, random).await
    }

    /// Takes a destination out of an alias that is in no record, because it is newer than the change.
    async fn take_out(
        &self,
        owner: &Member,
        address: &Address,
        (added, fallback): (DestinationId, Option<DestinationId>),
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        let rest = |stored: &StoredAlias| {
            let mut rest: Vec<_> = stored.destinations.iter().copied().filter(|id| *id != added).collect();
            if rest.is_empty() {
                rest.extend(fallback.filter(|fallback| *fallback != added));
            }
            rest
        };
        self.replace_destinations(owner, address, rest, cause, random).await
    }

    /// Puts other destinations into an alias, as far as they exist. Without any it is suspended like one that never had any.
    async fn replace_destinations(
        &self,
        owner: &Member,
        address: &Address,
        replacement: impl Fn(&StoredAlias) -> Vec<DestinationId>,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        for tried in 0..TRIES {
            let Some(stored) = self.alias(address).await? else { return Ok(()) };
            if !is_changeable(&stored.alias, owner) {
                return Ok(());
            }
            let mut destinations = Vec::new();
            for id in replacement(&stored) {
                let found = self.destination(stored.alias.member, id).await?;
                destinations.extend(found.filter(|found| found.destination.removed.is_none()).map(|_| id));
            }
            if stored.destinations == destinations {
                return Ok(());
            }
            let mut alias = Alias { version: stored.alias.version + 1, ..stored.alias.clone() };
            if destinations.is_empty() && alias.status == Status::Active {
                alias = Alias { status: Status::Suspended, reason: Reason::Loop, since: cause.now, ..alias };
            }
            let delivery = Delivery { destinations, paused: stored.paused };
            let change =
                Change::Switch { member: alias.member, address: alias.address.clone(), did: SwitchChange::Redirected };
            let mut writes = vec![put_alias(&alias, delivery)?];
            writes.extend(audit::record(&Entry::new(change, cause, random))?);
            if self.commit(writes).await?.is_committed() {
                return Ok(());
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Marks a destination as removed, or as not removed. Idempotent.
    async fn set_removed(
        &self,
        owner: MemberId,
        id: DestinationId,
        removed: Option<Timestamp>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        for tried in 0..TRIES {
            let Some(stored) = self.destination(owner, id).await? else { return Ok(()) };
            if stored.destination.removed.is_some() == removed.is_some() {
                return Ok(());
            }
            let changed = next(&stored, |destination| {
                destination.removed = removed;
                destination.pending = None;
            });
            if self.write(changed.put()?).await? {
                return Ok(());
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }
}
