//! Retry delays: exponential backoff with jitter.

use std::time::Duration;

use membermail_core::random::{self, Random};

/// Maximum backoff in seconds, unless the failing service requests a longer wait.
const MAX_BACKOFF: u32 = 900;

/// Maximum visibility timeout in seconds: SQS counts its limit of 12 hours from the receipt of the message.
const MAX_VISIBILITY_TIMEOUT: i32 = 12 * 3600 - 1800;

/// Seconds until the next attempt of a message with this number of `receives`: 5, 10, 20, … up to 15 minutes, minus a
/// jitter of up to half, so that messages that failed together are not retried together. A longer `retry_after` wins, up
/// to the limit of SQS.
pub fn backoff_seconds(receives: u32, retry_after: Option<Duration>, random: &dyn Random) -> i32 {
    let (shortest, longest) = backoff_range(receives);
    let jitter = u32::from_be_bytes(random::bytes(random)) % (longest - shortest + 1);
    let jittered = i32::try_from(longest - jitter).unwrap_or(5);
    let retry_after = retry_after.map_or(0, |wait| wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)));
    jittered.max(i32::try_from(retry_after).unwrap_or(i32::MAX)).min(MAX_VISIBILITY_TIMEOUT)
}

/// The shortest and the longest backoff in seconds.
fn backoff_range(receives: u32) -> (u32, u32) {
    let doublings = receives.saturating_sub(1).min(16);
    let longest = (5_u32 << doublings).min(MAX_BACKOFF);
    (longest - longest / 2, longest)
}

#[cfg(test)]
mod tests {
    use membermail_core::random::CountingRandom;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::template_number;

    /// An outage, a missing permission or a missing table can be repaired within an hour, and no message is lost: not even
    /// one whose backoff is shortened most by jitter.
    #[rstest::rstest]
    #[case("VerifyQueue")]
    #[case("WriteQueue")]
    #[case("GrantQueue")]
    #[case("DeliveryFailureQueue")]
    #[case("SyncQueue")]
    #[case("NotifyQueue")]
    fn message_survives_an_hour(#[case] queue: &str) {
        let [max_receives, visibility_timeout] =
            ["maxReceiveCount", "VisibilityTimeout"].map(|name| template_number(queue, name).unwrap());
        let backoff: u32 = (1..max_receives).map(|receives| backoff_range(receives).0).sum();
        assert!(backoff >= 3600, "{backoff} s with a backoff for each attempt");
        // A function that cannot start, or that may not change the visibility timeout, sets no backoff.
        assert!(visibility_timeout * (max_receives - 1) >= 3600, "{visibility_timeout} s for each attempt");
    }

    proptest! {
        #[test]
        fn backoff_grows_within_bounds(receives in 0_u32..10_000) {
            let seconds = backoff_seconds(receives, None, &CountingRandom::default());
            let backoff = (5_i64 << receives.saturating_sub(1).min(16)).min(900);
            prop_assert!(i64::from(seconds) <= backoff && i64::from(seconds) >= backoff / 2);
        }

        #[test]
        fn longer_retry_after_wins(receives in 0_u32..200, retry_after in 0_u64..200_000) {
            let [combined, backoff] = [Some(Duration::from_secs(retry_after)), None]
                .map(|retry_after| i64::from(backoff_seconds(receives, retry_after, &CountingRandom::default())));
            prop_assert_eq!(combined, i64::try_from(retry_after).unwrap().max(backoff).min(41_400));
        }
    }

    #[rstest::rstest]
    #[case::fraction_rounds_up(Duration::from_millis(60_001), 61)]
    #[case::beyond_limit_of_sqs(Duration::from_hours(24), 41_400)]
    #[case::overflow(Duration::MAX, 41_400)]
    fn retry_after_is_bounded(#[case] retry_after: Duration, #[case] seconds: i32) {
        assert_eq!(backoff_seconds(1, Some(retry_after), &CountingRandom::default()), seconds);
    }
}
