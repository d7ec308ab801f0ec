//! Who did what to which alias, member, domain or run, when and why. Append only, and without personal data in clear.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::address::{Address, DomainName};
use crate::alias::{Alias, Reason, Status};
use crate::member::{self, MemberId};
use crate::random::Random;

/// Who made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// The member, by signing in.
    Member,
    /// A sync, since the team changed.
    Sync,
    /// A check of the domain's DNS records.
    DomainCheck,
    /// An operator at the command line.
    Operator,
}

/// By whom, when and out of what: the part of an entry that its change does not tell.
#[derive(Clone, Copy, Debug)]
pub struct Cause<'a> {
    /// By whom.
    pub actor: Actor,
    /// Which operator or which run; nothing where the actor says it all.
    pub by: Option<&'a str>,
    /// The request that it began with.
    pub request_id: &'a str,
    /// When.
    pub now: Timestamp,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Sorts by time.
    pub id: Ulid,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// Which operator (a name at the command line) or which run (its id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Of what, and what it was.
    #[serde(flatten)]
    pub change: Change,
    /// The request that it began with.
    pub request_id: String,
}

/// What was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "subject", rename_all = "kebab-case")]
pub enum Change {
    /// An alias came to be, or has another state.
    Alias {
        /// Whose. Stored by another word than an alias stores it, so that the index by member holds aliases only.
        #[serde(rename = "owner")]
        member: MemberId,
        /// Which.
        address: Address,
        /// What it was before, if it was.
        before: Option<Status>,
        /// What it is now.
        after: Status,
        /// Why.
        reason: Reason,
        /// Of a leaving one: when mail ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// The address that the member had before a rename, which goes on forwarding.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        renamed_from: Option<Address>,
    },
    /// Something was done to a member.
    Member {
        /// To whom.
        #[serde(rename = "owner")]
        member: MemberId,
        /// What.
        did: MemberChange,
    },
    /// Two sign-ins were found to be, or said to be, one person.
    Link {
        /// The member that stays.
        #[serde(rename = "owner")]
        member: MemberId,
        /// The member whose identities and addresses it has from now on, or has no longer.
        other: MemberId,
        /// Whether they were linked or unlinked.
        did: LinkChange,
    },
    /// A member may have more or fewer addresses in a domain than the rules say.
    Limit {
        /// The member.
        #[serde(rename = "owner")]
        member: MemberId,
        /// The domain.
        domain: DomainName,
        /// How many; absent, where the rules count again.
        limit: Option<u16>,
    },
    /// A member became, or is no longer, an admin of a domain.
    Admin {
        /// The member.
        #[serde(rename = "owner")]
        member: MemberId,
        /// The domain.
        domain: DomainName,
        /// Whether the binding was made or ended.
        did: AdminChange,
    },
    /// A domain's proof changed.
    Domain {
        /// Which.
        domain: DomainName,
        /// How.
        did: DomainChange,
        /// Of one whose record is gone: until when it still gives new addresses.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A run of a sync was decided on.
    Run {
        /// Of which domain.
        domain: DomainName,
        /// Which.
        run: Ulid,
        /// How.
        did: RunChange,
    },
}

/// What can be done to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemberChange {
    /// Blocked: sessions end, aliases are suspended.
    Banned,
    /// Welcome again.
    Unbanned,
    /// The last alias was retired: no personal data is left that could be read.
    Shredded,
    /// Copied from another table after a restore.
    Imported,
}

/// How two members can come to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkChange {
    /// The other's identities lead to the member from now on.
    Linked,
    /// They lead to the other again.
    Unlinked,
}

/// How the admins of a domain can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdminChange {
    /// The member was bound as an admin.
    Added,
    /// The binding was ended.
    Removed,
}

/// What can become of a domain's proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DomainChange {
    /// It is proven: addresses may be given.
    Verified,
    /// The record is gone: a grace begins.
    RecordGone,
    /// The grace is over: no new addresses.
    Lapsed,
    /// The record is back.
    Restored,
    /// An operator took the word back: DNS decides from now on.
    Unverified,
    /// The community file no longer lists it, and no operator has decided to retire it.
    Unlisted,
    /// An operator retires it: its addresses go through the grace period.
    Retiring,
    /// An operator cancelled its retirement: its addresses come back.
    RetirementCancelled,
}

/// What can become of a planned run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunChange {
    /// It takes too many addresses to be done without a look.
    Held,
    /// Somebody looked, and said yes.
    Released,
    /// Somebody looked, and said no.
    Rejected,
    /// It was released, the message was lost, and a sync sent it again.
    Resent,
}

impl Entry {
    /// An entry of this change, with an id of its own.
    pub fn new(change: Change, cause: Cause<'_>, random: &dyn Random) -> Self {
        Self {
            id: member::ulid(cause.now, random),
            at: cause.now,
            actor: cause.actor,
            by: cause.by.map(str::to_owned),
            change,
            request_id: cause.request_id.to_owned(),
        }
    }

    /// The domain that it belongs to; what is done to a member belongs to none.
    pub fn domain(&self) -> Option<&DomainName> {
        match &self.change {
            Change::Alias { address, .. } => Some(&address.domain),
            Change::Domain { domain, .. }
            | Change::Run { domain, .. }
            | Change::Limit { domain, .. }
            | Change::Admin { domain, .. } => Some(domain),
            Change::Member { .. } | Change::Link { .. } => None,
        }
    }

    /// The member whom it is about, if it is about one.
    pub fn member(&self) -> Option<MemberId> {
        match &self.change {
            Change::Alias { member, .. }
            | Change::Member { member, .. }
            | Change::Link { member, .. }
            | Change::Limit { member, .. }
            | Change::Admin { member, .. } => Some(*member),
            Change::Domain { .. } | Change::Run { .. } => None,
        }
    }
}

impl Change {
    /// What happened to this alias, which was that before.
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
