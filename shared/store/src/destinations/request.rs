//! Adding a destination, and requesting a confirmation code for it.

use membermail_core::audit::{Cause, Change, DestinationChange, Entry};
use membermail_core::destination::{Destination, DestinationId, MAX_PER_MEMBER, Pending};
use membermail_core::email::EmailAddress;
use membermail_core::member;
use membermail_core::random::Random;
use ulid::Ulid;

use super::{StoredDestination, next};
use crate::error::StoreError;
use crate::keys;
use crate::members::Member;
use crate::outbox;
use crate::sealing::Sealer;
use crate::table::{Condition, Store, TRIES, Update, Write, attribute, path, pause};

/// The outcome of a request for a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// The code is being sent: the outbox has the entry.
    Sent {
        /// The destination.
        id: DestinationId,
        /// The audit entry.
        entry: Ulid,
    },
    /// The destination is confirmed already.
    Known(DestinationId),
    /// The member has the maximum of destinations.
    TooMany,
    /// There is no such destination.
    Missing,
}

impl Store {
    /// Adds a destination and requests its confirmation. An address that the member added before is not added again: a
    /// pending one gets a new code. A removed one is added as a new destination: the removal can still be reverted, which
    /// brings the old one back confirmed.
    pub async fn add_destination(
        &self,
        sealer: &Sealer,
        member: &Member,
        (address, replaces): (&EmailAddress, bool),
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Requested, StoreError> {
        for tried in 0..TRIES {
            let all = self.destinations_of(member.id).await?;
            let mut known = None;
            for stored in all.iter().filter(|stored| stored.destination.removed.is_none()) {
                if stored.address(sealer, &member.key_context)? == *address {
                    known = Some(stored);
                }
            }
            let kept = all.iter().filter(|stored| stored.destination.removed.is_none()).count();
            let requested = match known {
                Some(stored) if stored.destination.is_usable() => return Ok(Requested::Known(stored.destination.id)),
                Some(stored) => next(stored, |_| {}),
                None if kept >= MAX_PER_MEMBER => return Ok(Requested::TooMany),
                None => {
                    let id = DestinationId::new(cause.now, random);
                    let destination = Destination::new(id, false, cause.now);
                    let owner = (member.id, &member.key_context);
                    StoredDestination::new(sealer, owner, destination, address, random)?
                }
            };
            if let Some(entry) = self.put_requested(member, requested.clone(), replaces, cause, random).await? {
                return Ok(Requested::Sent { id: requested.destination.id, entry });
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Requests a new code for a destination that is not confirmed yet; an earlier code is void then.
    pub async fn request_confirmation(
        &self,
        member: &Member,
        id: DestinationId,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Requested, StoreError> {
        for tried in 0..TRIES {
            let stored = self.destination(member.id, id).await?;
            let Some(stored) = stored.filter(|stored| stored.destination.removed.is_none()) else {
                return Ok(Requested::Missing);
            };
            if stored.destination.is_usable() {
                return Ok(Requested::Known(id));
            }
            let replaces = stored.destination.pending.is_some_and(|pending| pending.replaces);
            let requested = next(&stored, |_| {});
            if let Some(entry) = self.put_requested(member, requested, replaces, cause, random).await? {
                return Ok(Requested::Sent { id, entry });
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Puts a destination with a new pending confirmation, unless it, or the member's key or sessions, changed meanwhile.
    async fn put_requested(
        &self,
        member: &Member,
        mut requested: StoredDestination,
        replaces: bool,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Option<Ulid>, StoreError> {
        requested.destination.pending = Some(Pending {
            id: member::ulid(cause.now, random),
            requested_at: cause.now,
            attempts: 0,
            epoch: member.session_epoch,
            replaces,
        });
        let did = DestinationChange::Requested;
        let change = Change::Destination { member: member.id, destination: requested.destination.id, did };
        let entry = Entry::new(change, cause, random);
        // Also where the destination is not new: it costs the same.
        let count = Update::new().count("destinations_added");
        let owner = Write::update(&keys::profile(member.id), count).when(is_owner_as_read(member)?);
        let mut writes = vec![requested.put()?, owner];
        writes.extend(outbox::announce(&entry)?);
        Ok(self.commit(writes).await?.is_committed().then_some(entry.id))
    }
}

/// The condition that the sessions and the key context of a member are as they were read: no ban and no erasure came between.
pub(super) fn check_owner(member: &Member) -> Result<Write, StoreError> {
    Ok(Write::check(&keys::profile(member.id), is_owner_as_read(member)?))
}

/// The same for a write of the profile.
pub(super) fn is_owner_as_read(member: &Member) -> Result<Condition, StoreError> {
    let salt = path("salt").eq(attribute(&member.key_context)?);
    Ok(salt.and(path("session_epoch").eq(member.session_epoch)))
}
