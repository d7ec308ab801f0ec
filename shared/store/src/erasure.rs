//! Erasing a member's personal data by crypto-shredding, once all their aliases are retired.
//!
//! An address can be granted, or a destination added, at the same moment. The erasure reads the member's addresses with
//! strong consistency, and its write is conditional on the numbers of grants and of added destinations; their writes are
//! conditional on the key context that they sealed with. So the later of the two fails, and no alias forwards to a
//! destination that cannot be opened.

use membermail_core::alias::Status;
use membermail_core::audit::{Cause, Change, Entry, MemberChange};
use membermail_core::expiry::is_recent;
use membermail_core::member::MemberId;
use membermail_core::random::Random;

use crate::audit::record;
use crate::error::StoreError;
use crate::keys::{self, Key, MemberItem};
use crate::members::{Member, is_count_as_read};
use crate::sealing::KeyContext;
use crate::table::{Condition, Consistency, Query, Slot, Store, Update, Write, attribute, path};

/// Items that are deleted in the transaction that replaces the key context. DynamoDB takes 100 writes in a transaction.
const DELETED_TOGETHER: usize = 90;

/// The outcome of an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// The data was erased now.
    Done,
    /// The member has no data to erase, or an alias that is not retired.
    NotDue,
    /// The member has just signed in or been granted an address; a later sync decides again.
    Postponed,
}

/// Crypto-shredding of one member.
pub(crate) struct Shredding<'a> {
    /// The member, as read before their addresses were.
    pub(crate) member: &'a Member,
    /// What else has to be as it was read.
    pub(crate) condition: Condition,
    /// More changes of the profile.
    pub(crate) update: Update,
}

impl Store {
    /// Crypto-shreds a member's personal data, if all their aliases are retired: replaces the key context that all of their
    /// keys are derived from, and removes the sign-in address.
    pub async fn erase(&self, id: MemberId, cause: Cause<'_>, random: &dyn Random) -> Result<Erasure, StoreError> {
        let Some(member) = self.member(id).await? else { return Ok(Erasure::NotDue) };
        if member.is_erased() {
            return Ok(Erasure::NotDue);
        }
        for address in self.addresses_of(id).await? {
            let theirs = self.alias(&address).await?.filter(|stored| stored.alias.member == id);
            if theirs.is_some_and(|stored| stored.alias.status != Status::Retired) {
                return Ok(Erasure::NotDue);
            }
        }
        let survivor = self.survivor_of(member.clone()).await?;
        let requested = std::iter::once(&member).chain(&survivor).map(|member| member.check.requested_at);
        if requested.max().is_some_and(|at| is_recent(at, cause.now)) {
            return Ok(Erasure::Postponed);
        }
        let condition = path("requested_at").eq(member.check.requested_at.to_string());
        let shredding = Shredding { member: &member, condition, update: Update::new() };
        // On a conflict the caller has to retry: the steps are applied by now and are not delivered again.
        let is_erased = self.shred(shredding, cause, random).await?;
        // Otherwise a concurrent sign-in or grant brought the member back, with new data.
        Ok(if is_erased { Erasure::Done } else { Erasure::Postponed })
    }

    /// Replaces the key context of a member and removes what it sealed, with one audit entry. Returns false if the member was
    /// granted an address, added a destination or was shredded since they were read.
    pub(crate) async fn shred(
        &self,
        shredding: Shredding<'_>,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let Shredding { member, condition, update } = shredding;
        let is_as_read = condition
            .and(path("salt").eq(attribute(&member.key_context)?))
            .and(is_count_as_read("grants", member.grants))
            .and(is_count_as_read("destinations_added", member.destinations_added));
        let update = update
            .set("salt", attribute(&KeyContext::new(random))?)
            .increment("session_epoch")
            .remove("sign_in")
            .remove("ban_reason")
            .remove("destination");
        let profile = Write::update(&keys::profile(member.id), update).when(is_as_read).slot(Slot::Profile);
        let entry = Entry::new(Change::Member { member: member.id, did: MemberChange::Erased }, cause, random);
        let mut keys = self.all_items_of(member.id).await?;
        // In the order of their sort keys: destinations first. The others are worthless without them, and expire.
        keys.retain(|key| MemberItem::of(&key.sk).is_some_and(is_shredded_too));
        let rest = keys.split_off(keys.len().min(DELETED_TOGETHER));
        let mut writes = vec![profile];
        writes.extend(keys.iter().map(Write::delete));
        writes.extend(record(&entry)?);
        let is_shredded = self.commit(writes).await?.committed_unless_failed(Slot::Profile)?;
        if is_shredded {
            for key in &rest {
                self.delete(key).await?;
            }
        }
        Ok(is_shredded)
    }

    /// The keys of all items in the partition of a member.
    pub(crate) async fn all_items_of(&self, id: MemberId) -> Result<Vec<Key>, StoreError> {
        let query = Query::partition(keys::profile(id).pk, Consistency::Strong).attributes(&["pk", "sk"]);
        let mut all = Vec::new();
        self.for_each(&query, |item| {
            all.push(Key::of_item(&item)?);
            Ok(())
        })
        .await?;
        Ok(all)
    }
}

/// Sealed items, and those that only make sense together with them.
fn is_shredded_too(kind: MemberItem) -> bool {
    matches!(kind, MemberItem::Destination | MemberItem::TestMessage | MemberItem::Undo)
}
