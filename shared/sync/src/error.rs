//! What can go wrong in a sync. Whatever it is, nothing was taken from anybody.

use membermail_core::address::DomainName;
use membermail_launchpad as launchpad;
use membermail_runtime::queue::QueueError;
use membermail_store::StoreError;

/// Why a sync did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The community has no such domain: an operator mistyped it, or a message is older than the community's file.
    #[error("{0} is no domain of this community")]
    UnknownDomain(DomainName),
    /// Launchpad says that nobody is in the team, and there are addresses. If that is so, the domain goes from the
    /// community's file; until then it is taken for an error of Launchpad's.
    #[error("Launchpad says that the team of {domain} is empty, and {aliases} addresses say that it was not")]
    EmptyTeam {
        /// The domain.
        domain: DomainName,
        /// How many addresses it has.
        aliases: u64,
    },
    /// Launchpad gave no answer, or none that can be right: try again later.
    #[error("Launchpad gave no answer that can be used")]
    Launchpad(#[from] launchpad::Error),
    /// The table.
    #[error("the table")]
    Store(#[from] StoreError),
    /// The queue in front of `write-aliases`.
    #[error("the queue of writes")]
    Queue(#[from] QueueError),
}

impl SyncError {
    /// Whether the same sync can succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::UnknownDomain(_) => false,
            // Whatever Launchpad answers, it may answer better later.
            Self::Launchpad(_) | Self::EmptyTeam { .. } | Self::Queue(_) => true,
            Self::Store(cause) => cause.is_retryable(),
        }
    }
}
