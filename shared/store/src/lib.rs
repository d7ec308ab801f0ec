//! The DynamoDB table: its items, and the conditional writes that keep them consistent under repeats and races.
//!
//! All methods of [`Store`] go through the `Table` trait, so that tests can use a table in memory (feature `memory`).

mod address_search;
mod admin_rights;
mod admins;
mod aliases;
mod audit;
mod audit_log;
mod audit_page;
mod aws_error;
mod bans;
mod checks;
mod codes;
mod decisions;
mod destinations;
mod digests;
mod domains;
mod dry_runs;
mod erase_request;
mod erasure;
mod error;
mod expired;
mod export;
mod failing;
mod gates;
mod grants;
mod identities;
mod keys;
mod languages;
mod last_sync;
mod links;
mod member_check;
mod members;
mod notices;
mod observations;
mod outbox;
mod rate_limits;
mod refusals;
mod replay;
mod reseal_pass;
mod resealing;
mod reserved_names;
mod restore;
mod retirement;
mod return_senders;
mod runs;
mod sealing;
mod sessions;
mod sign_in;
mod slots;
mod status;
mod steps;
mod stored_domain;
mod switches;
mod sync_requests;
mod sync_state;
mod table;
mod teams;
mod test_messages;

pub use address_search::{AddressPage, AddressSearch, PAGE as ADDRESSES_PER_PAGE};
pub use admin_rights::FileAdmins;
pub use admins::AdminBinding;
pub use aliases::StoredAlias;
pub use audit_page::AuditPage;
pub use aws_error::{AwsError, error_code};
pub use bans::{BanChange, Changed};
pub use checks::CheckStart;
pub use codes::Proof;
pub use decisions::{Decided, Resent, StepPage};
pub use destinations::{
    Choice, Confirmed, FailedDestination, Forwarding, Redirected, Removed, Requested, Reverted, StoredDestination,
    UndoView,
};
pub use digests::{Batch, Gathered};
pub use domains::{DomainCheck, RecordedCheck};
pub use dry_runs::{DryRun, DryRunPhase, DryRunPlan};
pub use erase_request::EraseReceipt;
pub use erasure::Erasure;
pub use error::StoreError;
pub use export::{
    Export, ExportedAddress, ExportedAdmin, ExportedBefore, ExportedCheck, ExportedDestination, ExportedEmail,
    ExportedEntry, ExportedGrants, ExportedIdentity, ExportedMember, ExportedObservation, ExportedRefusal,
    ExportedSession, ExportedUndo,
};
pub use failing::{FailingAddress, FailingPage, FailureRecord};
pub use gates::COPIES as GATE_COPIES;
pub use grants::GrantOutcome;
pub use identities::{AddIdentity, MAX_IDENTITIES, OwnIdentity, RemoveIdentity};
pub use links::Linked;
pub use member_check::Check;
pub use members::Member;
pub use notices::{Claim, Ended};
pub use observations::{Record, Recorded};
pub use rate_limits::RateLimit;
pub use replay::Consumed;
pub use reseal_pass::{Progress, Reseal, Resealed};
pub use resealing::{Position, SealedBy, Segment};
pub use reserved_names::{Reservation, Reserved};
pub use restore::{Assigned, Import, ImportReport};
pub use retirement::{ListedDomain, Retired};
pub use return_senders::StoredSender;
pub use runs::{Run, RunStart, RunState};
pub use sealing::{Field, KeyContext, SealError, Sealed, Sealer};
pub use sessions::{ListedSession, NewSession, Session};
pub use sign_in::{FirstDestination, SignIn};
pub use slots::Slot;
pub use steps::{Applied, Terms};
pub use stored_domain::{Checked, RecordSeen, StoredDomain, TeamProblem};
pub use switches::Switched;
pub use sync_requests::{RequestState, SyncRequest};
pub use sync_state::{Checkpoint, GuardState, SyncState};
pub use table::{Consistency, Store};
pub use test_messages::TestMessage;
