//! The request id and the member of each kind of message.

use super::{DeliveryFailure, NotifyMessage, SyncTeam, VerifyMember, WriteAliases};
use crate::member::MemberId;

/// What the queue and the log need of every message.
///
/// The request id travels as a message attribute, which wins over the id in the body. The body's id counts for a message
/// without the attribute, such as one that an operator sends by hand.
pub trait QueueMessage {
    /// The member that the message is about, if any.
    fn member(&self) -> Option<MemberId> {
        None
    }
    /// The request that caused the message; empty if there was none.
    fn request_id(&self) -> &str;
    /// Replaces the request id by that of the message attribute.
    fn set_request_id(&mut self, request_id: String);
}

impl QueueMessage for SyncTeam {
    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn set_request_id(&mut self, request_id: String) {
        self.request_id = request_id;
    }
}

impl QueueMessage for VerifyMember {
    fn member(&self) -> Option<MemberId> {
        Some(self.member)
    }

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn set_request_id(&mut self, request_id: String) {
        self.request_id = request_id;
    }
}

impl QueueMessage for WriteAliases {
    fn member(&self) -> Option<MemberId> {
        match self {
            Self::Grant(grant) => Some(grant.member),
            Self::Apply(_) | Self::Collect => None,
        }
    }

    fn request_id(&self) -> &str {
        match self {
            Self::Grant(grant) => &grant.request_id,
            Self::Apply(steps) => &steps.request_id,
            Self::Collect => "",
        }
    }

    fn set_request_id(&mut self, request_id: String) {
        match self {
            Self::Grant(grant) => grant.request_id = request_id,
            Self::Apply(steps) => steps.request_id = request_id,
            Self::Collect => {}
        }
    }
}

impl QueueMessage for DeliveryFailure {
    fn member(&self) -> Option<MemberId> {
        match self {
            Self::Forwarded(_) => None,
            Self::Notice(failure) => Some(failure.member),
        }
    }

    fn request_id(&self) -> &str {
        match self {
            Self::Forwarded(failure) => &failure.request_id,
            Self::Notice(failure) => &failure.request_id,
        }
    }

    fn set_request_id(&mut self, request_id: String) {
        match self {
            Self::Forwarded(failure) => failure.request_id = request_id,
            Self::Notice(failure) => failure.request_id = request_id,
        }
    }
}

impl QueueMessage for NotifyMessage {
    fn member(&self) -> Option<MemberId> {
        match self {
            Self::Failed(failure) => failure.member,
            Self::Test(test) => Some(test.member),
            Self::Digest(_) | Self::Undeliverable(_) | Self::Sweep | Self::Change(_) => None,
        }
    }

    fn request_id(&self) -> &str {
        match self {
            Self::Change(notice) => &notice.request_id,
            Self::Digest(digest) => &digest.request_id,
            Self::Failed(failure) => &failure.request_id,
            Self::Undeliverable(undeliverable) => &undeliverable.request_id,
            Self::Test(test) => &test.request_id,
            Self::Sweep => "",
        }
    }

    fn set_request_id(&mut self, request_id: String) {
        match self {
            Self::Change(notice) => notice.request_id = request_id,
            Self::Digest(digest) => digest.request_id = request_id,
            Self::Failed(failure) => failure.request_id = request_id,
            Self::Undeliverable(undeliverable) => undeliverable.request_id = request_id,
            Self::Test(test) => test.request_id = request_id,
            Self::Sweep => {}
        }
    }
}
