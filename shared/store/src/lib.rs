//! The one table: what each item holds, and the conditional writes that keep it right under repeats and races.

mod aliases;
mod audit;
mod checks;
mod domains;
mod error;
mod keys;
mod members;
mod refusals;
mod replay;
mod sealing;
mod sessions;
mod table;

pub use aliases::{Cause, Grant, StoredAlias};
pub use checks::{Check, CheckState, Recorded};
pub use domains::{Checked, DomainCheck, RecordSeen, RecordedCheck, StoredDomain};
pub use error::StoreError;
pub use members::Member;
pub use replay::UsedUp;
pub use sealing::{Field, Salt, SealError, Sealed, Sealer};
pub use sessions::Session;
pub use table::Store;
