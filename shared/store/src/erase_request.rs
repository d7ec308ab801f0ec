//! Erasing a member's personal data because they asked for it, at once.
//!
//! The addresses are retired first, each in its own transaction, and then the data is crypto-shredded, of linked members before
//! that of the surviving one, who has the sessions. So an erasure that was interrupted at any write can be requested again, and
//! continues. A grant that was written meanwhile is retired too; one that is written later fails, because the member has no
//! sign-in address. A sign-in that was written before is erased too, and one that is written later starts afresh.
//!
//! What stays, so that the addresses stay reserved for the same person: the identities, the addresses with the name that they
//! were granted for, their counts, a ban, and the audit log, which has no e-mail address.

use std::collections::BTreeSet;

use jiff::Timestamp;
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::audit::{Cause, Change, Entry};
use membermail_core::member::{MemberId, PersonName};
use membermail_core::random::Random;
use serde::Serialize;
use ulid::Ulid;

use crate::aliases::{Delivery, change_alias};
use crate::erasure::Shredding;
use crate::error::StoreError;
use crate::keys::{self, Key, MemberItem};
use crate::members::Member;
use crate::sessions::Session;
use crate::table::{Condition, Store, TRIES, Update, Write, path, pause};

/// What an erasure did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EraseReceipt {
    /// The time of the erasure.
    pub at: Timestamp,
    /// The members whose data was erased now; empty if there was none.
    pub erased: Vec<MemberId>,
    /// The addresses, which refuse mail and stay reserved for the same person.
    pub reserved: BTreeSet<Address>,
    /// The number of destinations that were deleted.
    pub destinations: usize,
    /// The number of sessions that were ended.
    pub sessions: usize,
    /// The domains that the member no longer administers.
    pub admin_of: Vec<DomainName>,
    /// The outbox entries of the retired addresses.
    #[serde(skip)]
    pub entries: Vec<Ulid>,
}

