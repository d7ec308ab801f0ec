//! What functions put on each other's queues. No personal data travels here: it stays sealed in the table.

use serde::{Deserialize, Serialize};

use crate::address::DomainName;
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

/// From `verify-member` to `write-aliases`: this member is eligible for an address at this domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteAlias {
    /// Whose.
    pub member: MemberId,
    /// What Launchpad called them when it said so.
    pub name: LaunchpadName,
    /// Where.
    pub domain: DomainName,
    /// The request that it began with.
    pub request_id: String,
}
