//! Members: found or made at sign-in, with what the last check came to.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::Timestamp;
use membermail_core::eligibility::Outcome;
use membermail_core::email::EmailAddress;
use membermail_core::member::{Identity, LaunchpadId, LaunchpadName, MemberId};
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::sealing::{Field, Salt, SealError, Sealed, Sealer};
use crate::table::{Store, Written, number, text};

/// How often a race is run again before the caller is told.
const TRIES: usize = 4;
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
    /// The member's half of their key.
    pub salt: Salt,
    sign_in: Sealed,
    /// How far the check is.
    #[serde(flatten)]
    pub check: Check,
}

/// The check of a member against Launchpad.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// How far it is.
    pub state: CheckState,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When the outcome was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Timestamp>,
    /// What the last one came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// How far a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// Asked for.
    Pending,
    /// Launchpad does not answer; the queue tries again.
    Delayed,
    /// There is an outcome.
    Done,
}

/// Whether an outcome was recorded as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It was.
    Recorded,
    /// The Launchpad person belongs to another member; [`Outcome::PersonTaken`] was recorded instead.
    PersonTaken,
}

#[derive(Serialize, Deserialize)]
struct Owner {
    owner: MemberId,
}

impl Member {
    /// Whether an operator has banned them.
    pub fn is_banned(&self) -> bool {
        self.banned_at.is_some()
    }

    /// The address that they signed in with last.
    pub fn sign_in_address(&self, sealer: &Sealer) -> Result<EmailAddress, SealError> {
        sealer.open(&self.salt, self.id, Field::SignIn, &self.sign_in)
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
        for _ in 0..TRIES {
            if let Some(Owner { owner }) = self.get(&keys::identity(identity)).await? {
                return self.sign_in_again(sealer, owner, address, now, random).await;
            }
            let id = MemberId::new(now, random);
            let salt = Salt::new(random);
            let sign_in = sealer.seal(&salt, id, Field::SignIn, address, random).map_err(unsealable)?;
            let check = Check { state: CheckState::Pending, requested_at: now, checked_at: None, outcome: None };
            let (banned_at, launchpad_id, launchpad_name) = (None, None, None);
            let member = Member { id, session_epoch: 0, banned_at, launchpad_id, launchpad_name, salt, sign_in, check };
            let writes = vec![
                self.put_new(&keys::identity(identity), &Owner { owner: id })?,
                self.put_new(&keys::profile(id), &member)?,
            ];
            // Another sign-in of the same person may have been faster: then theirs is the member.
            if self.transact(writes).await? == Written::All {
                return Ok(member);
            }
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
        let sign_in = sealer.seal(&salt, id, Field::SignIn, address, random).map_err(unsealable)?;
        let sign_in =
            serde_dynamo::to_attribute_value(sign_in).map_err(|cause| StoreError::corrupt("MEMBER", cause))?;
        let Key { pk, sk } = keys::profile(id);
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(pk))
            .key("sk", text(sk))
            .update_expression("SET sign_in = :sign_in, #state = :pending, requested_at = :now")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":sign_in", sign_in)
            .expression_attribute_values(":pending", text("pending"))
            .expression_attribute_values(":now", text(now.to_string()))
            .send()
            .await?;
        self.member(id).await?.ok_or_else(corrupt)
    }

    /// Notes that Launchpad does not answer, unless there is an outcome by now.
    pub async fn record_delay(&self, id: MemberId) -> Result<(), StoreError> {
        let Key { pk, sk } = keys::profile(id);
        let request = self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
        let updated = request
            .update_expression("SET #state = :delayed")
            .condition_expression("#state = :pending")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":delayed", text("delayed"))
            .expression_attribute_values(":pending", text("pending"))
            .send()
            .await;
        match updated {
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(()),
            other => other.map(drop).map_err(Into::into),
        }
    }

    /// Records what a check came to, and that the Launchpad person belongs to this member from now on.
    pub async fn record_outcome(
        &self,
        id: MemberId,
        outcome: &Outcome,
        person: Option<(LaunchpadId, &LaunchpadName)>,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let mut writes = vec![self.outcome_write(id, outcome, person, now)?];
        let Some((launchpad_id, _)) = person else {
            return self.settle(writes, Recorded::Recorded).await;
        };
        let claim = self
            .put(&keys::launchpad(launchpad_id), &Owner { owner: id })?
            .condition_expression("attribute_not_exists(pk) OR #owner = :me")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":me", text(id.to_string()));
        writes.push(TransactWriteItem::builder().put(claim.build()?).build());
        match self.transact(writes).await? {
            Written::All => Ok(Recorded::Recorded),
            Written::Failed(places) if places == [1] => {
                let instead = self.outcome_write(id, &Outcome::PersonTaken, None, now)?;
                self.settle(vec![instead], Recorded::PersonTaken).await
            }
            Written::Failed(_) => Err(StoreError::Conflict),
        }
    }

    /// Bans a member: their sessions end now, and nothing is written for them.
    pub async fn ban(&self, id: MemberId, now: Timestamp) -> Result<(), StoreError> {
        let update = "SET banned_at = if_not_exists(banned_at, :now), session_epoch = session_epoch + :one";
        let Key { pk, sk } = keys::profile(id);
        let request = self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
        request
            .update_expression(update)
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":now", text(now.to_string()))
            .expression_attribute_values(":one", number(1))
            .send()
            .await?;
        Ok(())
    }

    /// Takes a ban back; the sessions that it ended stay ended.
    pub async fn unban(&self, id: MemberId) -> Result<(), StoreError> {
        let Key { pk, sk } = keys::profile(id);
        let request = self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
        request.update_expression("REMOVE banned_at").condition_expression("attribute_exists(pk)").send().await?;
        Ok(())
    }

    fn put_new<T: Serialize>(&self, key: &Key, value: &T) -> Result<TransactWriteItem, StoreError> {
        let put: Put = self.put(key, value)?.condition_expression("attribute_not_exists(pk)").build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn outcome_write(
        &self,
        id: MemberId,
        outcome: &Outcome,
        person: Option<(LaunchpadId, &LaunchpadName)>,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let outcome =
            serde_dynamo::to_attribute_value(outcome).map_err(|cause| StoreError::corrupt("MEMBER", cause))?;
        let mut set = "SET #state = :done, #outcome = :outcome, checked_at = :now".to_owned();
        if person.is_some() {
            set.push_str(", launchpad_id = :id, launchpad_name = :name");
        }
        let mut update = self
            .update(&keys::profile(id))
            .update_expression(set)
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#outcome", "outcome")
            .expression_attribute_values(":done", text("done"))
            .expression_attribute_values(":outcome", outcome)
            .expression_attribute_values(":now", text(now.to_string()));
        if let Some((id, name)) = person {
            update = update
                .expression_attribute_values(":id", number(id))
                .expression_attribute_values(":name", text(name.as_str()));
        }
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    async fn settle(&self, writes: Vec<TransactWriteItem>, done: Recorded) -> Result<Recorded, StoreError> {
        match self.transact(writes).await? {
            Written::All => Ok(done),
            Written::Failed(_) => Err(StoreError::Conflict),
        }
    }
}

pub(crate) fn unsealable(cause: SealError) -> StoreError {
    StoreError::corrupt("sealed data", cause)
}