impl Store {
    /// Retires all addresses of a member and of the members linked to them, and erases their personal data. Idempotent.
    pub async fn erase_on_request(
        &self,
        member: &Member,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<EraseReceipt, StoreError> {
        let mut receipt = EraseReceipt {
            at: cause.now,
            erased: Vec::new(),
            reserved: BTreeSet::new(),
            destinations: 0,
            sessions: 0,
            admin_of: Vec::new(),
            entries: Vec::new(),
        };
        for tried in 0..TRIES {
            let survivor = self.survivor(member.id).await?.ok_or_else(StoreError::missing_member)?;
            if self.erase_all(&survivor, &mut receipt, cause, random).await? {
                return Ok(receipt);
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Returns false if a member changed meanwhile.
    async fn erase_all(
        &self,
        survivor: &Member,
        receipt: &mut EraseReceipt,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        for id in survivor.merged.iter().copied() {
            // Read before the addresses are, because the erasure is conditional on the number of grants.
            let Some(linked) = self.member(id).await? else { continue };
            let is_linked = path("merged_into").eq(survivor.id.to_string());
            if !self.erase_one((&linked, survivor.id), is_linked, receipt, cause, random).await? {
                return Ok(false);
            }
        }
        self.erase_one((survivor, survivor.id), survivor.is_as_read()?, receipt, cause, random).await
    }

    async fn erase_one(
        &self,
        (member, survivor): (&Member, MemberId),
        condition: Condition,
        receipt: &mut EraseReceipt,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let id = member.id;
        let mut names: BTreeSet<PersonName> = member.name().cloned().into_iter().collect();
        for address in self.addresses_of(id).await? {
            names.extend(self.retire_erased(id, &address, receipt, cause, random).await?);
            let is_theirs = path("owner").eq(id.to_string());
            self.write(Write::delete(&keys::failing(&address)).when(is_theirs)).await?;
            receipt.reserved.insert(address);
        }
        for name in &names {
            // A link moves the name of the linked member.
            let is_theirs = path("owner").is_in([id, survivor].map(|id| id.to_string()));
            self.write(Write::delete(&keys::name(name)).when(is_theirs)).await?;
        }
        for admin in self.domains_administered_by(id).await? {
            if self.unbind_admin(&admin.domain, id, None, cause, random).await?.is_some() {
                receipt.admin_of.push(admin.domain);
            }
        }
        let mut items = self.all_items_of(id).await?;
        items.retain(|key| is_erased_now(key, cause.now));
        let is_kind = |key: &Key, kind| MemberItem::of(&key.sk) == Some(kind);
        // The history of an erasure stays when the erasure is requested again.
        if !member.has_personal_data() && items.iter().all(|key| is_kind(key, MemberItem::History)) {
            return Ok(true);
        }
        // A look-up that was recorded since can have claimed another name.
        let observed_at = member.observation.as_ref().map(|observation| observation.observed_at.as_microsecond());
        let condition = condition.and(path("observation.observed_at").eq_option(observed_at));
        let shredding = Shredding { member, condition, update: forget(cause.now) };
        if !self.shred(shredding, cause, random).await? {
            return Ok(false);
        }
        receipt.erased.push(id);
        receipt.destinations += items.iter().filter(|key| is_kind(key, MemberItem::Destination)).count();
        // After the shredding, which ends the sessions: if it is interrupted, the member can still request it again.
        items.retain(|key| !is_kind(key, MemberItem::Session));
        for key in &items {
            self.delete(key).await?;
        }
        receipt.sessions += self.delete_ended_sessions(member).await?;
        Ok(true)
    }

    /// Deletes the sessions of before an erasure, also one of a sign-in that was erased with the other data. Returns their number.
    async fn delete_ended_sessions(&self, member: &Member) -> Result<usize, StoreError> {
        let mut ended = 0;
        for listed in self.all_items_of(member.id).await? {
            let Some(hash) = listed.sk.strip_prefix(keys::SESSION) else { continue };
            let session: Option<Session> = self.get(&keys::session(hash)).await?;
            if session.as_ref().is_some_and(|session| session.epoch > member.session_epoch) {
                continue;
            }
            self.delete(&keys::session(hash)).await?;
            self.delete(&listed).await?;
            ended += usize::from(session.is_some());
        }
        Ok(ended)
    }

    /// Retires an address of the member for good, and returns the name that it was granted for. None if it is not theirs.
    async fn retire_erased(
        &self,
        id: MemberId,
        address: &Address,
        receipt: &mut EraseReceipt,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Option<PersonName>, StoreError> {
        for tried in 0..TRIES {
            let stored = self.alias(address).await?;
            let Some(before) = stored.map(|stored| stored.alias).filter(|alias| alias.member == id) else {
                return Ok(None);
            };
            if before.status == Status::Retired {
                return Ok(Some(before.known_as.name));
            }
            let alias = Alias {
                status: Status::Retired,
                reason: Reason::Erased,
                since: cause.now,
                until: None,
                version: before.version + 1,
                erase_pending: false,
                ..before.clone()
            };
            let entry = Entry::new(Change::of_alias(&alias, Some(&before), None), cause, random);
            if self.commit(change_alias(&alias, Delivery::default(), &entry)?).await?.is_committed() {
                receipt.entries.push(entry.id);
                return Ok(Some(before.known_as.name));
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }
}

impl Member {
    /// Whether the profile has anything that an erasure on request removes.
    fn has_personal_data(&self) -> bool {
        let is_known = self.observation.is_some() || self.check.outcome.is_some() || self.check.checked_at.is_some();
        self.sign_in.is_some() || self.destination.is_some() || self.language.is_some() || is_known
    }
}

/// What an erasure on request removes from the profile, besides the sealed data. A check that is in flight becomes stale.
fn forget(now: Timestamp) -> Update {
    let removed = ["observation", "language", "language_chosen", "outcome", "checked_at", "checked_for", "check_until"];
    let update = Update::new().set("state", "done").set("requested_at", now.to_string());
    removed.into_iter().fold(update, Update::remove)
}

/// Whether an erasure on request deletes an item of the member. The history of the erasure itself stays.
fn is_erased_now(key: &Key, now: Timestamp) -> bool {
    match MemberItem::of(&key.sk) {
        Some(MemberItem::Profile | MemberItem::Identity | MemberItem::Addresses) => false,
        Some(MemberItem::History) => {
            let entry = key.sk.strip_prefix(keys::HISTORY).and_then(|id| Ulid::from_string(id).ok());
            let made = entry.and_then(|entry| i64::try_from(entry.timestamp_ms()).ok());
            made.is_none_or(|made| made < now.as_millisecond())
        }
        // A later release can have more kinds.
        Some(MemberItem::Destination | MemberItem::Refusal | MemberItem::Session | MemberItem::TestMessage)
        | Some(MemberItem::Undo)
        | None => true,
    }
}
