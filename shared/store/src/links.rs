//! Links two members who are one person: the identities of one lead to the other from then on. Aliases stay with the member
//! who got them, so that no address ever has two owners, and are shown with the surviving member.

use membermail_core::audit::{Cause, Change, Entry, LinkChange};
use membermail_core::member::MemberId;
use membermail_core::random::Random;
use ulid::Ulid;

use crate::audit;
use crate::bans::list_banned;
use crate::error::StoreError;
use crate::identities::StoredIdentity;
use crate::keys;
use crate::members::Member;
use crate::outbox;
use crate::table::{Store, Update, Write, attribute, path};

/// The outcome of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    /// The members were linked or unlinked, with these audit and outbox entries.
    Done(Ulid),
    /// One of the two was linked, unlinked or banned meanwhile, or does not exist; load them again.
    Changed,
}

impl Store {
    /// Links `other` to `member`, if both are as they were read and `other` is not banned: a second sign-in must not evade a
    /// ban.
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
        let mut writes = vec![set_merged(member, &merged)?, set_merged_into(other, member.id)?];
        writes.extend(outbox::announce(&entry)?);
        writes.extend(other.merged.iter().map(|id| redirect(*id, other.id, member.id)));
        for stored in &identities {
            // Unlinking an identity of an earlier link gives it back to the member of that link.
            let came_from = stored.came_from.unwrap_or(other.id);
            writes.extend(move_identity(stored, other.id, member.id, Some(came_from))?);
        }
        if let Some(name) = other.name().filter(|name| member.name() != Some(name)) {
            writes.extend(self.move_name(name, other.id, member.id).await?);
        }
        if member.is_banned() {
            for id in other.ids() {
                writes.push(list_banned(id)?);
            }
        }
        self.commit_link(writes, entry.id).await
    }

    /// Undoes a link: the identities that came from `other` lead to it again.
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
        let is_linked = path("merged_into").eq(member.id.to_string());
        let update = Update::new().remove("merged_into");
        let mut writes = vec![
            set_merged(member, &merged)?,
            Write::update(&keys::profile(other), update).when(is_linked.and(parting.ban_is_as_read())),
        ];
        writes.extend(audit::record(&entry)?);
        let identities: Vec<StoredIdentity> = self.list(&keys::profile(member.id).pk, keys::IDENTITY).await?;
        for stored in identities.iter().filter(|stored| stored.came_from == Some(other)) {
            writes.extend(move_identity(stored, member.id, other, None)?);
        }
        if let Some(name) = parting.name().filter(|name| member.name() != Some(name)) {
            writes.extend(self.move_name(name, member.id, other).await?);
        }
        // The ban of the surviving member no longer applies to the parting one; a ban of their own does.
        if member.is_banned() && !parting.is_banned() {
            writes.push(Write::delete(&keys::banned(other)));
        }
        self.commit_link(writes, entry.id).await
    }

    async fn commit_link(&self, writes: Vec<Write>, entry: Ulid) -> Result<Linked, StoreError> {
        let is_committed = self.commit(writes).await?.is_committed();
        Ok(if is_committed { Linked::Done(entry) } else { Linked::Changed })
    }
}

fn set_merged(member: &Member, merged: &[MemberId]) -> Result<Write, StoreError> {
    let update = Update::new().set("merged", attribute(&merged)?);
    Ok(Write::update(&keys::profile(member.id), update).when(member.is_as_read()?))
}

fn set_merged_into(other: &Member, member: MemberId) -> Result<Write, StoreError> {
    let update = Update::new().set("merged_into", member.to_string()).remove("merged");
    Ok(Write::update(&keys::profile(other.id), update).when(other.is_as_read()?))
}

/// Links a member that was linked to `from` to `to` instead: there are no chains.
fn redirect(id: MemberId, from: MemberId, to: MemberId) -> Write {
    let update = Update::new().set("merged_into", to.to_string());
    Write::update(&keys::profile(id), update).when(path("merged_into").eq(from.to_string()))
}

fn move_identity(
    stored: &StoredIdentity,
    from: MemberId,
    to: MemberId,
    came_from: Option<MemberId>,
) -> Result<[Write; 3], StoreError> {
    let owner = Update::new().set("owner", to.to_string());
    let moved = StoredIdentity { came_from, ..stored.clone() };
    let identity = &stored.identity;
    Ok([
        Write::update(&keys::identity(identity), owner).when(path("owner").eq(from.to_string())),
        Write::put(&keys::identity_of(to, identity), &moved)?,
        Write::delete(&keys::identity_of(from, identity)),
    ])
}
