//! Errors of a sync. A failed sync removes nothing.

use std::time::Duration;

use membermail_core::address::DomainName;
use membermail_core::dry_run::DryRunFailure;
use membermail_core::member::TeamName;
use membermail_membership as membership;
use membermail_runtime::batch::Retryable;
use membermail_runtime::queue::QueueError;
use membermail_store::StoreError;

use crate::observe::ObserveError;

/// Why a sync failed.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The community has no such domain: an operator mistyped it, or the message is older than the community file.
    #[error("{0} is not a domain of this community")]
    UnknownDomain(DomainName),
    /// No team has the configured name: it was renamed, deleted or made private. An operator must act.
    #[error(
        "the membership source has no team {team}; no addresses of {domain} change until the community file names the right team"
    )]
    TeamMissing {
        /// The domain.
        domain: DomainName,
        /// The name in the community file.
        team: TeamName,
    },
    /// The configured name belongs to another team now. An operator must act.
    #[error(
        "{team} is a different team at the membership source now; no addresses of {domain} change until the community \
         file names the right team"
    )]
    TeamReplaced {
        /// The domain.
        domain: DomainName,
        /// The name in the community file.
        team: TeamName,
    },
    /// The source lists no people although the domain has addresses, which counts as an error of the source.
    #[error("the membership source lists no people in the team of {domain}, but the domain has {aliases} addresses")]
    EmptyTeam {
        /// The domain.
        domain: DomainName,
        /// The number of its addresses.
        aliases: u64,
    },
    /// No two readings of the team agree on its number of people: retry.
    #[error("the team of {0} kept changing while it was read")]
    Unsettled(DomainName),
    /// A dry run could not read the whole team in its time. A run has checkpoints and takes as many invocations as it needs.
    #[error("the team of {0} is too large to be read in the time of a dry run")]
    OutOfTime(DomainName),
    /// The request to the source failed or its answer is invalid: retry.
    #[error("the membership source gave no usable answer")]
    Source(#[from] membership::Error),
    /// A member could not be looked up.
    #[error("cannot look up a member")]
    Observe(#[from] ObserveError),
    /// The table request failed.
    #[error("the table request failed")]
    Store(#[from] StoreError),
    /// The steps could not be enqueued.
    #[error("cannot enqueue the steps")]
    Queue(#[from] QueueError),
}

impl Retryable for SyncError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::UnknownDomain(_) | Self::TeamMissing { .. } | Self::TeamReplaced { .. } => false,
            Self::EmptyTeam { .. } | Self::Unsettled(_) | Self::OutOfTime(_) | Self::Queue(_) => true,
            Self::Source(cause) => cause.is_retryable(),
            Self::Observe(cause) => cause.is_retryable(),
            Self::Store(cause) => cause.is_retryable(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Source(cause) => cause.retry_after(),
            _ => None,
        }
    }
}

impl SyncError {
    /// What an admin learns about a dry run that failed.
    pub fn dry_run_failure(&self) -> DryRunFailure {
        match self {
            Self::TeamMissing { .. } => DryRunFailure::TeamMissing,
            Self::TeamReplaced { .. } => DryRunFailure::TeamReplaced,
            Self::EmptyTeam { .. } => DryRunFailure::EmptyTeam,
            Self::OutOfTime(_) => DryRunFailure::OutOfTime,
            Self::Unsettled(_) | Self::Source(_) | Self::Observe(ObserveError::Source(_)) => DryRunFailure::Source,
            Self::UnknownDomain(_) | Self::Observe(ObserveError::Store(_)) | Self::Store(_) | Self::Queue(_) => {
                DryRunFailure::Internal
            }
        }
    }

    /// Whether a run may resume from its checkpoint. An invalid answer casts doubt on the saved pages, so it may not.
    pub(crate) fn can_resume(&self) -> bool {
        match self {
            Self::Source(cause) => cause.is_transient(),
            Self::Observe(_) | Self::Store(_) | Self::Queue(_) => self.is_retryable(),
            _ => false,
        }
    }
}
