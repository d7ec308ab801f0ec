//! The owners of imported addresses, and the bans.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use membermail_core::audit::{Change, MemberChange};
use membermail_core::member::{Identity, MemberId};
use serde::Deserialize;

use super::{Import, ImportReport};
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::members::{Member, Owner as IdentityOwner};
use crate::table::{Item, Store, TRIES, Written, pause, text};

/// The key context of a profile.
const SALT: &str = "salt";
/// Attributes of a profile that a link made. The restored table does not have the other half of it, so that an operator
/// links the members again.
const OF_LINKS: [&str; 2] = ["merged", "merged_into"];

/// What the restored table knows of the owner of an address.
#[derive(Clone, Debug)]
pub(super) enum Owner {
    /// The member, with the same key.
    Same {
        /// The key context.
        salt: AttributeValue,
    },
    /// The member, since this import.
    Imported {
        /// The key context.
        salt: AttributeValue,
        /// Whether just now.
        is_new: bool,
    },
    /// The member, with another key: what the other table has sealed cannot be opened here.
    OtherKey,
    /// Neither table has the member.
    Unknown,
}

impl Owner {
    /// As the next look at it finds it.
    fn known(self) -> Self {
        match self {
            Self::Imported { salt, .. } => Self::Imported { salt, is_new: false },
            other => other,
        }
    }
}

impl Import<'_> {
    /// The owner of an address, imported where the restored table does not have them.
    pub(super) async fn owner(&self, old: &Store, id: MemberId) -> Result<Owner, StoreError> {
        let known = self.owners().get(&id).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let owner = self.find_owner(old, id).await?;
        self.owners().insert(id, owner.clone().known());
        Ok(owner)
    }

    async fn find_owner(&self, old: &Store, id: MemberId) -> Result<Owner, StoreError> {
        let profile = keys::profile(id);
        for tried in 0..TRIES {
            let here = self.restored.raw(&profile).await?;
            let there = old.raw(&profile).await?;
            let salt = |item: &Item| item.get(SALT).cloned();
            match (here.as_ref().map(salt), there.as_ref().map(salt)) {
                (None, None) => return Ok(Owner::Unknown),
                (Some(Some(salt)), Some(Some(same))) if salt == same => return Ok(Owner::Same { salt }),
                (Some(_), _) => return Ok(Owner::OtherKey),
                (None, Some(salt)) => {
                    let salt = salt.ok_or_else(|| StoreError::corrupt("MEMBER", "a profile without a key context"))?;
                    if self.is_dry_run || self.import_member(old, id).await? {
                        return Ok(Owner::Imported { salt, is_new: true });
                    }
                }
            }
            // Another part of the import had the same member.
            pause(tried, self.random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Copies a member with their identities, in one transaction. False, where one of the items appeared meanwhile.
    ///
    /// Sessions, refusals and counts of addresses stay behind: the first end, the others are made anew. An identity or a
    /// name that the restored table gives to another member stays theirs.
    async fn import_member(&self, old: &Store, id: MemberId) -> Result<bool, StoreError> {
        let mut items = Vec::new();
        let mut is_banned = false;
        for mut item in old.raw_partition(&keys::profile(id).pk).await? {
            let sk = item.get("sk").and_then(|sk| sk.as_s().ok()).cloned().unwrap_or_default();
            if sk.starts_with(keys::REFUSAL) || sk.starts_with(keys::ADDRESSES) {
                continue;
            }
            if sk.starts_with(keys::IDENTITY) {
                let identity: Identity = crate::table::decode(item.clone(), &keys::profile(id))?;
                let Some(pointer) = self.free_pointer(old, &keys::identity(&identity), id).await? else { continue };
                items.push(pointer);
            }
            if sk == keys::profile(id).sk {
                is_banned = item.contains_key("banned_at");
                OF_LINKS.iter().for_each(|attribute| drop(item.remove(*attribute)));
                let member: Member = crate::table::decode(item.clone(), &keys::profile(id))?;
                if let Some(name) = member.name() {
                    items.extend(self.free_pointer(old, &keys::name(name), id).await?);
                }
            }
            items.push(item);
        }
        let change = Change::Member { member: id, did: MemberChange::Imported };
        let mut writes = vec![self.audit_write(change)?];
        for item in items {
            let put = Put::builder().table_name(&self.restored.table).set_item(Some(item));
            let put = put.condition_expression("attribute_not_exists(pk)").build()?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
        if is_banned {
            writes.push(self.restored.banned_write(id)?);
        }
        Ok(self.restored.transact(writes).await? == Written::All)
    }

    /// An item that leads to the member, as the other table has it; nothing, where the restored table has one already.
    async fn free_pointer(&self, old: &Store, key: &Key, id: MemberId) -> Result<Option<Item>, StoreError> {
        if self.restored.raw(key).await?.is_some() {
            return Ok(None);
        }
        let is_theirs = old.get::<IdentityOwner>(key).await?.is_some_and(|owner| owner.owner == id);
        if is_theirs { old.raw(key).await } else { Ok(None) }
    }

    /// Carries the bans over that were made after the restore point, also of members without an address.
    pub(super) async fn bans(&self, old: &Store) -> Result<ImportReport, StoreError> {
        let (there, here) = (old.banned_members().await?, self.restored.banned_members().await?);
        let mut report = ImportReport::default();
        report.still_banned.extend(here.difference(&there));
        let missing: Vec<_> = there.difference(&here).copied().collect();
        let missing_ids: HashSet<_> = missing.iter().copied().collect();
        for id in missing {
            let owner = self.owner(old, id).await?;
            report.members += u64::from(matches!(owner, Owner::Imported { is_new: true, .. }));
            let Some(member) = self.restored.member(id).await? else {
                // In a dry run it is not there yet; otherwise neither table has the member.
                report.bans += u64::from(self.is_dry_run && !matches!(owner, Owner::Unknown));
                continue;
            };
            // The member that it was linked to is banned with it.
            if member.merged_into.is_some_and(|survivor| missing_ids.contains(&survivor)) {
                continue;
            }
            report.bans += 1;
            if self.is_dry_run {
                continue;
            }
            if !member.is_banned() {
                self.restored.ban(id, self.cause(), self.random).await?;
            }
            // Not the next sync: until then mail would flow.
            self.restored.suspend_banned(&member, self.cause(), self.random).await?;
        }
        Ok(report)
    }

    /// Of members whose personal data the other table no longer has, those who have it here.
    pub(super) async fn not_erased(&self, profiles: &[Item]) -> Result<Vec<MemberId>, StoreError> {
        #[derive(Deserialize)]
        struct Id {
            id: MemberId,
        }
        let mut keys = Vec::with_capacity(profiles.len());
        for profile in profiles {
            let id: Id = crate::table::decode(profile.clone(), &Key { pk: "MEMBER".to_owned(), sk: String::new() })?;
            keys.push(keys::profile(id.id));
        }
        let mut found = Vec::new();
        self.restored
            .each_of(&keys, |member: Member| {
                if !member.is_shredded() {
                    found.push(member.id);
                }
            })
            .await?;
        found.sort();
        Ok(found)
    }
}

/// Whether an item of a scan is a profile.
pub(super) fn is_profile(item: &Item) -> bool {
    item.get("sk") == Some(&text("PROFILE"))
}
