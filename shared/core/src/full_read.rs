//! When a run can skip reading a team: its total equals that of the last complete reading, and that reading is recent.
//!
//! A member who joins while another leaves does not change the total. The maximum age bounds how long such a change stays
//! unnoticed.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::member::Fingerprint;

/// A complete reading of a team without open look-ups, joiners or decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FullRead {
    /// When the reading began.
    pub at: Timestamp,
    /// Rows of the team, including hidden ones.
    pub total: u64,
    /// The team that was read.
    pub team: Fingerprint,
}

impl FullRead {
    /// Whether the same team was read less than `most` ago. A time in the future means a wrong clock and does not count.
    pub fn is_recent(&self, team: Fingerprint, now: Timestamp, most: SignedDuration) -> bool {
        let age = now.duration_since(self.at);
        self.team == team && !age.is_negative() && age < most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEAM: Fingerprint = Fingerprint(42);

    #[rstest::rstest]
    #[case::a_moment_ago(TEAM, 0, 6, true)]
    #[case::within_the_hours(TEAM, 359, 6, true)]
    #[case::after_the_hours(TEAM, 360, 6, false)]
    #[case::another_team(Fingerprint(43), 1, 6, false)]
    #[case::in_the_future(TEAM, -1, 6, false)]
    #[case::switched_off(TEAM, 0, 0, false)]
    fn reading_is_recent(#[case] team: Fingerprint, #[case] minutes: i64, #[case] hours: i64, #[case] expected: bool) {
        let at = "2026-11-24T10:00:00Z".parse().unwrap();
        let read = FullRead { at, total: 900, team: TEAM };
        let now = at + SignedDuration::from_mins(minutes);
        assert_eq!(read.is_recent(team, now, SignedDuration::from_hours(hours)), expected);
    }
}
