//! Members: found or made at sign-in, banned and welcome again.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::Timestamp;
use membermail_core::audit::{Cause, Change, Entry, MemberChange};
use membermail_core::email::EmailAddress;
use membermail_core::language::Language;
use membermail_core::member::{Identity, LaunchpadId, LaunchpadName, MemberId};
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

use crate::checks::{Check, CheckState};
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::sealing::{Field, Salt, SealError, Sealed, Sealer};
use crate::table::{Store, TRIES, Written, number, pause, text};

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
    /// Launchpad's id of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launchpad_id: Option<LaunchpadId>,
    /// What Launchpad called them at the last check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launchpad_name: Option<LaunchpadName>,
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

#[derive(Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) owner: MemberId,
}

impl Member {
    /// Whether an operator has banned them.
    pub fn is_banned(&self) -> bool {
        self.banned_at.is_some()
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

    /// The member who signs in by this identity, made if there is none; their check is pending from now on.
    pub async fn sign_in(
        &self,
        sealer: &Sealer,
        identity: &Identity,
        address: &EmailAddress,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Member, StoreError> {
        for tried in 0..TRIES {
            if let Some(Owner { owner }) = self.get(&keys::identity(identity)).await? {
                match self.sign_in_again(sealer, owner, address, now, random).await {
                    // An outcome is being recorded just now. The assertion is used up, so that it has to work here.
                    Err(StoreError::Conflict) => pause(tried, random).await,
                    done => return done,
                }
                continue;
            }
            let id = MemberId::new(now, random);
            let salt = Salt::new(random);
            let sign_in = sealer.seal(&salt, id, Field::SignIn, address, random)?;
            let check = Check { state: CheckState::Pending, requested_at: now, checked_at: None, outcome: None };
            let (banned_at, launchpad_id, launchpad_name, language) = (None, None, None, None);
            let sign_in = Some(sign_in);
            let member = Member {
                id,
                session_epoch: 0,
                banned_at,
                launchpad_id,
                launchpad_name,
                language,
                salt,
                sign_in,
                check,
            };
            let writes = vec![
                self.put_new(&keys::identity(identity), &Owner { owner: id })?,
                self.put_new(&keys::profile(id), &member)?,
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
        address: &EmailAddress,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Member, StoreError> {
        let corrupt = || StoreError::corrupt("MEMBER", "an identity without its member");
        let salt = self.member(id).await?.ok_or_else(corrupt)?.salt;
        let sign_in = sealer.seal(&salt, id, Field::SignIn, address, random)?;
        let seen = serde_dynamo::to_attribute_value(salt).map_err(|cause| StoreError::corrupt("MEMBER", cause))?;
        let sign_in =
            serde_dynamo::to_attribute_value(sign_in).map_err(|cause| StoreError::corrupt("MEMBER", cause))?;
        let Key { pk, sk } = keys::profile(id);
        let updated = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(pk))
            .key("sk", text(sk))
            .update_expression("SET sign_in = :sign_in, #state = :pending, requested_at = :now")
            // What is sealed by a salt that was shredded meanwhile could never be opened.
            .condition_expression("salt = :seen")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":sign_in", sign_in)
            .expression_attribute_values(":seen", seen)
            .expression_attribute_values(":pending", text("pending"))
            .expression_attribute_values(":now", text(now.to_string()))
            .send()
            .await;
        match updated {
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                return Err(StoreError::Conflict);
            }
            updated => updated?,
        };
        self.member(id).await?.ok_or_else(corrupt)
    }

    /// Keeps the language that a member likes best, if it is another than before.
    pub async fn keep_language(&self, member: &Member, language: &Language) -> Result<(), StoreError> {
        if member.language.as_ref() == Some(language) {
            return Ok(());
        }
        let Key { pk, sk } = keys::profile(member.id);
        let request = self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
        request
            .update_expression("SET #language = :language")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#language", "language")
            .expression_attribute_values(":language", text(language.as_str()))
            .send()
            .await?;
        Ok(())
    }

    /// Bans a member: their sessions end now, and nothing is given to them. The directory of people tells every sync,
    /// which suspends what the caller does not. Whether they were not banned before.
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
        let profile = profile.build()?;
        for tried in 0..TRIES {
            let Some(member) = self.member(id).await? else {
                return Err(StoreError::corrupt("MEMBER", "a ban without its member"));
            };
            let entry = Entry::new(Change::Member { member: id, did }, cause, random);
            let mut writes =
                vec![TransactWriteItem::builder().update(profile.clone()).build(), self.audit_write(&entry)?];
            if let Some(person) = member.launchpad_id {
                writes.push(self.mark_person(person, "banned", did == MemberChange::Banned)?);
            }
            match self.transact(writes).await? {
                Written::All => return Ok(true),
                Written::Failed(places) if places.contains(&0) => return Ok(false),
                Written::Failed(_) => pause(tried, random).await,
            }
        }
        Err(StoreError::Conflict)
    }

    fn put_new<T: Serialize>(&self, key: &Key, value: &T) -> Result<TransactWriteItem, StoreError> {
        let put: Put = self.put(key, value)?.condition_expression("attribute_not_exists(pk)").build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}
