//! Synchronises a domain's addresses with its team: reads the team's pages and the table, looks up changed members by
//! identity, plans the changes, and enqueues the steps of the plan.
//!
//! The pages are a filter, not proof. A member who is listed with the stored name and fingerprint counts as unchanged and
//! costs no request. Before an address is granted or removed, the same run looks the person up by identity at the membership
//! source. This crate changes no alias: `write-aliases` applies each step once, with optimistic locking on the version that
//! was planned.

mod dry_run;
mod error;
mod guard;
mod limits;
mod lookup;
mod name_lookup;
mod observe;
mod outcome;
mod plan;
mod plan_digest;
mod reading;
mod release;
mod retire;
mod run;
mod skip_reading;
mod source;
mod step_queue;
mod team;
mod tokens;

use jiff::SignedDuration;
use membermail_core::clock::Clock;
use membermail_core::community::Community;
use membermail_core::random::Random;
use membermail_membership::Source;
use membermail_store::Store;

pub use dry_run::DryRunResult;
pub use error::SyncError;
pub use limits::Limits;
pub use name_lookup::NameLookup;
pub use observe::{IsPreferred, ObserveError, Observer, PersonLookup, RecordedObservation};
pub use outcome::SyncOutcome;
pub use source::{SourceError, SourceVariables};
pub use step_queue::StepQueue;
pub use tokens::SecretTokens;

/// The dependencies of a sync, shared by the function and the operator's command.
pub struct Engine<'a> {
    /// The community with its domains and rules.
    pub community: &'a Community,
    /// The authority on people and teams.
    pub source: &'a dyn Source,
    /// The table.
    pub store: &'a Store,
    /// The lease of a run: after this time, a run without an end counts as dead. Longer than an invocation can take.
    pub lease: SignedDuration,
    /// Limits of one run.
    pub limits: Limits,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Random bytes.
    pub random: &'a dyn Random,
}
