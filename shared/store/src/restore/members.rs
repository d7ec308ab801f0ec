//! Imports the owners of addresses, and bans.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use membermail_core::audit::{Change, MemberChange};
use membermail_core::member::{Identity, MemberId};
use serde::Deserialize;

use super::{Import, ImportReport};
use crate::bans::list_banned;
use crate::error::StoreError;
use crate::identities::Owner as IdentityOwner;
use crate::keys::{self, Key};
use crate::members::Member;
use crate::table::{Consistency, Item, Query, Store, TRIES, Write, decode, item_not_exists, pause, text};

/// The attribute of a profile with the key context.
const KEY_CONTEXT: &str = "salt";
/// Attributes of a profile that come from a link. The restored table lacks the other half of the link, so an operator links
/// the members again.
const OF_LINKS: [&str; 2] = ["merged", "merged_into"];

/// Items of a member that an import leaves out.
const NOT_COPIED: [&str; 6] = [keys::REFUSAL, keys::ADDRESSES, keys::SESSION, keys::HISTORY, keys::TEST, keys::UNDO];

/// The owner of an address, as far as the restored table knows.
#[derive(Clone, Debug)]
pub(super) enum Owner {
    /// The member exists with the same key context.
    Same {
        /// The key context.
        key_context: AttributeValue,
    },
    /// This import has copied the member.
    Imported {
        /// The key context.
        key_context: AttributeValue,
        /// Whether this call copied them.
        is_new: bool,
    },
    /// The member exists with another key context: data sealed in the old table cannot be opened.
    OtherKey,
    /// Neither table has the member.
    Unknown,
}

