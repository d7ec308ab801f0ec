//! Dry runs that an admin requests: how long a request may wait, and why one can fail.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use strum::{AsRefStr, EnumIter};

/// How long a request waits for a free slot at most. A message that arrives later is dropped.
pub const MAX_WAIT: SignedDuration = SignedDuration::from_mins(30);
/// The time for pages and look-ups: a dry run keeps the membership source from the runs of other domains.
pub const MAX_TIME: SignedDuration = SignedDuration::from_mins(10);
/// How long the result can be read.
pub const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Why a dry run failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, AsRefStr, EnumIter)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum DryRunFailure {
    /// The source has no team of the configured name.
    TeamMissing,
    /// The configured name belongs to another team now.
    TeamReplaced,
    /// The source lists no people although the domain has addresses.
    EmptyTeam,
    /// The team is too large for the time of a dry run.
    OutOfTime,
    /// The source gave no usable answer.
    Source,
    /// A failure of ours.
    Internal,
}
