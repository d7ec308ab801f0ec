//! Removing a destination. Its item is kept for the time in which the change can be reverted.

use membermail_core::address::Address;
use membermail_core::alias::Alias;
use membermail_core::audit::{Cause, Change, DestinationChange, Entry};
use membermail_core::destination::DestinationId;
use membermail_core::random::Random;
use ulid::Ulid;

use super::next;
use super::request::is_owner_as_read;
use super::select::is_changeable;
use super::undo::UndoneDestinations;
use crate::aliases::{Delivery, put_alias};
use crate::error::StoreError;
use crate::keys;
use crate::members::Member;
use crate::outbox;
use crate::table::{Store, TRIES, Update, Write, pause};

/// The outcome of a removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It is removed now.
    Done {
        /// The audit entry. The owner of an old destination can revert the change with this id.
        entry: Ulid,
    },
    /// It was removed before, or never existed.
    Missing,
    /// These addresses would forward nowhere.
    LastOf(Vec<Address>),
}

impl Store {
    /// Removes a destination from the member and from all of their addresses, unless an address forwards only there.
    pub async fn remove_destination(
        &self,
        member: &Member,
        id: DestinationId,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Removed, StoreError> {
        for tried in 0..TRIES {
            let stored = self.destination(member.id, id).await?;
            let Some(stored) = stored.filter(|stored| stored.destination.removed.is_none()) else {
                return Ok(Removed::Missing);
            };
            // Before the addresses are read: the removal is conditional on the numbers of grants and choices.
            let Some(profile) = self.member(member.id).await? else { return Ok(Removed::Missing) };
            let aliases = self.strong_aliases_of(member).await?;
            let using: Vec<_> = aliases
                .into_iter()
                .filter(|stored| is_changeable(&stored.alias, member) && stored.destinations.contains(&id))
                .collect();
            let last: Vec<_> = using
                .iter()
                .filter(|stored| stored.destinations.len() == 1)
                .map(|stored| stored.alias.address.clone())
                .collect();
            if !last.is_empty() {
                return Ok(Removed::LastOf(last));
            }
            let change = Change::Destination { member: member.id, destination: id, did: DestinationChange::Removed };
            let entry = Entry::new(change, cause, random);
            let undone = UndoneDestinations { added: None, removed: Some(id) };
            let undo = self.undo_record(member, entry.id, undone, cause.now).await?;
            let removed = next(&stored, |destination| {
                destination.removed = Some(cause.now);
                destination.pending = None;
            });
            let mut writes = vec![removed.put()?, undo];
            for stored in using {
                let alias = Alias { version: stored.alias.version + 1, ..stored.alias };
                let destinations = stored.destinations.into_iter().filter(|other| *other != id).collect();
                writes.push(put_alias(&alias, Delivery { destinations, paused: stored.paused })?);
            }
            let is_as_read = is_owner_as_read(member)?.and(profile.has_same_deliveries());
            writes.push(self.next_default(&profile, id).await?.when(is_as_read));
            writes.extend(outbox::announce(&entry)?);
            if self.commit(writes).await?.is_committed() {
                return Ok(Removed::Done { entry: entry.id });
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Makes another destination the default for new addresses, if this one was. Without another one, the next sign-in adds
    /// the sign-in address.
    async fn next_default(&self, profile: &Member, removed: DestinationId) -> Result<Write, StoreError> {
        let update = if profile.destination == Some(removed) {
            let all = self.destinations_of(profile.id).await?;
            let mut usable =
                all.iter().filter(|other| other.destination.is_usable() && other.destination.id != removed);
            match usable.next() {
                Some(other) => Update::new().set("destination", other.destination.id.to_string()),
                None => Update::new().remove("destination"),
            }
        } else {
            Update::new().count("choices")
        };
        Ok(Write::update(&keys::profile(profile.id), update))
    }
}
