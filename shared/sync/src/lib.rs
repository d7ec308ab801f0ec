//! Keeps a domain's addresses in step with its team: reads the team's pages and the table, looks up by identity whoever the
//! pages say has changed, makes a plan, and hands its steps on.
//!
//! The pages are a filter and no proof. A member who is listed under the name and fingerprint that their alias is known by
//! is unchanged and costs no request; before anything is removed or given, the membership source is asked about the person
//! by identity, in the same run. Nothing here changes an alias: the steps go to `write-aliases`, which applies each once, on
//! the version that it was planned on.

mod called;
mod digest;
mod error;
mod guard;
mod limits;
mod lookup;
mod observe;
mod outlet;
mod plan;
mod reading;
mod release;
mod remembered;
mod retire;
mod run;
mod team;

use jiff::SignedDuration;
use membermail_core::clock::Clock;
use membermail_core::community::Community;
use membermail_core::random::Random;
use membermail_membership::Source;
use membermail_store::Store;

pub use called::Called;
pub use error::SyncError;
pub use limits::Limits;
pub use observe::{ObserveError, Observer, Settled};
pub use outlet::Outlet;
pub use run::Ran;

/// Everything that a sync needs; the function and the operator's command use the same.
pub struct Engine<'a> {
    /// Whose domains, and by which rules.
    pub community: &'a Community,
    /// The authority on people and teams.
    pub source: &'a dyn Source,
    /// The table.
    pub store: &'a Store,
    /// After this time a run that has not ended counts as dead. Longer than an invocation can take.
    pub lease: SignedDuration,
    /// What one run may ask the source for.
    pub limits: Limits,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Random bytes.
    pub random: &'a dyn Random,
}
