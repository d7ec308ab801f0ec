//! What functions put on each other's queues. No personal data travels here: it stays sealed in the table.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::address::{Address, DomainName};
use crate::lifecycle::Step;
use crate::member::{Identity, MemberId, ObservedName};

/// From `sso` to `verify-member`: look this member up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyMember {
    /// Who signed in, or asked for another check.
    pub member: MemberId,
    /// The identity that they signed in with; without it, all of theirs are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The profile's `requested_at` of this request. Where the profile has a later one, this message is stale.
    pub requested_at: Timestamp,
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
    /// The member.
    pub member: MemberId,
    /// What the membership source called them when it said so, and when it was asked.
    pub known_as: ObservedName,
    /// The domain.
    pub domain: DomainName,
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
    /// Whether the team is read although its total has not changed: an operator asks for that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full: bool,
    /// When the schedule asked for it. Once a run that began later has finished, the message is late or a duplicate. One
    /// without a time (of an operator, or of a release before) always gets its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_at: Option<Timestamp>,
    /// The request that it began with.
    pub request_id: String,
}

/// To `notify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ToNotify {
    /// What was gathered for the admins of a domain is to be mailed now.
    Digest(Digest),
    /// A message failed for good.
    Failed(Failure),
    /// Mail to where an address forwards comes back.
    Undeliverable(Undeliverable),
    /// From the schedule: look for what is still to be told and whose message was lost.
    Sweep,
    /// A change of the table.
    #[serde(untagged)]
    Change(Notify),
}

/// This change is to be told to those whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// The id of the audit entry, under which it lies in the outbox.
    pub entry: Ulid,
    /// The request that it began with.
    pub request_id: String,
}

/// The admins of a domain are to be told what was gathered for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Which.
    pub domain: DomainName,
    /// The request that it began with: of the first change.
    pub request_id: String,
}

/// A message that failed for good, for the operators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Of this failure: reported twice, it counts once.
    pub id: String,
    /// Whom it concerns, if it concerns one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// Which function gave up.
    pub step: String,
    /// What went wrong, in words that are the same each time.
    pub error: String,
    /// What led to it, as the log has it.
    pub cause: String,
    /// The request that it began with.
    pub request_id: String,
}

/// Mail to where an address forwards comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undeliverable {
    /// The address of ours; its destination stays in the table.
    pub address: Address,
    /// What the other mail server answered: its code, never its words, which can hold the destination.
    pub reply: String,
    /// The request that it began with.
    pub request_id: String,
}

/// What every message tells of itself.
///
/// The request id travels as an attribute of the message, beside its body; the attribute rules. What a body says of it
/// counts only where there is none: in messages of a release before this, and of whoever sends one by hand.
pub trait Concerns {
    /// The member, if it is about one.
    fn member(&self) -> Option<MemberId> {
        None
    }
    /// The request that it began with; empty where there was none.
    fn request_id(&self) -> &str;
    /// Takes on the request id that the message came with.
    fn began_with(&mut self, request_id: String);
}

impl SyncTeam {
    /// The release of a run that was held.
    pub fn release_of(domain: &DomainName, run: Ulid, request_id: &str) -> Self {
        let (domain, request_id) = (domain.clone(), request_id.to_owned());
        Self { domain, release: Some(run), full: false, requested_at: None, request_id }
    }
}

impl Concerns for SyncTeam {
    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn began_with(&mut self, request_id: String) {
        self.request_id = request_id;
    }
}

impl Concerns for Notify {
    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn began_with(&mut self, request_id: String) {
        self.request_id = request_id;
    }
}

impl Concerns for VerifyMember {
    fn member(&self) -> Option<MemberId> {
        Some(self.member)
    }

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn began_with(&mut self, request_id: String) {
        self.request_id = request_id;
    }
}

impl Concerns for WriteAliases {
    fn member(&self) -> Option<MemberId> {
        match self {
            Self::Grant(wish) => Some(wish.member),
            Self::Take(_) => None,
        }
    }

