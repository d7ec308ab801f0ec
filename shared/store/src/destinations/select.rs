//! The destinations of an alias, as its member chooses them.

use std::collections::BTreeSet;

use membermail_core::address::Address;
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::audit::{Cause, Change, Entry, SwitchChange};
use membermail_core::destination::{Destination, DestinationId, MAX_PER_ALIAS};
use membermail_core::member::MemberId;
use membermail_core::random::Random;
use ulid::Ulid;

use super::StoredDestination;
use super::request::is_owner_as_read;
use super::undo::UndoneDestinations;
use crate::aliases::{Delivery, StoredAlias, put_alias};
use crate::audit;
use crate::error::StoreError;
use crate::keys;
use crate::members::Member;
use crate::outbox;
use crate::sealing::Sealer;
use crate::table::{Slot, Store, TRIES, Update, Write, pause};

/// The choice of a member for one alias.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// The alias.
    pub address: &'a Address,
    /// The version of the alias that the member saw; none to change any version.
    pub seen: Option<u64>,
    /// The chosen destinations, of the member or of one linked to them.
    pub destinations: &'a [DestinationId],
}

/// The outcome of a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirected {
    /// The alias forwards there now.
    Done {
        /// The audit entry. The owner of an old destination can revert the change with this id.
        entry: Ulid,
    },
    /// It forwarded there before.
    Unchanged,
    /// The alias does not belong to the member, or has ended.
    NotYours,
    /// The alias changed since the member saw it.
    Stale,
    /// None, or more than [`MAX_PER_ALIAS`], or one that is not confirmed.
    Unsuitable,
}

