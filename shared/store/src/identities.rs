//! The identities of a member: accounts at sign-in providers, each of which leads to this member alone.
//!
//! A change counts in the profile and is conditional on what the profile had, so that of two changes at once, or of a change and
//! a link, one fails. An identity without an owner can only be one that was never known, or that its member removed: what a
//! banned or erased member had stays theirs.

use jiff::Timestamp;
use membermail_core::audit::{Cause, Change, Entry, IdentityChange};
use membermail_core::member::{Identity, MemberId};
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys;
use crate::members::Member;
use crate::outbox;
use crate::table::{Condition, Store, Update, Write, attribute, item_exists, path};

/// Identities that a member can have before more are refused.
pub const MAX_IDENTITIES: usize = 10;

/// The member that an identity leads to.
#[derive(Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) owner: MemberId,
}

/// An identity as an item of its member.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StoredIdentity {
    #[serde(flatten)]
    pub(crate) identity: Identity,
    /// When it was added. Missing where the member began with it, before there were several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<Timestamp>,
    /// The member that had it before a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) came_from: Option<MemberId>,
}

/// An identity of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnIdentity {
    /// The identity.
    pub identity: Identity,
    /// Since when it leads to the member, or to one who was linked to them.
    pub since: Timestamp,
}

impl OwnIdentity {
    /// A handle for forms, which stands for the identity among those of its member.
    pub fn handle(&self) -> String {
        keys::digest(&[&self.identity.issuer, self.identity.subject.as_str()])
    }
}

/// The outcome of adding an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddIdentity {
    /// It leads to the member now, with these audit and outbox entries.
    Added(Ulid),
    /// It led to the member before.
    AlreadyYours,
    /// It leads to another member. Both are one person, so the caller links them.
    OwnedBy(MemberId),
    /// The member has, or both members together have, as many as they can.
    LimitReached,
    /// The sessions of the member ended since the person proved the identity: the wish may not have been theirs.
    SessionsEnded,
    /// The member is banned, erased or linked to another, or something changed meanwhile; load them again.
    Changed,
}

/// The outcome of removing an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoveIdentity {
    /// It leads to no member now, with these audit and outbox entries.
    Removed(Ulid),
    /// It did not lead to the member.
    NotYours,
    /// The member could not sign in without it.
    LastOne,
    /// The member or the session changed meanwhile; load them again.
    Changed,
}

impl Store {
    /// The member that an identity leads to.
    pub async fn owner_of(&self, identity: &Identity) -> Result<Option<MemberId>, StoreError> {
        let owner: Option<Owner> = self.get(&keys::identity(identity)).await?;
        Ok(owner.map(|Owner { owner }| owner))
    }

    /// The identities of a member, with those of all members who were linked to them; the first one first.
    pub async fn identities_of(&self, member: &Member) -> Result<Vec<OwnIdentity>, StoreError> {
        let stored: Vec<StoredIdentity> = self.list(&keys::profile(member.id).pk, keys::IDENTITY).await?;
        let mut own: Vec<_> = stored
            .into_iter()
            .map(|StoredIdentity { identity, since, came_from }| {
                let since = since.unwrap_or_else(|| came_from.unwrap_or(member.id).created());
                OwnIdentity { identity, since }
            })
            .collect();
        own.sort_by_key(|one| one.since);
        Ok(own)
    }

    async fn count_identities(&self, id: MemberId) -> Result<usize, StoreError> {
        let stored: Vec<StoredIdentity> = self.list(&keys::profile(id).pk, keys::IDENTITY).await?;
        Ok(stored.len())
    }

