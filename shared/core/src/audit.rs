//! The audit log: who changed which alias, member, domain or run, when and why. Append-only, without personal data.

mod kinds;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::AsRefStr;
use ulid::Ulid;

pub use self::kinds::{
    AdminChange, DestinationChange, DomainChange, IdentityChange, LinkChange, MemberChange, NameChange, RunChange,
    SwitchChange,
};
pub use crate::comment::{Comment, CommentError};

use crate::address::{Address, DomainName};
use crate::admin::Permissions;
use crate::alias::{Alias, Reason, Status};
use crate::destination::DestinationId;
use crate::member::{self, MemberId};
use crate::random::Random;
use crate::reserved::ReservedName;

/// Who made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, AsRefStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Actor {
    /// The member, by signing in or on their page.
    Member,
    /// A sync, since the team changed.
    Sync,
    /// A check of the domain's DNS records.
    DomainCheck,
    /// An operator at the command line.
    Operator,
    /// An admin of the domain, on the admin pages.
    Admin,
}

/// Actor, time and request of a change: the part of an entry that is not in its [`Change`].
#[derive(Clone, Copy, Debug)]
pub struct Cause<'a> {
    /// Who made the change.
    pub actor: Actor,
    /// The name of the operator, the id of the run, or the member id of the admin; `None` for other actors.
    pub by: Option<&'a str>,
    /// The request that caused the change.
    pub request_id: &'a str,
    /// The time of the change.
    pub now: Timestamp,
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Sorts by time.
    pub id: Ulid,
    /// The time of the change.
    pub at: Timestamp,
    /// Who made the change.
    pub actor: Actor,
    /// The name of the operator, the id of the run, or the member id of the admin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What an admin wrote about it. The member that the change is about can read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Comment>,
    /// The change.
    #[serde(flatten)]
    pub change: Change,
    /// The request that caused the change.
    pub request_id: String,
}

/// A change, by its subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "subject", rename_all = "kebab-case")]
pub enum Change {
    /// An alias was created or changed.
    Alias {
        /// The owner. The attribute differs from that of an alias, so that the index by member has aliases only.
        #[serde(rename = "owner")]
        member: MemberId,
        /// The address.
        address: Address,
        /// The previous status; `None` for a new alias.
        before: Option<Status>,
        /// The new status.
        after: Status,
        /// The reason of the new status.
        reason: Reason,
        /// The end of the grace period of a leaving alias.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// The member's address before a rename; it keeps forwarding.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        renamed_from: Option<Address>,
    },
    /// The member, or an operator for them, switched an alias or changed its destinations.
    Switch {
        /// The owner.
        #[serde(rename = "owner")]
        member: MemberId,
        /// The address.
        address: Address,
        /// The kind of change.
        did: SwitchChange,
    },
    /// A destination was added, confirmed or removed.
    Destination {
        /// The member.
        #[serde(rename = "owner")]
        member: MemberId,
        /// The destination.
        destination: DestinationId,
        /// The kind of change.
        did: DestinationChange,
    },
    /// A member was banned, unbanned, erased or imported.
    Member {
        /// The member.
        #[serde(rename = "owner")]
        member: MemberId,
        /// The kind of change.
        did: MemberChange,
    },
    /// Two members were linked as one person, or unlinked.
    Link {
        /// The surviving member.
        #[serde(rename = "owner")]
        member: MemberId,
        /// The member whose identities and addresses the survivor gets or loses.
        other: MemberId,
        /// The kind of change.
        did: LinkChange,
    },
    /// A member got or lost an account at a sign-in provider. The account itself is not named: the log outlives an erasure.
    Identity {
        /// The member.
        #[serde(rename = "owner")]
        member: MemberId,
        /// The issuer of the identity.
        issuer: String,
        /// The kind of change.
        did: IdentityChange,
    },
    /// An operator set or removed a member's address limit in a domain.
    Limit {
        /// The member.
        #[serde(rename = "owner")]
        member: MemberId,
        /// The domain.
        domain: DomainName,
        /// The limit; `None` restores that of the rules.
        limit: Option<u16>,
    },
    /// A member was added to or removed from the admins of a domain, or got other permissions there.
    Admin {
        /// The member.
        #[serde(rename = "owner")]
        member: MemberId,
        /// The domain.
        domain: DomainName,
        /// The kind of change.
        did: AdminChange,
        /// What the member may do since then; `None` after a removal, and in entries from before there were permissions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        permissions: Option<Permissions>,
    },
    /// A name was reserved in a domain, or is no longer reserved.
    Name {
        /// The domain.
        domain: DomainName,
        /// The name.
        name: ReservedName,
        /// The kind of change.
        did: NameChange,
    },
    /// A domain's proof, listing or retirement changed.
    Domain {
        /// The domain.
        domain: DomainName,
        /// The kind of change.
        did: DomainChange,
        /// The end of the grace period of a domain whose record is missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A run was held, decided on or resent.
    Run {
        /// The domain of the sync.
        domain: DomainName,
        /// The run.
        run: Ulid,
        /// The kind of change.
        did: RunChange,
    },
}

impl Entry {
    /// Creates an entry with a new id.
    pub fn new(change: Change, cause: Cause<'_>, random: &dyn Random) -> Self {
        Self {
            id: member::ulid(cause.now, random),
            at: cause.now,
            actor: cause.actor,
            by: cause.by.map(str::to_owned),
            comment: None,
            change,
            request_id: cause.request_id.to_owned(),
        }
    }