impl Store {
    /// Lets an alias forward to these destinations.
    pub async fn redirect(
        &self,
        sealer: &Sealer,
        member: &Member,
        choice: Choice<'_>,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Redirected, StoreError> {
        let chosen: BTreeSet<_> = choice.destinations.iter().copied().collect();
        if chosen.is_empty() || chosen.len() > MAX_PER_ALIAS {
            return Ok(Redirected::Unsuitable);
        }
        for tried in 0..TRIES {
            let stored = self.alias(choice.address).await?;
            let Some(stored) = stored.filter(|stored| is_changeable(&stored.alias, member)) else {
                return Ok(Redirected::NotYours);
            };
            let Some((destinations, mut writes)) =
                self.resolve(sealer, member, stored.alias.member, &chosen, cause, random).await?
            else {
                return Ok(Redirected::Unsuitable);
            };
            if destinations.iter().collect::<BTreeSet<_>>() == stored.destinations.iter().collect() {
                return Ok(Redirected::Unchanged);
            }
            if choice.seen.is_some_and(|seen| seen != stored.alias.version) {
                return Ok(Redirected::Stale);
            }
            let did = SwitchChange::Redirected;
            let change = Change::Switch { member: stored.alias.member, address: choice.address.clone(), did };
            let entry = Entry::new(change, cause, random);
            let undo = self.undo_record(member, entry.id, UndoneDestinations::default(), cause.now).await?;
            writes.extend(redirected(&stored, destinations, cause)?);
            writes.extend([undo, count_choice(member)?]);
            writes.extend(outbox::announce(&entry)?);
            if self.commit(writes).await?.is_committed() {
                return Ok(Redirected::Done { entry: entry.id });
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Lets all addresses of a member forward to one destination alone, as requested together with its confirmation. Its
    /// audit entry and the record to revert it are those of the confirmation. Idempotent.
    pub async fn redirect_all(
        &self,
        sealer: &Sealer,
        member: &Member,
        id: DestinationId,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        let chosen = BTreeSet::from([id]);
        for stored in self.strong_aliases_of(member).await? {
            self.redirect_one(sealer, member, stored, &chosen, cause, random).await?;
        }
        Ok(())
    }

    async fn redirect_one(
        &self,
        sealer: &Sealer,
        member: &Member,
        mut stored: StoredAlias,
        chosen: &BTreeSet<DestinationId>,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        for tried in 0..TRIES {
            if !is_changeable(&stored.alias, member) {
                return Ok(());
            }
            let owner = stored.alias.member;
            let Some((destinations, mut writes)) = self.resolve(sealer, member, owner, chosen, cause, random).await?
            else {
                return Ok(());
            };
            if destinations == stored.destinations {
                return Ok(());
            }
            let address = stored.alias.address.clone();
            let change = Change::Switch { member: owner, address: address.clone(), did: SwitchChange::Redirected };
            writes.extend(redirected(&stored, destinations, cause)?);
            writes.push(count_choice(member)?);
            writes.extend(audit::record(&Entry::new(change, cause, random))?);
            if self.commit(writes).await?.is_committed() {
                return Ok(());
            }
            pause(tried, random).await;
            match self.alias(&address).await? {
                Some(again) => stored = again,
                None => return Ok(()),
            }
        }
        Err(StoreError::Conflict)
    }

    /// The ids that an alias of `owner` lists for the chosen destinations, and the writes that go with them. An alias lists
    /// destinations of its own member only: one of a linked member is copied. None if one is not usable.
    async fn resolve(
        &self,
        sealer: &Sealer,
        member: &Member,
        owner: MemberId,
        chosen: &BTreeSet<DestinationId>,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Option<(Vec<DestinationId>, Vec<Write>)>, StoreError> {
        let all = self.all_destinations(member).await?;
        let own = |stored: &StoredDestination| stored.member == owner && stored.destination.is_usable();
        let key_context = if owner == member.id {
            Some(member.key_context.clone())
        } else {
            self.member(owner).await?.map(|linked| linked.key_context)
        };
        let Some(key_context) = key_context else { return Ok(None) };
        let mut ids = Vec::new();
        let mut writes = Vec::new();
        for id in chosen {
            let found = all.iter().find(|(_, stored)| stored.destination.id == *id && stored.destination.is_usable());
            let Some((sealed_with, stored)) = found else { return Ok(None) };
            writes.push(stored.check_usable());
            if own(stored) {
                ids.push(*id);
                continue;
            }
            let address = stored.address(sealer, sealed_with)?;
            let mut same = None;
            for (_, candidate) in all.iter().filter(|(_, candidate)| own(candidate)) {
                if candidate.address(sealer, &key_context)? == address {
                    same = Some(candidate);
                }
            }
            if let Some(same) = same {
                writes.push(same.check_usable());
                ids.push(same.destination.id);
            } else {
                let copy = copy_of(stored, cause, random);
                ids.push(copy.id);
                writes.push(StoredDestination::new(sealer, (owner, &key_context), copy, &address, random)?.put()?);
            }
        }
        ids.sort();
        ids.dedup();
        let mut keys = BTreeSet::new();
        writes.retain(|write| keys.insert(write.key().clone()));
        Ok(Some((ids, writes)))
    }

    /// The aliases of a member and of all members linked to them, with strong consistency.
    pub(crate) async fn strong_aliases_of(&self, member: &Member) -> Result<Vec<StoredAlias>, StoreError> {
        let mut all = Vec::new();
        for id in member.ids() {
            let keys: Vec<_> = self.addresses_of(id).await?.iter().map(keys::alias).collect();
            let stored: Vec<crate::aliases::Stored> = self.get_all(&keys).await?;
            all.extend(stored.into_iter().map(StoredAlias::from).filter(|stored| stored.alias.member == id));
        }
        all.sort_by(|one, other| one.alias.address.cmp(&other.alias.address));
        Ok(all)
    }
}

/// A copy that keeps when and how the destination was confirmed.
fn copy_of(stored: &StoredDestination, cause: Cause<'_>, random: &dyn Random) -> Destination {
    let mut copy = Destination::new(DestinationId::new(cause.now, random), false, cause.now);
    copy.confirmed = stored.destination.confirmed;
    copy
}

/// Counts a choice in the profile, if the sessions and the key context are as they were read: a removal of a destination that
/// did not see the choice must not follow it.
fn count_choice(member: &Member) -> Result<Write, StoreError> {
    let count = Update::new().count("choices");
    Ok(Write::update(&keys::profile(member.id), count).when(is_owner_as_read(member)?))
}

/// Whether a member can change an alias: it is theirs and has not ended.
pub(crate) fn is_changeable(alias: &Alias, member: &Member) -> bool {
    member.ids().any(|id| id == alias.member) && alias.status != Status::Retired
}

/// Puts the alias with other destinations. One that had none, because mail would have looped, becomes active.
fn redirected(
    stored: &StoredAlias,
    destinations: Vec<DestinationId>,
    cause: Cause<'_>,
) -> Result<Vec<Write>, StoreError> {
    let mut alias = Alias { version: stored.alias.version + 1, ..stored.alias.clone() };
    if alias.status == Status::Suspended && alias.reason == Reason::Loop {
        alias = Alias { status: Status::Active, reason: Reason::Eligible, since: cause.now, ..alias };
    }
    let delivery = Delivery { destinations, paused: stored.paused };
    Ok(vec![put_alias(&alias, delivery)?.slot(Slot::Alias)])
}
