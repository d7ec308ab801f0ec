//! What members decide about their addresses: pause and resume, delete and restore.

use membermail_core::address::Address;
use membermail_core::alias::{Alias, Pause, Reason, Status};
use membermail_core::audit::{Cause, Change, Entry, SwitchChange};
use membermail_core::clock::later;
use membermail_core::destination::RESTORE_PERIOD;
use membermail_core::random::Random;
use ulid::Ulid;

use crate::aliases::{Delivery, StoredAlias, change_alias, put_alias};
use crate::audit;
use crate::destinations::is_changeable;
use crate::error::StoreError;
use crate::members::Member;
use crate::table::{Store, TRIES, pause};

/// The outcome of a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switched {
    /// The alias was changed.
    Done {
        /// The audit entry.
        entry: Ulid,
    },
    /// It was like that before.
    Unchanged,
    /// The alias does not belong to the member, or its state does not allow it.
    NotPossible,
}

/// What an alias becomes.
enum Decision {
    Change(Box<(Alias, Option<Pause>, Change)>),
    Unchanged,
    NotPossible,
}

impl Store {
    /// Pauses an address: senders get a temporary or a permanent refusal. `None` resumes it.
    pub async fn pause_alias(
        &self,
        member: &Member,
        address: &Address,
        is_permanent: Option<bool>,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Switched, StoreError> {
        let decide = |stored: &StoredAlias| {
            if stored.paused.map(|paused| paused.is_permanent) == is_permanent {
                return Decision::Unchanged;
            }
            // A deleted address refuses mail already.
            if stored.alias.reason == Reason::Deleted {
                return Decision::NotPossible;
            }
            let did = match is_permanent {
                Some(true) => SwitchChange::PausedPermanently,
                Some(false) => SwitchChange::PausedTemporarily,
                None => SwitchChange::Resumed,
            };
            let change = Change::Switch { member: stored.alias.member, address: address.clone(), did };
            let alias = Alias { version: stored.alias.version + 1, ..stored.alias.clone() };
            let paused = is_permanent.map(|is_permanent| Pause { since: cause.now, is_permanent });
            Decision::Change(Box::new((alias, paused, change)))
        };
        self.switch(member, address, decide, cause, random).await
    }

    /// Deletes an address: mail is refused, no other member gets it, and the member can restore it for 30 days.
    pub async fn delete_alias(
        &self,
        member: &Member,
        address: &Address,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Switched, StoreError> {
        let decide = |stored: &StoredAlias| {
            let before = &stored.alias;
            if before.reason == Reason::Deleted {
                return Decision::Unchanged;
            }
            let alias = Alias {
                status: Status::Suspended,
                reason: Reason::Deleted,
                since: cause.now,
                until: Some(later(cause.now, RESTORE_PERIOD)),
                version: before.version + 1,
                ..before.clone()
            };
            let change = Change::of_alias(&alias, Some(before), None);
            Decision::Change(Box::new((alias, None, change)))
        };
        self.switch(member, address, decide, cause, random).await
    }

    /// Restores a deleted address. It stays suspended until the check that the caller requests finds the member eligible.
    pub async fn restore_alias(
        &self,
        member: &Member,
        address: &Address,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Switched, StoreError> {
        let decide = |stored: &StoredAlias| {
            let before = &stored.alias;
            if before.reason == Reason::Returning || before.status.forwards() {
                return Decision::Unchanged;
            }
            let is_restorable = before.until.is_some_and(|until| cause.now < until);
            if before.reason != Reason::Deleted || !is_restorable {
                return Decision::NotPossible;
            }
            let alias = Alias {
                reason: Reason::Returning,
                since: cause.now,
                until: None,
                version: before.version + 1,
                ..before.clone()
            };
            let change = Change::of_alias(&alias, Some(before), None);
            Decision::Change(Box::new((alias, stored.paused, change)))
        };
        self.switch(member, address, decide, cause, random).await
    }

    /// Records that an admin requests the check that restores an address; the caller requests it. The alias changes only if
    /// the member is eligible.
    pub async fn note_restore_request(
        &self,
        alias: &Alias,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        let address = alias.address.clone();
        let change = Change::Switch { member: alias.member, address, did: SwitchChange::RestoreRequested };
        self.commit(audit::record(&Entry::new(change, cause, random))?).await?.committed()
    }

    async fn switch(
        &self,
        member: &Member,
        address: &Address,
        decide: impl Fn(&StoredAlias) -> Decision,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Switched, StoreError> {
        for tried in 0..TRIES {
            let stored = self.alias(address).await?;
            let Some(stored) = stored.filter(|stored| is_changeable(&stored.alias, member)) else {
                return Ok(Switched::NotPossible);
            };
            let (alias, paused, change) = match decide(&stored) {
                Decision::Change(decided) => *decided,
                Decision::Unchanged => return Ok(Switched::Unchanged),
                Decision::NotPossible => return Ok(Switched::NotPossible),
            };
            let delivery = Delivery { destinations: stored.destinations, paused };
            let is_switch = matches!(change, Change::Switch { .. });
            let entry = Entry::new(change, cause, random);
            let writes = if is_switch {
                // A pause needs no notice: the page and the history show it.
                let mut writes = vec![put_alias(&alias, delivery)?];
                writes.extend(audit::record(&entry)?);
                writes
            } else {
                change_alias(&alias, delivery, &entry)?
            };
            if self.commit(writes).await?.is_committed() {
                return Ok(Switched::Done { entry: entry.id });
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }
}
