//! Messages on the queues between functions. They hold no personal data, which stays sealed in the table.
//!
//! Delivery is at least once and unordered, so every handler is idempotent.

mod queue_message;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::address::{Address, DomainName};
use crate::destination::DestinationId;
use crate::lifecycle::Step;
use crate::member::{Identity, MemberId, ObservedName};
use crate::status_code::StatusCode;

pub use queue_message::QueueMessage;

/// From `sso` to `verify-member`: look this member up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyMember {
    /// The member who signed in or requested another check.
    pub member: MemberId,
    /// The identity of the sign-in; without it, all identities of the member are looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Another identity of the same person, to be added to the member first. Also a stale message adds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adds: Option<AddedIdentity>,
    /// The profile's `requested_at` of this request. The message is stale if the profile has a later one.
    pub requested_at: Timestamp,
    /// The request that caused the message.
    pub request_id: String,
}

/// An identity that a provider has confirmed to belong to a member: they signed in with it during a session, or the provider
/// of their sign-in named it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedIdentity {
    /// The identity.
    pub identity: Identity,
    /// The member's session epoch at that time. Once all sessions have ended, the identity is not added any more.
    pub epoch: u64,
}

/// To `write-aliases`, the only function that changes aliases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum WriteAliases {
    /// From `verify-member`: the member is eligible for an address at a domain.
    Grant(AliasGrant),
    /// From `sync-team`: a part of a plan.
    Apply(ApplySteps),
    /// From the schedule: handle the queues that have no event source.
    Collect,
}

/// A member is eligible for an address at a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasGrant {
    /// The member.
    pub member: MemberId,
    /// The member's name at the membership source, with the time of the look-up that found them eligible.
    pub known_as: ObservedName,
    /// The domain.
    pub domain: DomainName,
    /// The request that caused the message.
    pub request_id: String,
}

/// Steps of a plan. Each is applied separately, at most once, and only to the version that it was planned on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplySteps {
    /// The run that planned the steps.
    pub run: Ulid,
    /// When the run began to read the team.
    pub read_at: Timestamp,
    /// At most [`MAX_STEPS`](Self::MAX_STEPS).
    pub steps: Vec<Step>,
    /// The request that caused the message.
    pub request_id: String,
}

impl ApplySteps {
    /// Maximum steps per message: about 6 kB, so that a batch of ten stays far below the limit of SQS.
    pub const MAX_STEPS: usize = 20;
}

/// From the mail host to `write-aliases`: a delivery failed for good. It has a separate queue, because the mail host must not
/// be able to send any other message. It contains no address outside of our domains: a destination is named by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DeliveryFailure {
    /// Mail to one of our addresses could not be forwarded.
    Forwarded(ForwardFailure),
    /// A notice to a member bounced.
    Notice(NoticeFailure),
}

/// Mail to one of our addresses could not be forwarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardFailure {
    /// The address that was written to.
    pub address: Address,
    /// The destination that failed; absent in messages of a mail host that knows one destination per address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<DestinationId>,
    /// The status of the failure; `4.4.1` after days without a connection.
    pub reply: StatusCode,
    /// The time of the failure.
    pub at: Timestamp,
    /// From the message attribute only.
    #[serde(skip)]
    pub request_id: String,
}

/// A notice to a member bounced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeFailure {
    /// The member.
    pub member: MemberId,
    /// The status of the failure.
    pub reply: StatusCode,
    /// The time of the failure.
    pub at: Timestamp,
    /// From the message attribute only.
    #[serde(skip)]
    pub request_id: String,
}

impl DeliveryFailure {
    /// The time of the failure.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Forwarded(failure) => failure.at,
            Self::Notice(failure) => failure.at,
        }
    }

    /// Mail to `address` could not be forwarded to this destination.
    pub fn forwarded(address: Address, destination: Option<DestinationId>, reply: StatusCode, at: Timestamp) -> Self {
        Self::Forwarded(ForwardFailure { address, destination, reply, at, request_id: String::new() })
    }

    /// A notice to `member` bounced.
    pub fn notice(member: MemberId, reply: StatusCode, at: Timestamp) -> Self {
        Self::Notice(NoticeFailure { member, reply, at, request_id: String::new() })
    }
}