    fn request_id(&self) -> &str {
        match self {
            Self::Grant(wish) => &wish.request_id,
            Self::Take(steps) => &steps.request_id,
        }
    }

    fn began_with(&mut self, request_id: String) {
        match self {
            Self::Grant(wish) => wish.request_id = request_id,
            Self::Take(steps) => steps.request_id = request_id,
        }
    }
}

impl Concerns for ToNotify {
    fn member(&self) -> Option<MemberId> {
        match self {
            Self::Failed(failure) => failure.member,
            Self::Digest(_) | Self::Undeliverable(_) | Self::Sweep | Self::Change(_) => None,
        }
    }

    fn request_id(&self) -> &str {
        match self {
            Self::Digest(digest) => &digest.request_id,
            Self::Failed(failure) => &failure.request_id,
            Self::Undeliverable(undeliverable) => &undeliverable.request_id,
            Self::Sweep => "",
            Self::Change(notify) => &notify.request_id,
        }
    }

    fn began_with(&mut self, request_id: String) {
        match self {
            Self::Digest(digest) => digest.request_id = request_id,
            Self::Failed(failure) => failure.request_id = request_id,
            Self::Undeliverable(undeliverable) => undeliverable.request_id = request_id,
            Self::Sweep => {}
            Self::Change(notify) => notify.request_id = request_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::of_the_release_before(r#"{"domain":"ubuntu.com","request_id":"r-1"}"#, None)]
    #[case::of_the_schedule(
        r#"{"domain":"ubuntu.com","requested_at":"2026-11-24T10:00:00Z","request_id":"r-1"}"#,
        Some("2026-11-24T10:00:00Z")
    )]
    fn sync_message_keeps_its_wire_form(#[case] text: &str, #[case] requested_at: Option<&str>) {
        let requested_at = requested_at.map(|at| at.parse().unwrap());
        let domain = "ubuntu.com".parse().unwrap();
        let message = SyncTeam { domain, release: None, full: false, requested_at, request_id: "r-1".into() };
        assert_eq!(serde_json::from_str::<SyncTeam>(text).unwrap(), message);
        assert_eq!(serde_json::to_string(&message).unwrap(), text);
    }

    #[rstest::rstest]
    #[case(r#"{"kind":"sweep"}"#, ToNotify::Sweep)]
    // As functions sent it before there were kinds, and send it still: most messages are changes.
    #[case(
        r#"{"entry":"00000000000000000000000000","request_id":"r-1"}"#,
        ToNotify::Change(Notify { entry: Ulid::nil(), request_id: "r-1".into() })
    )]
    #[case(
        r#"{"kind":"digest","domain":"ubuntu.com","request_id":"r-1"}"#,
        ToNotify::Digest(Digest { domain: "ubuntu.com".parse().unwrap(), request_id: "r-1".into() })
    )]
    fn what_notify_is_sent(#[case] text: &str, #[case] message: ToNotify) {
        assert_eq!(serde_json::from_str::<ToNotify>(text).unwrap(), message);
        assert_eq!(serde_json::to_string(&message).unwrap(), text);
    }

    #[rstest::rstest]
    // As the release before sent it, and as the schedule sends it still.
    #[case::schedule(r#"{"domain":"ubuntu.com","request_id":"r-1"}"#, false)]
    #[case::operator(r#"{"domain":"ubuntu.com","full":true,"request_id":"r-1"}"#, true)]
    fn sync_message_stays_readable(#[case] text: &str, #[case] full: bool) {
        let (domain, request_id) = ("ubuntu.com".parse().unwrap(), "r-1".into());
        let message = SyncTeam { domain, release: None, full, requested_at: None, request_id };
        assert_eq!(serde_json::from_str::<SyncTeam>(text).unwrap(), message);
        assert_eq!(serde_json::to_string(&message).unwrap(), text);
    }
}
