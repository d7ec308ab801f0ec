//! The one table: what each item holds, and the conditional writes that keep it right under repeats and races.

mod aliases;
mod audit;
mod audit_log;
mod bans;
mod checks;
mod domains;
mod error;
mod grants;
mod keys;
mod members;
mod notices;
mod outbox;
mod people;
mod refusals;
mod replay;
mod resealing;
mod runs;
mod sealing;
mod sessions;
mod steps;
mod table;

pub use aliases::StoredAlias;
pub use bans::Changed;
pub use checks::{Check, CheckState, Recorded};
pub use domains::{Checked, DomainCheck, RecordSeen, RecordedCheck, StoredDomain};
pub use error::StoreError;
pub use grants::{Asked, Grant};
pub use members::Member;
pub use notices::{Batch, Claim};
pub use replay::UsedUp;
pub use resealing::SealedBy;
pub use runs::{Begun, Decided, Run, RunState};
pub use sealing::{Field, Salt, SealError, Sealed, Sealer};
pub use sessions::Session;
pub use steps::Taken;
pub use table::Store;
