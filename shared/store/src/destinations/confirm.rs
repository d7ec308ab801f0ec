//! Confirming a destination with the code that was sent there.

use membermail_core::audit::{Cause, Change, DestinationChange, Entry};
use membermail_core::code::Code;
use membermail_core::destination::{Confirmation, ConfirmedBy, DestinationId, MAX_ATTEMPTS, Pending};
use membermail_core::email::EmailAddress;
use membermail_core::random::Random;
use ulid::Ulid;

use super::request::{check_owner, is_owner_as_read};
use super::undo::UndoneDestinations;
use super::{StoredDestination, next};
use crate::codes::Proof;
use crate::error::StoreError;
use crate::keys;
use crate::members::Member;
use crate::outbox;
use crate::sealing::Sealer;
use crate::table::{Store, TRIES, Update, Write, pause};

/// The outcome of a typed code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// The destination is confirmed now.
    Done {
        /// The audit entry. The owner of an old destination can revert the change with this id.
        entry: Ulid,
        /// Whether all addresses of the member are to forward there.
        replaces: bool,
    },
    /// It was confirmed before.
    Already,
    /// Another code; the number of attempts that are left.
    Wrong(u32),
    /// No code is valid: it expired, was tried too often, or the sessions ended.
    Expired,
    /// There is no such destination.
    Missing,
}

impl Store {
    /// Confirms a destination of a member. An attempt is counted before the code is compared, so that concurrent requests have
    /// no more attempts than others.
    pub async fn confirm_destination(
        &self,
        sealer: &Sealer,
        member: &Member,
        (id, typed): (DestinationId, Option<&Code>),
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Confirmed, StoreError> {
        let (mut stored, pending) = match self.count_attempt(member, id, cause, random).await? {
            Ok(counted) => counted,
            Err(outcome) => return Ok(outcome),
        };
        let address = stored.address(sealer, &member.key_context)?;
        let proof = Proof::Mailbox { member: member.id, destination: id, pending: &pending, address: &address };
        let is_valid = match typed {
            Some(typed) => sealer.is_code(typed, proof)?,
            None => false,
        };
        if !is_valid {
            return Ok(Confirmed::Wrong(MAX_ATTEMPTS.saturating_sub(pending.attempts)));
        }
        for tried in 0..TRIES {
            if let Some(entry) = self.put_confirmed(sealer, member, (&stored, &address), pending, cause, random).await?
            {
                return Ok(Confirmed::Done { entry, replaces: pending.replaces });
            }
            pause(tried, random).await;
            // Another attempt was counted, or the destination changed.
            let again = self.destination(member.id, id).await?;
            let Some(again) = again.filter(|stored| stored.destination.removed.is_none()) else {
                return Ok(Confirmed::Missing);
            };
            if again.destination.is_usable() {
                return Ok(Confirmed::Already);
            }
            if again.destination.pending.is_none_or(|present| present.id != pending.id) {
                return Ok(Confirmed::Expired);
            }
            stored = again;
        }
        Err(StoreError::Conflict)
    }

    /// Counts an attempt, if a code can be entered. Returns the destination and the request with that attempt.
    async fn count_attempt(
        &self,
        member: &Member,
        id: DestinationId,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Result<(StoredDestination, Pending), Confirmed>, StoreError> {
        for tried in 0..TRIES {
            let stored = self.destination(member.id, id).await?;
            let Some(stored) = stored.filter(|stored| stored.destination.removed.is_none()) else {
                return Ok(Err(Confirmed::Missing));
            };
            if stored.destination.is_usable() {
                return Ok(Err(Confirmed::Already));
            }
            let pending = stored.destination.pending;
            let Some(pending) = pending.filter(|pending| pending.is_open(member.session_epoch, cause.now)) else {
                return Ok(Err(Confirmed::Expired));
            };
            let pending = Pending { attempts: pending.attempts + 1, ..pending };
            let counted = next(&stored, |destination| destination.pending = Some(pending));
            if self.write(counted.put()?).await? {
                return Ok(Ok((counted, pending)));
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Returns none if the destination, or the member's key or sessions, changed meanwhile.
    async fn put_confirmed(
        &self,
        sealer: &Sealer,
        member: &Member,
        (stored, address): (&StoredDestination, &EmailAddress),
        pending: Pending,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Option<Ulid>, StoreError> {
        let id = stored.destination.id;
        let change = Change::Destination { member: member.id, destination: id, did: DestinationChange::Confirmed };
        let entry = Entry::new(change, cause, random);
        let undo = self
            .undo_record(member, entry.id, UndoneDestinations { added: Some(id), removed: None }, cause.now)
            .await?;
        let is_default = pending.replaces || member.destination.is_none();
        let owner = match is_default {
            // New addresses forward there too.
            true => Write::update(&keys::profile(member.id), Update::new().set("destination", id.to_string()))
                .when(is_owner_as_read(member)?),
            false => check_owner(member)?,
        };
        let mut writes = vec![confirm(stored, cause).put()?, owner, undo];
        // The proof is about the mailbox: a linked member's destination with the same address is confirmed together.
        for (key_context, linked) in self.all_destinations(member).await? {
            let is_open = linked.destination.confirmed.is_none() && linked.destination.removed.is_none();
            if linked.member != member.id && is_open && linked.address(sealer, &key_context)? == *address {
                writes.push(confirm(&linked, cause).put()?);
            }
        }
        writes.extend(outbox::announce(&entry)?);
        Ok(self.commit(writes).await?.is_committed().then_some(entry.id))
    }
}

/// The next version of a destination, which is confirmed.
fn confirm(stored: &StoredDestination, cause: Cause<'_>) -> StoredDestination {
    next(stored, |destination| {
        destination.confirmed = Some(Confirmation { at: cause.now, by: ConfirmedBy::Code });
        destination.pending = None;
    })
}
