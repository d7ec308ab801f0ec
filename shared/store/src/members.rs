//! Members: found or made at sign-in, banned and welcome again.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::Timestamp;
use membermail_core::audit::{Cause, Change, Entry, MemberChange};
use membermail_core::eligibility::Observation;
use membermail_core::email::EmailAddress;
use membermail_core::language::Language;
use membermail_core::member::{Identity, LaunchpadName, MemberId};
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

use crate::checks::{Check, CheckState};
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::sealing::{Field, Salt, SealError, Sealed, Sealer};
use crate::sessions::{NewSession, Session};
use crate::table::{Store, TRIES, Written, attribute, number, pause, text};

/// What a write asks of a member who must still be welcome.
pub(crate) const IS_NOT_BANNED: &str = "attribute_exists(pk) AND attribute_not_exists(banned_at)";

/// A member as the table has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub id: MemberId,
    /// Counts what ends all sessions of the member.
    pub session_epoch: u64,
    /// Since when an operator has banned them, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banned_at: Option<Timestamp>,
    /// What the membership source last said of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observation: Option<Observation>,
    /// The member that this one was linked to, as one person; it has their identities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<MemberId>,
    /// Members that were linked to this one; their aliases stay theirs and are shown here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<MemberId>,
    /// The language that they like best, as the sign-in provider has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The member's half of their key.
    pub salt: Salt,
    /// Gone once all aliases are retired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sign_in: Option<Sealed>,
    /// How far the check is.
    #[serde(flatten)]
    pub check: Check,
}

/// An identity as an item of its member.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StoredIdentity {
    #[serde(flatten)]
    pub(crate) identity: Identity,
    /// The member that it belonged to before a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) came_from: Option<MemberId>,
}

/// Who signs in, as the provider says.
#[derive(Clone, Copy, Debug)]
pub struct SignIn<'a> {
    /// The identity.
    pub identity: &'a Identity,
    /// The address that the provider gave.
    pub address: &'a EmailAddress,
    /// The language that they like best, where the provider says.
    pub language: Option<&'a Language>,
    /// The session that it opens.
    pub session: NewSession<'a>,
}

#[derive(Serialize, Deserialize)]
struct Banned {
    member: MemberId,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) owner: MemberId,
}

impl Member {
    /// Whether an operator has banned them.
    pub fn is_banned(&self) -> bool {
        self.banned_at.is_some()
    }

    /// The name that the membership source gave at the last look-up.
    pub fn name(&self) -> Option<&LaunchpadName> {
        self.observation.as_ref().map(|observation| &observation.person.name)
    }

    /// The member and those that were linked to it: whose aliases are theirs.
    pub fn ids(&self) -> impl Iterator<Item = MemberId> {
        std::iter::once(self.id).chain(self.merged.iter().copied())
    }

    /// Whether their personal data is gone.
    pub fn is_shredded(&self) -> bool {
        self.sign_in.is_none()
    }

    /// The address that they signed in with last; none, once their data is shredded.
    pub fn sign_in_address(&self, sealer: &Sealer) -> Result<Option<EmailAddress>, SealError> {
        self.sign_in.as_ref().map(|sealed| sealer.open(&self.salt, self.id, Field::SignIn, sealed)).transpose()
    }
}

impl Store {
    /// The member of that id.
    pub async fn member(&self, id: MemberId) -> Result<Option<Member>, StoreError> {
        self.get(&keys::profile(id)).await
    }

    /// The member of that id, or the one that they were linked to.
    pub async fn survivor(&self, id: MemberId) -> Result<Option<Member>, StoreError> {
        match self.member(id).await? {
            Some(member) => self.survivor_of(member).await,
            None => Ok(None),
        }
    }

    /// This member as read, or the one that they were linked to.
    pub async fn survivor_of(&self, member: Member) -> Result<Option<Member>, StoreError> {
        match member.merged_into {
            Some(survivor) => self.member(survivor).await,
            None => Ok(Some(member)),
        }
    }

