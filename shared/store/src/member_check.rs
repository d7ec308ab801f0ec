//! The stored state of a member's check against the membership source.

use jiff::{SignedDuration, Timestamp};
use membermail_core::eligibility::{CheckState, Outcome};
use serde::{Deserialize, Serialize};

/// The check of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The progress of the last request.
    pub state: CheckState,
    /// When it was last requested.
    pub requested_at: Timestamp,
    /// When the outcome was found. Stored as a number, which conditions can compare.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_micros")]
    pub checked_at: Option<Timestamp>,
    /// The outcome of the last completed check.
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

/// No queue retries for longer than this. It covers checks whose end could not be recorded: the function was killed, or the
/// table was unavailable. The verify queue retries for at most 31 hours.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(48);

impl Check {
    /// A check that was requested and has no outcome.
    pub(crate) fn requested(at: Timestamp) -> Self {
        Self { state: CheckState::Pending, requested_at: at, checked_at: None, outcome: None }
    }

    /// The progress at that time.
    pub fn state_at(&self, now: Timestamp) -> CheckState {
        match self.state {
            CheckState::Pending | CheckState::Delayed if now.duration_since(self.requested_at) > GIVEN_UP => {
                CheckState::GivenUp
            }
            state => state,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::just_requested(CheckState::Pending, 0, CheckState::Pending)]
    #[case::the_queue_retries(CheckState::Delayed, 47, CheckState::Delayed)]
    #[case::retries_ended(CheckState::Delayed, 49, CheckState::GivenUp)]
    #[case::function_was_killed(CheckState::Pending, 49, CheckState::GivenUp)]
    #[case::outcome_stays(CheckState::Done, 10_000, CheckState::Done)]
    fn check_is_given_up_after_retries(#[case] state: CheckState, #[case] hours: i64, #[case] expected: CheckState) {
        let requested_at = Timestamp::UNIX_EPOCH;
        let check = Check { state, ..Check::requested(requested_at) };
        assert_eq!(check.state_at(requested_at + SignedDuration::from_hours(hours)), expected);
    }
}
