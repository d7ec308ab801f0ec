//! When a message that failed is tried again.

use membermail_core::random::{self, Random};

/// The longest wait, in seconds.
const LONGEST: u32 = 900;

/// Seconds until the next try of a message that was received `receives` times: 5, 10, 20, … up to 15 minutes, each
/// shortened by up to half at random, so that messages which failed together do not come back together.
pub fn seconds_until_retry(receives: u32, random: &dyn Random) -> i32 {
    let doublings = receives.saturating_sub(1).min(16);
    let whole = (5_u32 << doublings).min(LONGEST);
    let jitter = u32::from_be_bytes(random::bytes(random)) % (whole / 2 + 1);
    i32::try_from(whole - jitter).unwrap_or(5)
}

#[cfg(test)]
mod tests {
    use membermail_core::random::CountingRandom;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn waits_are_bounded_and_grow(receives in 0_u32..10_000) {
            let seconds = seconds_until_retry(receives, &CountingRandom::default());
            let whole = (5_i64 << receives.saturating_sub(1).min(16)).min(900);
            prop_assert!(i64::from(seconds) <= whole && i64::from(seconds) >= whole / 2);
        }
    }
}