    /// The member who signs in by this identity, made if there is none; their check is pending and their session is open
    /// from now on, all of it or nothing.
    pub async fn sign_in(
        &self,
        sealer: &Sealer,
        sign_in: SignIn<'_>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Member, StoreError> {
        let SignIn { identity, address, language, session: new } = sign_in;
        for tried in 0..TRIES {
            if let Some(Owner { owner }) = self.get(&keys::identity(identity)).await? {
                match self.sign_in_again(sealer, owner, sign_in, now, random).await {
                    // An outcome is being recorded just now. The assertion is used up, so that it has to work here.
                    Err(StoreError::Conflict) => pause(tried, random).await,
                    done => return done,
                }
                continue;
            }
            let id = MemberId::new(now, random);
            let salt = Salt::new(random);
            let sealed = sealer.seal(&salt, id, Field::SignIn, address, random)?;
            let check = Check { state: CheckState::Pending, requested_at: now, checked_at: None, outcome: None };
            let member = Member {
                id,
                session_epoch: 0,
                banned_at: None,
                observation: None,
                merged_into: None,
                merged: Vec::new(),
                language: language.cloned(),
                salt,
                sign_in: Some(sealed),
                check,
            };
            let stored = StoredIdentity { identity: identity.clone(), came_from: None };
            let session = Session { member: id, created: now, last_seen: now, epoch: member.session_epoch };
            let writes = vec![
                self.put_new(&keys::identity(identity), &Owner { owner: id })?,
                self.put_new(&keys::profile(id), &member)?,
                self.put_new(&keys::identity_of(id, identity), &stored)?,
                self.session_write(new, &session)?,
            ];
            // Another sign-in of the same person may have been faster: then theirs is the member.
            if self.transact(writes).await? == Written::All {
                return Ok(member);
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    async fn sign_in_again(
        &self,
        sealer: &Sealer,
        id: MemberId,
        sign_in: SignIn<'_>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Member, StoreError> {
        let SignIn { address, language, session: new, .. } = sign_in;
        let corrupt = || StoreError::corrupt("MEMBER", "an identity without its member");
        let mut member = self.member(id).await?.ok_or_else(corrupt)?;
        let sealed = sealer.seal(&member.salt, id, Field::SignIn, address, random)?;
        let mut set = "SET sign_in = :sign_in, #state = :pending, requested_at = :now".to_owned();
        let mut update = self.update(&keys::profile(id));
        if let Some(language) = language {
            set.push_str(", #language = :language");
            update = update
                .expression_attribute_names("#language", "language")
                .expression_attribute_values(":language", text(language.as_str()));
            member.language = Some(language.clone());
        }
        let update = update
            .update_expression(set)
            // A destination sealed by a key context that was shredded meanwhile could never be opened, and a session of
            // an epoch that a ban ended meanwhile would be over.
            .condition_expression("salt = :salt AND session_epoch = :epoch")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":sign_in", attribute(&sealed)?)
            .expression_attribute_values(":salt", attribute(&member.salt)?)
            .expression_attribute_values(":epoch", number(member.session_epoch))
            .expression_attribute_values(":pending", text("pending"))
            .expression_attribute_values(":now", text(now.to_string()));
        let session = Session { member: id, created: now, last_seen: now, epoch: member.session_epoch };
        let update = TransactWriteItem::builder().update(update.build()?).build();
        match self.transact(vec![update, self.session_write(new, &session)?]).await? {
            Written::All => {
                member.sign_in = Some(sealed);
                (member.check.state, member.check.requested_at) = (CheckState::Pending, now);
                Ok(member)
            }
            Written::Failed(_) => Err(StoreError::Conflict),
        }
    }

    /// Bans a member: their sessions end now, and they get no address. Every sync reads who is banned, and suspends what the
    /// caller does not. Returns whether they were not banned before.
    pub async fn ban(&self, id: MemberId, cause: Cause<'_>, random: &dyn Random) -> Result<bool, StoreError> {
        let profile = self
            .update(&keys::profile(id))
            .update_expression("SET banned_at = :now, session_epoch = session_epoch + :one")
            .condition_expression(IS_NOT_BANNED)
            .expression_attribute_values(":now", text(cause.now.to_string()))
            .expression_attribute_values(":one", number(1));
        self.change_ban(id, profile, MemberChange::Banned, cause, random).await
    }

    /// Takes a ban back; the sessions that it ended stay ended. Whether there was one.
    pub async fn unban(&self, id: MemberId, cause: Cause<'_>, random: &dyn Random) -> Result<bool, StoreError> {
        let profile = self
            .update(&keys::profile(id))
            .update_expression("REMOVE banned_at")
            .condition_expression("attribute_exists(banned_at)");
        self.change_ban(id, profile, MemberChange::Unbanned, cause, random).await
    }

    async fn change_ban(
        &self,
        id: MemberId,
        profile: UpdateBuilder,
        did: MemberChange,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let condition = profile.get_condition_expression().clone().unwrap_or_default();
        for tried in 0..TRIES {
            let Some(member) = self.member(id).await? else {
                return Err(StoreError::corrupt("MEMBER", "a ban without its member"));
            };
            if member.is_banned() == (did == MemberChange::Banned) {
                return Ok(false);
            }
            // A link at the same moment would leave the other member without the ban, or with it.
            let merged = if member.merged.is_empty() {
                "(attribute_not_exists(merged) OR merged = :merged)"
            } else {
                "merged = :merged"
            };
            let profile = profile
                .clone()
                .condition_expression(format!("{condition} AND {merged}"))
                .expression_attribute_values(":merged", attribute(&member.merged)?)
                .build()?;
            let entry = Entry::new(Change::Member { member: id, did }, cause, random);
            let mut writes = vec![TransactWriteItem::builder().update(profile).build(), self.audit_write(&entry)?];
            let is_ban = did == MemberChange::Banned;
            for id in member.ids() {
                writes.push(if is_ban { self.banned_write(id)? } else { self.removal(&keys::banned(id))? });
            }
            // Sessions from before a link are those of the linked member.
            for id in member.merged.iter().filter(|_| is_ban) {
                let update = self
                    .update(&keys::profile(*id))
                    .update_expression("SET session_epoch = session_epoch + :one")
                    .condition_expression("attribute_exists(pk)")
                    .expression_attribute_values(":one", number(1));
                writes.push(TransactWriteItem::builder().update(update.build()?).build());
            }
            match self.transact(writes).await? {
                Written::All => return Ok(true),
                Written::Failed(_) => pause(tried, random).await,
            }
        }
        Err(StoreError::Conflict)
    }

    /// Every sync knows from now on that the member is banned.
    pub(crate) fn banned_write(&self, id: MemberId) -> Result<TransactWriteItem, StoreError> {
        let put = self.put(&keys::banned(id), &Banned { member: id })?;
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// All members who are banned, and those that were linked to them.
    pub async fn banned_members(&self) -> Result<BTreeSet<MemberId>, StoreError> {
        let banned: Vec<Banned> = self.list(keys::BANNED, "").await?;
        Ok(banned.into_iter().map(|banned| banned.member).collect())
    }

    pub(crate) fn put_new<T: Serialize>(&self, key: &Key, value: &T) -> Result<TransactWriteItem, StoreError> {
        let put: Put = self.put(key, value)?.condition_expression("attribute_not_exists(pk)").build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}
