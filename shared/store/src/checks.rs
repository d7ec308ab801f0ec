//! Checks of members against the membership source: how far one is, and who may carry it out.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use jiff::{SignedDuration, Timestamp};
use membermail_core::clock::later;
use membermail_core::eligibility::Outcome;
use membermail_core::member::MemberId;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::members::Member;
use crate::table::{Store, decode, number, text};

/// The check of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// How far it is.
    pub state: CheckState,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When the outcome was found; stored as a number, which a condition compares as time does.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_micros")]
    pub checked_at: Option<Timestamp>,
    /// The outcome of the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

mod optional_micros {
    use jiff::Timestamp;
    use membermail_core::clock::micros;
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => micros::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        micros::deserialize(deserializer).map(Some)
    }
}

/// How far a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// Asked for.
    Pending,
    /// The source does not answer; the queue retries.
    Delayed,
    /// The source did not answer for as long as the queue retries. The member can ask for another check.
    GivenUp,
    /// There is an outcome.
    Done,
}

/// No queue retries for longer than this, even where that could not be recorded: the function was killed, or had no table.
/// The verify queue's retries take some 31 hours at most.
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

/// Whether a check may begin: single-flight per member, by an in-flight lease.
#[derive(Clone, Debug)]
pub enum CheckBegun {
    /// It may, for the member as they are now.
    Started(Box<Member>),
    /// A newer request was made: the message is stale.
    Stale,
    /// This request has its outcome: the message was delivered again.
    AlreadyDone(Box<Member>),
    /// Another check of the member is in flight, or ended a moment ago: retry then.
    Busy {
        /// When the lease or the pause ends.
        until: Timestamp,
    },
    /// There is no such member.
    NoMember,
}

#[derive(Deserialize)]
struct InFlight {
    /// The end of the lease, in seconds since 1970.
    #[serde(default)]
    check_until: i64,
    /// The request that the last outcome belongs to.
    #[serde(default)]
    checked_for: Option<Timestamp>,
}

impl Store {
    /// Asks for a check; the caller sends the message with `now` as its `requested_at`.
    pub async fn request_check(&self, id: MemberId, now: Timestamp) -> Result<(), StoreError> {
        let Key { pk, sk } = keys::profile(id);
        let request = self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
        request
            .update_expression("SET #state = :pending, requested_at = :now")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":pending", text("pending"))
            .expression_attribute_values(":now", text(now.to_string()))
            .send()
            .await?;
        Ok(())
    }

    /// Begins the check that was requested at that time, unless it is stale or another is in flight. Two checks that were
    /// requested in a row are `pause` apart, so that many sign-ins come to one or two look-ups.
    pub async fn begin_check(
        &self,
        id: MemberId,
        requested_at: Timestamp,
        now: Timestamp,
        lease: SignedDuration,
        pause: SignedDuration,
    ) -> Result<CheckBegun, StoreError> {
        let Key { pk, sk } = keys::profile(id);
        let request = self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
        let begun = request
            .update_expression("SET check_until = :until, #state = :pending")
            .condition_expression(
                "requested_at = :requested AND (attribute_not_exists(checked_for) OR checked_for <> :requested) \
                 AND (attribute_not_exists(check_until) OR check_until <= :second) \
                 AND (attribute_not_exists(checked_at) OR checked_at <= :quiet)",
            )
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":until", number(later(now, lease).as_second()))
            .expression_attribute_values(":requested", text(requested_at.to_string()))
            .expression_attribute_values(":pending", text("pending"))
            .expression_attribute_values(":second", number(now.as_second()))
            .expression_attribute_values(":quiet", number(later(now, -pause).as_microsecond()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let item = match begun {
            Ok(begun) => {
                let member = decode(begun.attributes.unwrap_or_default(), &keys::profile(id))?;
                return Ok(CheckBegun::Started(Box::new(member)));
            }
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                match error.into_err() {
                    UpdateItemError::ConditionalCheckFailedException(failed) => failed.item.unwrap_or_default(),
                    other => return Err(StoreError::refused(&other)),
                }
            }
            Err(error) => return Err(error.into()),
        };
        if item.is_empty() {
            return Ok(CheckBegun::NoMember);
        }
        let InFlight { check_until, checked_for } = decode(item.clone(), &keys::profile(id))?;
        let member: Member = decode(item, &keys::profile(id))?;
        if checked_for == Some(requested_at) {
            return Ok(CheckBegun::AlreadyDone(Box::new(member)));
        }
        if member.check.requested_at != requested_at {
            return Ok(CheckBegun::Stale);
        }
        let in_flight = Timestamp::from_second(check_until).unwrap_or(now);
        let quiet = member.check.checked_at.map_or(now, |checked_at| later(checked_at, pause));
        Ok(CheckBegun::Busy { until: in_flight.max(quiet) })
    }

    /// Gives the in-flight lease back after a check without an outcome, so that the retry need not wait for its end.
    pub async fn end_check(&self, id: MemberId) -> Result<(), StoreError> {
        let Key { pk, sk } = keys::profile(id);
        let request = self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
        let ended = request.update_expression("REMOVE check_until").condition_expression("attribute_exists(pk)");
        ended.send().await?;
        Ok(())
    }

    /// Records that the source does not answer and that the queue retries, unless there is an outcome by now.
    pub async fn record_delay(&self, id: MemberId) -> Result<(), StoreError> {
        self.without_outcome(id, "delayed", ["pending", "given-up"]).await
    }

    /// Records that the queue retries no more, unless there is an outcome by now.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::asked_just_now(CheckState::Pending, 0, CheckState::Pending)]
    #[case::the_queue_retries(CheckState::Delayed, 47, CheckState::Delayed)]
    #[case::no_queue_retries_so_long(CheckState::Delayed, 49, CheckState::GivenUp)]
    #[case::killed_before_it_could_tell(CheckState::Pending, 49, CheckState::GivenUp)]
    #[case::an_outcome_stays(CheckState::Done, 10_000, CheckState::Done)]
    fn check_is_given_up_in_the_end(#[case] state: CheckState, #[case] hours: i64, #[case] expected: CheckState) {
        let requested_at = Timestamp::UNIX_EPOCH;
        let check = Check { state, requested_at, checked_at: None, outcome: None };
        assert_eq!(check.state_at(requested_at + SignedDuration::from_hours(hours)), expected);
    }
}
