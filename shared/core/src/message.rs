//! What functions put on each other's queues. No personal data travels here: it stays sealed in the table.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::address::DomainName;
use crate::lifecycle::Step;
use crate::member::{ClaimedIdentifier, LaunchpadName, MemberId};

/// From `sso` to `verify-member`: look this member up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyMember {
    /// Who signed in.
    pub member: MemberId,
    /// By which identity.
    pub claimed_identifier: ClaimedIdentifier,
    /// The request that it began with.
    pub request_id: String,
}

/// To `write-aliases`, the one function that changes aliases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum WriteAliases {
    /// From `verify-member`: this member is eligible for an address at this domain.
    Grant(WriteAlias),
    /// From `sync-team`: a part of a plan.
    Take(TakeSteps),
}

/// A member is eligible for an address at a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteAlias {
    /// Whose.
    pub member: MemberId,
    /// What Launchpad called them when it said so.
    pub name: LaunchpadName,
    /// Where.
    pub domain: DomainName,
    /// When Launchpad was asked.
    pub eligible_at: Timestamp,
    /// The request that it began with.
    pub request_id: String,
}

/// Some steps of a plan; each is taken on its own, once, and only on what it was planned on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeSteps {
    /// The run that planned them.
    pub run: Ulid,
    /// When the team was read.
    pub read_at: Timestamp,
    /// At most [`STEPS`](Self::STEPS).
    pub steps: Vec<Step>,
    /// The request that it began with.
    pub request_id: String,
}

impl TakeSteps {
    /// Steps in one message: some 6 kB, so that a batch of ten stays far below what SQS takes.
    pub const STEPS: usize = 20;
}

/// From `start-sync` or an operator to `sync-team`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncTeam {
    /// Which domain.
    pub domain: DomainName,
    /// A run that was held and is released now; without one the team is read and a plan is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Ulid>,
    /// The request that it began with.
    pub request_id: String,
}

/// To `notify`: this change is to be told to those whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// The id of the audit entry, under which it lies in the outbox.
    pub entry: Ulid,
    /// The request that it began with.
    pub request_id: String,
}
