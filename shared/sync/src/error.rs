//! What can go wrong in a sync. In every case nothing was removed.

use membermail_core::address::DomainName;
use membermail_core::member::TeamName;
use membermail_membership as membership;
use membermail_runtime::queue::QueueError;
use membermail_store::StoreError;

use crate::observe::ObserveError;

/// Why a sync did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The community has no such domain: an operator mistyped it, or a message is older than the community file.
    #[error("{0} is not a domain of this community")]
    UnknownDomain(DomainName),
    /// No team has the name: it was renamed, deleted or made private. An operator looks at it.
    #[error(
        "Launchpad has no team {team}, so {domain} gives and removes no addresses until the community file is right"
    )]
    TeamMissing {
        /// The domain.
        domain: DomainName,
        /// The name in the community file.
        team: TeamName,
    },
    /// Another team than before has the name. An operator looks at it.
    #[error(
        "another team is called {team} on Launchpad now, so {domain} gives and removes no addresses until the community \
         file is right"
    )]
    TeamReplaced {
        /// The domain.
        domain: DomainName,
        /// The name in the community file.
        team: TeamName,
    },
    /// The source lists no people, and the domain has addresses. This is taken for an error of the source.
    #[error("Launchpad says that the team of {domain} is empty, and the domain has {aliases} addresses")]
    EmptyTeam {
        /// The domain.
        domain: DomainName,
        /// How many addresses it has.
        aliases: u64,
    },
    /// Two readings of the team disagree about how many people it has: retry.
    #[error("the team of {0} changed while it was read, twice")]
    Unsettled(DomainName),
    /// The source gave no answer, or none that can be right: retry.
    #[error("Launchpad gave no usable answer")]
    Source(#[from] membership::Error),
    /// A member could not be looked up.
    #[error("a look-up")]
    Observe(#[from] ObserveError),
    /// The table.
    #[error("the table")]
    Store(#[from] StoreError),
    /// The queue in front of `write-aliases`.
    #[error("the queue of writes")]
    Queue(#[from] QueueError),
}

impl SyncError {
    /// Whether the same sync can succeed later without an operator.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::UnknownDomain(_) | Self::TeamMissing { .. } | Self::TeamReplaced { .. } => false,
            Self::EmptyTeam { .. } | Self::Unsettled(_) | Self::Queue(_) => true,
            Self::Source(cause) => cause.is_retryable(),
            Self::Observe(cause) => cause.is_retryable(),
            Self::Store(cause) => cause.is_retryable(),
        }
    }

    /// Whether a run that has saved what it read can go on from there. An answer that cannot be right casts doubt on the
    /// pages before it.
    pub(crate) fn can_continue(&self) -> bool {
        match self {
            Self::Source(cause) => cause.is_transient(),
            Self::Observe(_) | Self::Store(_) | Self::Queue(_) => self.is_retryable(),
            _ => false,
        }
    }
}
