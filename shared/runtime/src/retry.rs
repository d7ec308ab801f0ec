//! When a message that failed is tried again.

use std::time::Duration;

use membermail_core::random::{self, Random};

/// The longest wait of our own, in seconds.
const LONGEST: u32 = 900;

/// The longest that a queue is asked to hide a message, in seconds: SQS counts its 12 hours from when the message was
/// received, and refuses a wait that leads beyond them.
const LONGEST_HIDDEN: i32 = 12 * 3600 - 1800;

/// Seconds until the next try of a message that was received `receives` times: 5, 10, 20, … up to 15 minutes, each
/// shortened by up to half at random, so that messages which failed together do not come back together. Whoever was
/// `asked` to stay away for longer does so, as far as the queue can.
pub fn seconds_until_retry(receives: u32, asked: Option<Duration>, random: &dyn Random) -> i32 {
    let doublings = receives.saturating_sub(1).min(16);
    let whole = (5_u32 << doublings).min(LONGEST);
    let jitter = u32::from_be_bytes(random::bytes(random)) % (whole / 2 + 1);
    let ours = i32::try_from(whole - jitter).unwrap_or(5);
    let asked = asked.map_or(0, |asked| asked.as_secs().saturating_add(u64::from(asked.subsec_nanos() > 0)));
    ours.max(i32::try_from(asked).unwrap_or(i32::MAX)).min(LONGEST_HIDDEN)
}

#[cfg(test)]
mod tests {
    use membermail_core::random::CountingRandom;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn waits_are_bounded_and_grow(receives in 0_u32..10_000) {
            let seconds = seconds_until_retry(receives, None, &CountingRandom::default());
            let whole = (5_i64 << receives.saturating_sub(1).min(16)).min(900);
            prop_assert!(i64::from(seconds) <= whole && i64::from(seconds) >= whole / 2);
        }

        #[test]
        fn the_longer_of_two_waits_is_kept(receives in 0_u32..200, asked in 0_u64..200_000) {
            let wait = |asked| seconds_until_retry(receives, asked, &CountingRandom::default());
            let both = i64::from(wait(Some(Duration::from_secs(asked))));
            let asked = i64::try_from(asked).unwrap();
            prop_assert_eq!(both, asked.max(i64::from(wait(None))).min(41_400));
        }
    }

    #[rstest::rstest]
    #[case::a_part_of_a_second_is_waited_for(Duration::from_millis(60_001), 61)]
    #[case::more_than_a_queue_can(Duration::from_hours(24), 41_400)]
    #[case::more_than_there_are_numbers(Duration::MAX, 41_400)]
    fn what_was_asked_for(#[case] asked: Duration, #[case] seconds: i32) {
        assert_eq!(seconds_until_retry(1, Some(asked), &CountingRandom::default()), seconds);
    }
}
