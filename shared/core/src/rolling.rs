//! The rolling check: every run verifies some members by identity, in turn, so that all have had theirs within a day at
//! 1,000 members and within a week at 100,000. Members whose evidence is weak come first in each turn.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::address::LocalPart;
use crate::member::MemberId;

/// How far a turn is: the last alias that was checked, weak ones first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Whether the weak ones of this turn are done.
    #[serde(default)]
    pub past_weak: bool,
    /// The last one; none at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<LocalPart>,
}

/// Who is next, each with the cursor once they are checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rolling(pub Vec<(MemberId, Cursor)>);

impl Rolling {
    /// The next `count` members from a cursor on. Candidates come by local part, each with whether its evidence is weak;
    /// a turn that ends begins anew.
    pub(crate) fn next<'a>(
        candidates: impl Iterator<Item = (bool, &'a LocalPart, MemberId)>,
        cursor: &Cursor,
        count: usize,
    ) -> Self {
        let mut turn: Vec<_> = candidates.map(|(is_weak, local_part, member)| (!is_weak, local_part, member)).collect();
        turn.sort_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)));
        let is_done = |(past_weak, local_part, _): &(bool, &LocalPart, MemberId)| {
            let after = cursor.after.as_ref();
            (*past_weak, Some(*local_part)) <= (cursor.past_weak, after)
        };
        let first = turn.partition_point(is_done);
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

/// How many members a run checks, so that a turn takes a day at up to 1,000 members and a week from 100,000 on. `period` is
/// the time from one run to the next.
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

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::random::CountingRandom;

    #[rstest::rstest]
    #[case(0, 0)]
    #[case(1, 1)]
    #[case(700, 30)]
    #[case(1_000, 42)]
    #[case(10_000, 105)]
    #[case(100_000, 596)]
    #[case(1_000_000, 5_953)]
    fn turn_is_a_day_to_a_week(#[case] members: usize, #[case] per_run: usize) {
        assert_eq!(members_per_run(members, SignedDuration::from_hours(1)), per_run);
    }

    proptest! {
        /// Every member is checked once in a turn, the weak ones before the others.
        #[test]
        fn turn_reaches_every_member(weak in proptest::collection::vec(any::<bool>(), 1..30), count in 1_usize..7) {
            let random = CountingRandom::default();
            let all: Vec<_> = weak
                .iter()
                .enumerate()
                .map(|(place, is_weak)| {
                    let local_part = LocalPart::parse(&format!("member{place:03}")).unwrap();
                    (*is_weak, local_part, MemberId::new(Timestamp::UNIX_EPOCH, &random))
                })
                .collect();
            let candidates = || all.iter().map(|(is_weak, local_part, member)| (*is_weak, local_part, *member));
            let (mut cursor, mut checked) = (Cursor::default(), Vec::new());
            while checked.len() < all.len() {
                let Rolling(next) = Rolling::next(candidates(), &cursor, count.min(all.len() - checked.len()));
                prop_assert!(!next.is_empty());
                cursor = next.last().unwrap().1.clone();
                checked.extend(next.into_iter().map(|(member, _)| member));
            }
            prop_assert_eq!(checked.iter().collect::<BTreeSet<_>>().len(), all.len());
            let is_weak = |member: &MemberId| all.iter().any(|(is_weak, _, one)| is_weak == &true && one == member);
            let first_strong = checked.iter().position(|member| !is_weak(member)).unwrap_or(checked.len());
            prop_assert!(checked[first_strong..].iter().all(|member| !is_weak(member)));
        }
    }
}