    /// Adds an identity that leads to no member. The caller has proof that the person who has it was signed in as the member
    /// when the session epoch was this one.
    pub async fn add_identity(
        &self,
        member: &Member,
        identity: &Identity,
        epoch: u64,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<AddIdentity, StoreError> {
        let owner = self.owner_of(identity).await?;
        if owner == Some(member.id) {
            return Ok(AddIdentity::AlreadyYours);
        }
        if member.session_epoch != epoch {
            return Ok(AddIdentity::SessionsEnded);
        }
        if !member.can_change_identities() {
            return Ok(AddIdentity::Changed);
        }
        let mut count = self.count_identities(member.id).await?;
        count += match owner {
            Some(id) => self.count_identities(id).await?,
            None => 1,
        };
        if count > MAX_IDENTITIES {
            return Ok(AddIdentity::LimitReached);
        }
        if let Some(owner) = owner {
            return Ok(AddIdentity::OwnedBy(owner));
        }
        let (entry, announced) = announce_identity(member.id, identity, IdentityChange::Added, cause, random)?;
        let update = Update::new().count("identity_changes");
        let profile = Write::update(&keys::profile(member.id), update).when(member.may_change_identities()?);
        let mut writes = vec![profile];
        writes.extend(own(member.id, identity, cause.now)?);
        writes.extend(announced);
        let is_added = self.commit(writes).await?.is_committed();
        Ok(if is_added { AddIdentity::Added(entry) } else { AddIdentity::Changed })
    }

    /// Removes an identity, unless it is the last one, and ends all sessions of the member but the one with this hash. A
    /// sign-in with the identity creates another member then, who has no right to the addresses of this one.
    pub async fn remove_identity(
        &self,
        member: &Member,
        identity: &Identity,
        kept_session: &str,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<RemoveIdentity, StoreError> {
        let identities = self.identities_of(member).await?;
        if !identities.iter().any(|own| own.identity == *identity) {
            return Ok(RemoveIdentity::NotYours);
        }
        if identities.len() == 1 {
            return Ok(RemoveIdentity::LastOne);
        }
        let session = self.session(kept_session, cause.now).await?;
        let session = session.filter(|session| member.ids().any(|id| id == session.member));
        let Some(session) = session.filter(|_| member.can_change_identities()) else {
            return Ok(RemoveIdentity::Changed);
        };
        let (entry, announced) = announce_identity(member.id, identity, IdentityChange::Removed, cause, random)?;
        let mut writes = vec![
            Write::delete(&keys::identity(identity)).when(path("owner").eq(member.id.to_string())),
            Write::delete(&keys::identity_of(member.id, identity)),
        ];
        for id in member.ids() {
            let mut update = Update::new().increment("session_epoch");
            let mut condition = item_exists();
            if id == member.id {
                update = update.count("identity_changes");
                condition = member.may_change_identities()?;
            }
            if id == session.member {
                condition = condition.and(path("session_epoch").eq(session.epoch));
            }
            writes.push(Write::update(&keys::profile(id), update).when(condition));
        }
        let is_open = path("member").eq(session.member.to_string()).and(path("epoch").eq(session.epoch));
        writes.push(Write::update(&keys::session(kept_session), Update::new().increment("epoch")).when(is_open));
        writes.extend(announced);
        let is_removed = self.commit(writes).await?.is_committed();
        Ok(if is_removed { RemoveIdentity::Removed(entry) } else { RemoveIdentity::Changed })
    }
}

impl Member {
    /// Whether the member can add or remove an identity: what a banned or erased member has must not pass to another.
    fn can_change_identities(&self) -> bool {
        !self.is_banned() && !self.is_erased() && self.merged_into.is_none()
    }

    /// The same as a condition, with everything as it was read.
    fn may_change_identities(&self) -> Result<Condition, StoreError> {
        let is_signed_in = path("sign_in").exists().and(path("session_epoch").eq(self.session_epoch));
        Ok(self.is_as_read()?.and(is_signed_in).and(path("salt").eq(attribute(&self.key_context)?)))
    }
}

/// Lets an identity lead to a member, if it leads to none.
pub(crate) fn own(member: MemberId, identity: &Identity, now: Timestamp) -> Result<[Write; 2], StoreError> {
    let stored = StoredIdentity { identity: identity.clone(), since: Some(now), came_from: None };
    Ok([
        Write::create(&keys::identity(identity), &Owner { owner: member })?,
        Write::create(&keys::identity_of(member, identity), &stored)?,
    ])
}

/// The audit and outbox entries of a change, with their id.
fn announce_identity(
    member: MemberId,
    identity: &Identity,
    did: IdentityChange,
    cause: Cause<'_>,
    random: &dyn Random,
) -> Result<(Ulid, Vec<Write>), StoreError> {
    let change = Change::Identity { member, issuer: identity.issuer.clone(), did };
    let entry = Entry::new(change, cause, random);
    Ok((entry.id, outbox::announce(&entry)?))
}
