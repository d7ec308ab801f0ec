//! Keeps a domain's addresses in step with its team: reads the team and the table, makes a plan, and hands its steps on.
//!
//! Reading and planning write nothing, so that a plan can be looked at before it is done. What a plan gives is given at
//! once. What it takes is held where it takes too much: then nothing is taken until somebody has looked at it. Nothing
//! here changes an alias: the steps go to `write-aliases`, which takes each once, on the version that it was planned on.

mod digest;
mod error;
mod outlet;
mod plan;
mod reasons;
mod run;

use jiff::SignedDuration;
use membermail_core::clock::Clock;
use membermail_core::community::Community;
use membermail_core::random::Random;
use membermail_launchpad as launchpad;
use membermail_store::Store;

pub use error::SyncError;
pub use outlet::Outlet;
pub use run::Ran;

/// Everything that a sync needs; the functions and the operator's command use the same.
pub struct Engine<'a> {
    /// Whose domains, and by which rules.
    pub community: &'a Community,
    /// Where teams are read.
    pub launchpad: &'a launchpad::Client,
    /// The table.
    pub store: &'a Store,
    /// After this time a run that has not ended counts as dead. Longer than a run can take.
    pub lease: SignedDuration,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Random bytes.
    pub random: &'a dyn Random,
}
