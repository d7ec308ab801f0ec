//! The outcome of a sync.

use membermail_store::{Resent, Run};
use ulid::Ulid;

/// The outcome of a sync or a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncOutcome {
    /// The run finished.
    Done {
        /// The finished run.
        run: Box<Run>,
        /// The outbox entry for the admins, if the run is held.
        notice: Option<Ulid>,
        /// The release of an earlier run whose message was lost and must be sent again.
        resent: Option<Resent>,
    },
    /// The deadline of this invocation passed; the same message resumes the run.
    Paused {
        /// The paused run.
        run: Ulid,
    },
    /// Another run of the domain holds the lease.
    Busy {
        /// The other run.
        run: Ulid,
        /// The end of its lease.
        until: jiff::Timestamp,
    },
    /// The run to apply does not exist or was not released.
    NotReleased,
}
