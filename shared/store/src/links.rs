//! Two members who are one person: the identities of one lead to the other from then on. Aliases stay with the member who
//! got them, so that no address ever has two owners, and are shown and tended with the member that stays.

use aws_sdk_dynamodb::types::TransactWriteItem;
use membermail_core::audit::{Cause, Change, Entry, LinkChange};
use membermail_core::member::{Identity, MemberId};
use membermail_core::random::Random;
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys;
use crate::members::{Member, StoredIdentity};
use crate::table::{Store, Written, attribute, text};

/// What became of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    /// It was made, with this audit entry, which lies in the outbox too.
    Done(Ulid),
    /// One of the two was linked, unlinked or banned meanwhile, or is not there: read them again.
    Changed,
}

impl Store {
    /// Links `other` to `member`. Both are as they were read; a banned member is linked by nothing but a fresh sign-in of
    /// the same person, so that a second sign-in is no way around a ban.
    pub async fn link(
        &self,
        member: &Member,
        other: &Member,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Linked, StoreError> {
        let is_linkable = member.id != other.id && member.merged_into.is_none() && other.merged_into.is_none();
        if !is_linkable || other.is_banned() {
            return Ok(Linked::Changed);
        }
        let identities: Vec<StoredIdentity> = self.list(&keys::profile(other.id).pk, keys::IDENTITY).await?;
        let mut merged = member.merged.clone();
        merged.extend(other.ids().filter(|id| !member.merged.contains(id)));
        let change = Change::Link { member: member.id, other: other.id, did: LinkChange::Linked };
        let entry = Entry::new(change, cause, random);
        let mut writes = vec![
            self.set_merged(member, &merged)?,
            self.set_merged_into(other, member.id)?,
            self.audit_write(&entry)?,
            self.outbox_write(&entry)?,
        ];
        for id in &other.merged {
            writes.push(self.redirect(*id, other.id, member.id)?);
        }
        for StoredIdentity { identity, came_from } in &identities {
            // An identity of an earlier link goes back to the member of that link, wherever it is by then.
            let came_from = came_from.unwrap_or(other.id);
            writes.extend(self.identity_moves(identity, other.id, member.id, Some(came_from))?);
        }
        if let Some(name) = other.name().filter(|name| member.name() != Some(name)) {
            writes.extend(self.name_moves(name, other.id, member.id).await?);
        }
        if member.is_banned() {
            for id in other.ids() {
                writes.push(self.banned_write(id)?);
            }
        }
        Ok(match self.transact(writes).await? {
            Written::All => Linked::Done(entry.id),
            Written::Failed(_) => Linked::Changed,
        })
    }

    /// Takes a link back: the identities that came from `other` lead to it again.
    pub async fn unlink(
        &self,
        member: &Member,
        other: MemberId,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Linked, StoreError> {
        if !member.merged.contains(&other) {
            return Ok(Linked::Changed);
        }
        let Some(parting) = self.member(other).await? else { return Ok(Linked::Changed) };
        let merged: Vec<_> = member.merged.iter().copied().filter(|id| *id != other).collect();
        let change = Change::Link { member: member.id, other, did: LinkChange::Unlinked };
        let entry = Entry::new(change, cause, random);
        let parts = self
            .update(&keys::profile(other))
            .update_expression("REMOVE merged_into")
            .condition_expression(format!("merged_into = :member AND {}", ban_condition(&parting)))
            .expression_attribute_values(":member", text(member.id.to_string()));
        let mut writes = vec![
            self.set_merged(member, &merged)?,
            TransactWriteItem::builder().update(parts.build()?).build(),
            self.audit_write(&entry)?,
        ];
        let identities: Vec<StoredIdentity> = self.list(&keys::profile(member.id).pk, keys::IDENTITY).await?;
        for stored in identities.iter().filter(|stored| stored.came_from == Some(other)) {
            writes.extend(self.identity_moves(&stored.identity, member.id, other, None)?);
        }
        if let Some(name) = parting.name().filter(|name| member.name() != Some(name)) {
            writes.extend(self.name_moves(name, member.id, other).await?);
        }
        // The ban of the member that stays is not theirs any more; a ban of their own is.
        if member.is_banned() && !parting.is_banned() {
            writes.push(self.removal(&keys::banned(other))?);
        }
        Ok(match self.transact(writes).await? {
            Written::All => Linked::Done(entry.id),
            Written::Failed(_) => Linked::Changed,
        })
    }

    fn set_merged(&self, member: &Member, merged: &[MemberId]) -> Result<TransactWriteItem, StoreError> {
        let update = self
            .update(&keys::profile(member.id))
            .update_expression("SET merged = :merged")
            .expression_attribute_values(":merged", attribute(&merged)?)
            .condition_expression(is_as_read(member))
            .expression_attribute_values(":merged_as_read", attribute(&member.merged)?);
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    fn set_merged_into(&self, other: &Member, member: MemberId) -> Result<TransactWriteItem, StoreError> {
        let update = self
            .update(&keys::profile(other.id))
            .update_expression("SET merged_into = :member REMOVE merged")
            .condition_expression(is_as_read(other))
            .expression_attribute_values(":member", text(member.to_string()))
            .expression_attribute_values(":merged_as_read", attribute(&other.merged)?);
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    /// A member that was linked to `from` is linked to `to` from now on: there are no chains.
    fn redirect(&self, id: MemberId, from: MemberId, to: MemberId) -> Result<TransactWriteItem, StoreError> {
        let update = self
            .update(&keys::profile(id))
            .update_expression("SET merged_into = :to")
            .condition_expression("merged_into = :from")
            .expression_attribute_values(":to", text(to.to_string()))
            .expression_attribute_values(":from", text(from.to_string()));
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    fn identity_moves(
        &self,
        identity: &Identity,
        from: MemberId,
        to: MemberId,
        came_from: Option<MemberId>,
    ) -> Result<[TransactWriteItem; 3], StoreError> {
        let owner = self
            .update(&keys::identity(identity))
            .update_expression("SET #owner = :to")
            .condition_expression("#owner = :from")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":to", text(to.to_string()))
            .expression_attribute_values(":from", text(from.to_string()));
        let stored = StoredIdentity { identity: identity.clone(), came_from };
        let put = self.put(&keys::identity_of(to, identity), &stored)?;
        Ok([
            TransactWriteItem::builder().update(owner.build()?).build(),
            TransactWriteItem::builder().put(put.build()?).build(),
            self.removal(&keys::identity_of(from, identity))?,
        ])
    }
}

/// The condition that links and ban of a member are as they were read.
fn is_as_read(member: &Member) -> String {
    format!("{} AND {}", member.links_as_read(), ban_condition(member))
}

fn ban_condition(member: &Member) -> &'static str {
    if member.is_banned() { "attribute_exists(banned_at)" } else { "attribute_not_exists(banned_at)" }
}
