//! Limits on the requests of a run and the time of an invocation.

use std::time::Duration;

use jiff::SignedDuration;

/// The limits of a run.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time of one invocation for pages and look-ups. A longer run continues in another invocation.
    pub invocation: Duration,
    /// Maximum members that one run looks up because the pages show a change. With more leavers, the plan is held.
    pub lookups: usize,
    /// Pause before each request of the rolling check, as a rate limit.
    pub pace: Duration,
    /// Interval between two checkpoints of a reading.
    pub checkpoint: Duration,
    /// Interval between two runs; determines how many members the rolling check looks up per run.
    pub period: SignedDuration,
    /// How long the reading of a team may be skipped while its total stays the same. Zero reads it in every run.
    pub full_read: SignedDuration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            invocation: Duration::from_secs(780),
            lookups: 300,
            pace: Duration::from_secs(1),
            checkpoint: Duration::from_secs(60),
            period: SignedDuration::from_hours(1),
            full_read: SignedDuration::ZERO,
        }
    }
}
