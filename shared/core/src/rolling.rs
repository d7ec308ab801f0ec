//! The rolling check: every run verifies some members by identity, in turn. A turn takes a day at 1,000 members and a week
//! at 100,000. Members with weak evidence come first in each turn.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::address::LocalPart;
use crate::member::MemberId;

/// The position in a turn: the last alias that was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Whether all members with weak evidence were checked in this turn.
    pub past_weak: bool,
    /// The last alias that was checked; `None` at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<LocalPart>,
}

/// The next members, each with the cursor after their check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rolling(pub Vec<(MemberId, Cursor)>);

impl Rolling {
    /// The next `count` members after a cursor. Candidates are sorted by local part, each with whether its evidence is weak.
    /// After the end of a turn, the next one begins.
    pub(crate) fn next<'a>(
        candidates: impl Iterator<Item = (bool, &'a LocalPart, MemberId)>,
        cursor: &Cursor,
        count: usize,
    ) -> Self {
        let mut turn: Vec<_> = candidates.map(|(is_weak, local_part, member)| (!is_weak, local_part, member)).collect();
        turn.sort_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)));
        let first = turn.partition_point(|(past_weak, local_part, _)| {
            (*past_weak, Some(*local_part)) <= (cursor.past_weak, cursor.after.as_ref())
        });
        turn.rotate_left(first);
        let mut next = Vec::new();
        for (past_weak, local_part, member) in turn {
            if next.len() == count {
                break;
            }
            if next.iter().all(|(one, _)| *one != member) {
                next.push((member, Cursor { past_weak, after: Some(local_part.clone()) }));
            }
        }
        Self(next)
    }
}

/// Members to check per run, so that a turn takes a day at up to 1,000 members and a week from 100,000 on. `period` is the
/// time between two runs.
pub fn members_per_run(members: usize, period: SignedDuration) -> usize {
    const DAY: f64 = 86_400.0;
    let count = u32::try_from(members).map_or(f64::MAX, f64::from);
    let days = 1.0 + 3.0 * (count / 1_000.0).max(1.0).log10();
    let share = period.as_secs_f64().max(1.0) / (days.min(7.0) * DAY);
    // A float of at most `members` fits.
    let per_run = (count * share).ceil().min(count);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and `members`")]
    let per_run = per_run as usize;
    per_run
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::testing::members;

    #[rstest::rstest]
    #[case(0, 0)]
    #[case(1, 1)]
    #[case(700, 30)]
    #[case(1_000, 42)]
    #[case(10_000, 105)]
    #[case(100_000, 596)]
    #[case(1_000_000, 5_953)]
    fn turn_lasts_day_to_week(#[case] members: usize, #[case] per_run: usize) {
        assert_eq!(members_per_run(members, SignedDuration::from_hours(1)), per_run);
    }

    proptest! {
        /// Every member is checked once in a turn, the weak ones before the others.
        #[test]
        fn turn_reaches_every_member(weak in proptest::collection::vec(any::<bool>(), 1..30), count in 1_usize..7) {
            let members = members::<30>();
            let all: Vec<_> = weak
                .iter()
                .zip(members)
                .enumerate()
                .map(|(place, (is_weak, member))| (*is_weak, format!("member{place:03}").parse().unwrap(), member))
                .collect();
            let mut cursor = Cursor::default();
            let mut checked = Vec::new();
            while checked.len() < all.len() {
                let candidates = all.iter().map(|(is_weak, local_part, member)| (*is_weak, local_part, *member));
                let Rolling(next) = Rolling::next(candidates, &cursor, count.min(all.len() - checked.len()));
                prop_assert!(!next.is_empty());
                cursor = next.last().unwrap().1.clone();
                checked.extend(next.into_iter().map(|(member, _)| member));
            }
            prop_assert_eq!(checked.iter().collect::<BTreeSet<_>>().len(), all.len());
            let strong: BTreeSet<_> = all.iter().filter(|(is_weak, ..)| !is_weak).map(|(.., member)| member).collect();
            prop_assert!(checked.iter().is_sorted_by_key(|member| strong.contains(member)));
        }
    }
}
