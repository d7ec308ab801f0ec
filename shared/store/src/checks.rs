//! Checks of members against Launchpad: how far they are, what they came to, and whom a Launchpad person belongs to.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::{SignedDuration, Timestamp};
use membermail_core::eligibility::Outcome;
use membermail_core::member::{LaunchpadId, LaunchpadName, MemberId};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::people::instant;
use crate::table::{Store, Written, number, text};

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
    /// Launchpad did not answer for as long as the queue tries. Whoever signs in again has it asked anew.
    GivenUp,
    /// There is an outcome.
    Done,
}

/// After so long no queue tries any more, even where nobody could record that: the function that should have was killed,
/// or had no table. The verify queue's tries take some 31 hours at most, unless Launchpad asks to be left alone.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(48);

impl Check {
    /// How far it is by now.
    pub fn state_at(&self, now: Timestamp) -> CheckState {
        match self.state {
            CheckState::Pending | CheckState::Delayed if now.duration_since(self.requested_at) > GIVEN_UP => {
                CheckState::GivenUp
            }
            state => state,
        }
    }
}

/// Whether an outcome was recorded as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It was.
    Recorded,
    /// The Launchpad person belongs to another member; [`Outcome::PersonTaken`] was recorded instead.
    PersonTaken,
}

impl Store {
    /// Notes that Launchpad does not answer and that a queue tries again, unless there is an outcome by now.
    pub async fn record_delay(&self, id: MemberId) -> Result<(), StoreError> {
        self.without_outcome(id, "delayed", ["pending", "given-up"]).await
    }

    /// Notes that no queue tries any more, unless there is an outcome by now.
    pub async fn record_given_up(&self, id: MemberId) -> Result<(), StoreError> {
        self.without_outcome(id, "given-up", ["pending", "delayed"]).await
    }

    /// From either of these states to that one.
    async fn without_outcome(&self, id: MemberId, to: &str, from: [&str; 2]) -> Result<(), StoreError> {
        let Key { pk, sk } = keys::profile(id);
        let request = self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
        let [one, other] = from;
        let updated = request
            .update_expression("SET #state = :to")
            .condition_expression("#state IN (:one, :other)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":to", text(to))
            .expression_attribute_values(":one", text(one))
            .expression_attribute_values(":other", text(other))
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
        let Some((launchpad_id, name)) = person else {
            return self.settle(writes, Recorded::Recorded).await;
        };
        writes.push(self.claim_write(launchpad_id, id)?);
        writes.push(self.name_write(name, id, now)?);
        match self.transact(writes).await? {
            Written::All => Ok(Recorded::Recorded),
            Written::Failed(places) if places.contains(&0) => Err(no_member()),
            Written::Failed(places) if places.contains(&1) => {
                let instead = self.outcome_write(id, &Outcome::PersonTaken, None, now)?;
                self.settle(vec![instead], Recorded::PersonTaken).await
            }
            Written::Failed(_) => Err(StoreError::Conflict),
        }
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
            set.push_str(", launchpad_id = :id, launchpad_name = :name, named_at = :named_at");
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
                .expression_attribute_values(":name", text(name.as_str()))
                .expression_attribute_values(":named_at", instant(now));
        }
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    async fn settle(&self, writes: Vec<TransactWriteItem>, done: Recorded) -> Result<Recorded, StoreError> {
        match self.transact(writes).await? {
            Written::All => Ok(done),
            Written::Failed(places) if places.contains(&0) => Err(no_member()),
            Written::Failed(_) => Err(StoreError::Conflict),
        }
    }
}

/// Not retryable: a member who is not there will not be there later.
fn no_member() -> StoreError {
    StoreError::corrupt("MEMBER", "an outcome without its member")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::asked_just_now(CheckState::Pending, 0, CheckState::Pending)]
    #[case::the_queue_tries(CheckState::Delayed, 47, CheckState::Delayed)]
    #[case::no_queue_tries_so_long(CheckState::Delayed, 49, CheckState::GivenUp)]
    #[case::killed_before_it_could_tell(CheckState::Pending, 49, CheckState::GivenUp)]
    #[case::an_outcome_stays(CheckState::Done, 10_000, CheckState::Done)]
    fn nobody_waits_for_what_does_not_come(
        #[case] state: CheckState,
        #[case] hours: i64,
        #[case] expected: CheckState,
    ) {
        let requested_at = Timestamp::UNIX_EPOCH;
        let check = Check { state, requested_at, checked_at: None, outcome: None };
        assert_eq!(check.state_at(requested_at + SignedDuration::from_hours(hours)), expected);
    }
}