impl Import<'_> {
    /// Finds the owner of an address, and copies them if the restored table lacks them.
    pub(super) async fn owner(&self, old: &Store, id: MemberId) -> Result<Owner, StoreError> {
        let known = self.owners().get(&id).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let owner = self.find_owner(old, id).await?;
        let mut known = owner.clone();
        if let Owner::Imported { is_new, .. } = &mut known {
            *is_new = false;
        }
        self.owners().insert(id, known);
        Ok(owner)
    }

    async fn find_owner(&self, old: &Store, id: MemberId) -> Result<Owner, StoreError> {
        let profile = keys::profile(id);
        for tried in 0..TRIES {
            let here = self.restored.get_raw(&profile, Consistency::Strong).await?;
            let there = old.get_raw(&profile, Consistency::Strong).await?;
            match [here, there].map(|item| item.map(|mut item| item.remove(KEY_CONTEXT))).into() {
                (None, None) => return Ok(Owner::Unknown),
                (Some(Some(key_context)), Some(Some(same))) if key_context == same => {
                    return Ok(Owner::Same { key_context });
                }
                (Some(_), _) => return Ok(Owner::OtherKey),
                (None, Some(key_context)) => {
                    let key_context =
                        key_context.ok_or_else(|| StoreError::corrupt("MEMBER", "a profile without a key context"))?;
                    if self.is_dry_run || self.import_member(old, id).await? {
                        return Ok(Owner::Imported { key_context, is_new: true });
                    }
                }
            }
            // Another segment of the import copied the same member.
            pause(tried, self.random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Copies a member with their identities in one transaction. Returns false if one of the items appeared meanwhile.
    ///
    /// Sessions, refusals, address counts, history, test messages and changes to revert are not copied: sessions end, the log
    /// has the history, and the others are created again. An identity or name that belongs to another member in the restored table stays theirs.
    async fn import_member(&self, old: &Store, id: MemberId) -> Result<bool, StoreError> {
        let mut stored = Vec::new();
        // With all attributes, including those of a later release.
        let query = Query::partition(keys::profile(id).pk, Consistency::Strong);
        old.for_each(&query, |item| {
            stored.push(item);
            Ok(())
        })
        .await?;
        let mut items = Vec::new();
        let mut is_banned = false;
        for mut item in stored {
            let sk = Key::of_item(&item)?.sk;
            if NOT_COPIED.iter().any(|prefix| sk.starts_with(prefix)) {
                continue;
            }
            if sk.starts_with(keys::IDENTITY) {
                let identity: Identity = decode(item.clone())?;
                let Some(pointer) = self.free_pointer(old, &keys::identity(&identity), id).await? else { continue };
                items.push(pointer);
            }
            if sk == keys::profile(id).sk {
                is_banned = item.contains_key("banned_at");
                OF_LINKS.iter().for_each(|attribute| drop(item.remove(*attribute)));
                let member: Member = decode(item.clone())?;
                if let Some(name) = member.name() {
                    items.extend(self.free_pointer(old, &keys::name(name), id).await?);
                }
            }
            items.push(item);
        }
        let change = Change::Member { member: id, did: MemberChange::Imported };
        let mut writes = vec![self.put_audit_entry(change)?];
        for item in items {
            writes.push(Write::put_raw(item)?.when(item_not_exists()));
        }
        if is_banned {
            writes.push(list_banned(id)?);
        }
        Ok(self.restored.commit(writes).await?.is_committed())
    }

    /// The old table's item that leads to the member, unless the restored table has one.
    async fn free_pointer(&self, old: &Store, key: &Key, id: MemberId) -> Result<Option<Item>, StoreError> {
        if self.restored.get_raw(key, Consistency::Strong).await?.is_some() {
            return Ok(None);
        }
        let is_theirs = old.get::<IdentityOwner>(key).await?.is_some_and(|owner| owner.owner == id);
        if is_theirs { old.get_raw(key, Consistency::Strong).await } else { Ok(None) }
    }

    /// Imports the bans from after the restore point, also those of members without an address.
    pub(super) async fn bans(&self, old: &Store) -> Result<ImportReport, StoreError> {
        let there = old.banned_members().await?;
        let here = self.restored.banned_members().await?;
        let mut report = ImportReport::default();
        report.still_banned.extend(here.difference(&there));
        let missing: BTreeSet<_> = there.difference(&here).copied().collect();
        for id in missing.iter().copied() {
            let owner = self.owner(old, id).await?;
            report.members += u64::from(matches!(owner, Owner::Imported { is_new: true, .. }));
            let Some(member) = self.restored.member(id).await? else {
                // A dry run did not copy the member; otherwise neither table has them.
                report.bans += u64::from(self.is_dry_run && !matches!(owner, Owner::Unknown));
                continue;
            };
            // A linked member is banned together with the surviving one.
            if member.merged_into.is_some_and(|survivor| missing.contains(&survivor)) {
                continue;
            }
            report.bans += 1;
            if self.is_dry_run {
                continue;
            }
            if !member.is_banned() {
                let reason = old.member(id).await?.and_then(|member| member.ban_reason);
                self.restored.ban_with_reason(id, reason.as_ref(), self.cause(), self.random).await?;
            }
            // Do not wait for the next sync: until then their mail would be forwarded.
            self.restored.suspend_banned(&member, self.cause(), self.random).await?;
        }
        Ok(report)
    }

    /// The members whose personal data was erased in the old table and exists here.
    pub(super) async fn not_erased(&self, profiles: &[Item]) -> Result<Vec<MemberId>, StoreError> {
        #[derive(Deserialize)]
        struct Id {
            id: MemberId,
        }
        let mut keys = Vec::with_capacity(profiles.len());
        for profile in profiles {
            keys.push(keys::profile(decode::<Id>(profile.clone())?.id));
        }
        let members: Vec<Member> = self.restored.get_all(&keys).await?;
        Ok(members.into_iter().filter(|member| !member.is_erased()).map(|member| member.id).collect())
    }
}

/// Whether a scanned item is a profile.
pub(super) fn is_profile(item: &Item) -> bool {
    item.get("sk") == Some(&text("PROFILE"))
}