/// From `start-sync` or an operator to `sync-team`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncTeam {
    /// The domain to sync.
    pub domain: DomainName,
    /// The held run that an operator released; without it the team is read and a plan is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Ulid>,
    /// The dry run that an admin requested; it changes nothing, and neither starts nor delays a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<Ulid>,
    /// Whether to read the team even if its total has not changed; an operator or an admin can request that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full: bool,
    /// When the schedule or an admin requested the sync. The message is late or a duplicate once a run that began later has
    /// finished.
    /// A message of an operator has no time and always gets its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_at: Option<Timestamp>,
    /// The request that caused the message.
    pub request_id: String,
}

impl SyncTeam {
    /// A sync that always gets its run.
    pub fn of(domain: &DomainName, request_id: &str) -> Self {
        Self {
            domain: domain.clone(),
            release: None,
            dry_run: None,
            full: false,
            requested_at: None,
            request_id: request_id.to_owned(),
        }
    }

    /// The release of a held run.
    pub fn release_of(domain: &DomainName, run: Ulid, request_id: &str) -> Self {
        Self { release: Some(run), ..Self::of(domain, request_id) }
    }

    /// A dry run.
    pub fn dry_run_of(domain: &DomainName, dry_run: Ulid, requested_at: Timestamp, request_id: &str) -> Self {
        Self { dry_run: Some(dry_run), requested_at: Some(requested_at), ..Self::of(domain, request_id) }
    }
}

/// To `notify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NotifyMessage {
    /// Deliver the notices of a change of the table.
    Change(ChangeNotice),
    /// Mail the digest of a domain to its admins.
    Digest(Digest),
    /// Report a message that failed permanently to the operators.
    Failed(Failure),
    /// Notify a member that their destination rejects mail.
    Undeliverable(Undeliverable),
    /// Send a member the test message that they requested.
    Test(TestRequest),
    /// From the schedule: enqueue outbox entries whose message was lost.
    Sweep,
}

impl NotifyMessage {
    /// Delivers the notices of the change with this audit entry.
    pub fn change(entry: Ulid, request_id: &str) -> Self {
        Self::Change(ChangeNotice { entry, request_id: request_id.to_owned() })
    }
}

/// A change of the table, for all members and admins that it concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeNotice {
    /// The id of the audit entry and of its copy in the outbox.
    pub entry: Ulid,
    /// The request that caused the change.
    pub request_id: String,
}

/// The digest of a domain is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The domain.
    pub domain: DomainName,
    /// The request that caused the first change of the digest.
    pub request_id: String,
}

/// A message that failed permanently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Deduplicates reports of the same failure.
    pub id: String,
    /// The member that the message was about, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// The function that gave up.
    pub step: String,
    /// The error, with the same text for each occurrence.
    pub error: String,
    /// The error with its causes, as in the log.
    pub cause: String,
    /// The request that caused the failed message.
    pub request_id: String,
}

/// The step of a [`Failure`] about a notice that was rejected or bounced; its error is the status code.
pub const REJECTED_NOTICE_STEP: &str = "notify";

/// A destination rejected mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undeliverable {
    /// The alias; its destinations stay in the table.
    pub address: Address,
    /// The destination that rejected mail, if the mail host knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<DestinationId>,
    /// The status code of the other mail server. Its text could contain the destination.
    pub reply: String,
    /// The request that caused the message.
    pub request_id: String,
}

/// A member requested a test message to one of their addresses. It is sent to the address itself, so that it takes the way of
/// all other mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestRequest {
    /// The owner of the address.
    pub member: MemberId,
    /// The address.
    pub address: Address,
    /// The id of the stored request: each is sent once.
    pub id: Ulid,
    /// The request that caused the message.
    pub request_id: String,
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
