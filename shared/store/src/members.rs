//! Members: found or made at sign-in.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::Timestamp;
use membermail_core::eligibility::Observation;
use membermail_core::email::EmailAddress;
use membermail_core::language::Language;
use membermail_core::member::{Identity, LaunchpadName, MemberId, ObservedName};
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
    /// When an operator last banned them or lifted a ban, in microseconds since 1970, which a condition compares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ban_changed_at: Option<i64>,
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
    /// Counts the grants of addresses: an erasure is conditional on it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) grants: u64,
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
pub(crate) struct Owner {
    pub(crate) owner: MemberId,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Member {
    /// Whether an operator has banned them.
    pub fn is_banned(&self) -> bool {
        self.banned_at.is_some()
    }

    /// When an operator last banned them or lifted a ban.
    pub fn ban_changed_at(&self) -> Option<Timestamp> {
        let at = self.ban_changed_at.and_then(|at| Timestamp::from_microsecond(at).ok());
        // A ban of an earlier release has no other time.
        at.or(self.banned_at)
    }

    /// The name that the membership source gave at the last look-up.
    pub fn name(&self) -> Option<&LaunchpadName> {
        self.observation.as_ref().map(|observation| &observation.person.name)
    }

    /// The member and those that were linked to it: whose aliases are theirs.
    pub fn ids(&self) -> impl Iterator<Item = MemberId> {
        std::iter::once(self.id).chain(self.merged.iter().copied())
    }

    /// The name of the last look-up, with its time.
    pub(crate) fn newest_name(&self) -> Option<ObservedName> {
        self.observation.as_ref().map(Observation::name)
    }

    /// The condition that the links of the member are as they were read, with `:merged_as_read` for [`Self::merged`].
    pub(crate) fn links_as_read(&self) -> &'static str {
        if self.merged.is_empty() {
            "attribute_exists(pk) AND attribute_not_exists(merged_into) \
             AND (attribute_not_exists(merged) OR merged = :merged_as_read)"
        } else {
            "attribute_exists(pk) AND attribute_not_exists(merged_into) AND merged = :merged_as_read"
        }
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
                ban_changed_at: None,
                observation: None,
                merged_into: None,
                merged: Vec::new(),
                language: language.cloned(),
                salt,
                grants: 0,
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

    pub(crate) fn put_new<T: Serialize>(&self, key: &Key, value: &T) -> Result<TransactWriteItem, StoreError> {
        let put: Put = self.put(key, value)?.condition_expression("attribute_not_exists(pk)").build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}