    /// The same entry with what an admin wrote about the change.
    #[must_use]
    pub fn with_comment(self, comment: Option<&Comment>) -> Self {
        Self { comment: comment.cloned(), ..self }
    }

    /// The domain of the change; `None` for a change of a member.
    pub fn domain(&self) -> Option<&DomainName> {
        match &self.change {
            Change::Alias { address, .. } | Change::Switch { address, .. } => Some(&address.domain),
            Change::Domain { domain, .. }
            | Change::Run { domain, .. }
            | Change::Limit { domain, .. }
            | Change::Admin { domain, .. }
            | Change::Name { domain, .. } => Some(domain),
            Change::Member { .. } | Change::Link { .. } | Change::Destination { .. } | Change::Identity { .. } => None,
        }
    }

    /// The member that the change is about, if any.
    pub fn member(&self) -> Option<MemberId> {
        match &self.change {
            Change::Alias { member, .. }
            | Change::Switch { member, .. }
            | Change::Destination { member, .. }
            | Change::Member { member, .. }
            | Change::Link { member, .. }
            | Change::Identity { member, .. }
            | Change::Limit { member, .. }
            | Change::Admin { member, .. } => Some(*member),
            Change::Domain { .. } | Change::Run { .. } | Change::Name { .. } => None,
        }
    }
}

impl Entry {
    /// Whether the admins of these domains see the entry in the history of its member: changes of addresses and limits there,
    /// of the domains' admins, bans and links. Not how the member signs in, and nothing about mailboxes.
    pub fn is_shown_to_admins_of(&self, domains: &BTreeSet<DomainName>) -> bool {
        match &self.change {
            Change::Alias { address, .. } | Change::Switch { address, .. } => domains.contains(&address.domain),
            Change::Limit { domain, .. } | Change::Admin { domain, .. } => domains.contains(domain),
            Change::Member { did, .. } => match did {
                MemberChange::Banned | MemberChange::Unbanned | MemberChange::Erased | MemberChange::Imported => true,
                MemberChange::SessionsEnded | MemberChange::Exported => false,
            },
            Change::Link { .. } => true,
            Change::Destination { .. }
            | Change::Identity { .. }
            | Change::Name { .. }
            | Change::Domain { .. }
            | Change::Run { .. } => false,
        }
    }
}

impl Change {
    /// The change of an alias from `before` to `after`.
    pub fn of_alias(after: &Alias, before: Option<&Alias>, renamed_from: Option<Address>) -> Self {
        Self::Alias {
            member: after.member,
            address: after.address.clone(),
            before: before.map(|alias| alias.status),
            after: after.status,
            reason: after.reason,
            until: after.until,
            renamed_from,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{address, alias_change, entry, members};

    fn shown(change: Change, domains: &[&str]) -> bool {
        entry(change).is_shown_to_admins_of(&domains.iter().map(|domain| domain.parse().unwrap()).collect())
    }

    #[test]
    fn admins_see_history_of_their_domains() {
        let [member] = members();
        let change = alias_change(None, Status::Active, Reason::Eligible);
        assert!(shown(change.clone(), &["kubuntu.org", "ubuntu.com"]) && !shown(change, &["kubuntu.org"]));
        let domain: DomainName = "ubuntu.com".parse().unwrap();
        let change = Change::Admin { member, domain, did: AdminChange::Added, permissions: None };
        assert!(shown(change.clone(), &["ubuntu.com"]) && !shown(change, &["kubuntu.org"]));
        let address = address("alice@ubuntu.com");
        let change = Change::Switch { member, address, did: SwitchChange::Resumed };
        assert!(shown(change.clone(), &["ubuntu.com"]) && !shown(change, &[]));
    }

    #[rstest::rstest]
    #[case(MemberChange::Banned, true)]
    #[case(MemberChange::SessionsEnded, false)]
    #[case(MemberChange::Exported, false)]
    fn admins_see_bans_and_no_sessions(#[case] did: MemberChange, #[case] expected: bool) {
        let [member] = members();
        assert_eq!(shown(Change::Member { member, did }, &["ubuntu.com"]), expected);
        let did = DestinationChange::Confirmed;
        let destination = DestinationId::new(Timestamp::UNIX_EPOCH, &crate::random::CountingRandom::default());
        assert!(!shown(Change::Destination { member, destination, did }, &["ubuntu.com"]));
    }
}
