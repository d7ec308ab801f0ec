//! What one run may ask the membership source for, and how long one invocation may take.

use std::time::Duration;

use jiff::SignedDuration;

/// The limits of a run.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The time that one invocation has for pages and look-ups. A run that needs more goes on in another invocation.
    pub invocation: Duration,
    /// Members that one run looks up because the pages show a change. With more leavers than that the plan is held.
    pub lookups: usize,
    /// The pause before each request of the rolling check: one a second at most.
    pub pace: Duration,
    /// After this time of reading, a checkpoint is saved, so that a run that dies loses no more.
    pub checkpoint: Duration,
    /// The time from one run to the next, by which the rolling check takes its share of the members.
    pub period: SignedDuration,
    /// For how long a team is not read again while its total stays the same. Zero reads it in each run.
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
