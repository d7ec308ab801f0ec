//! The kinds of changes in the audit log, by their subject.

use serde::{Deserialize, Serialize};

/// A change of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemberChange {
    /// Banned: sessions end, aliases are suspended.
    Banned,
    /// The ban was lifted.
    Unbanned,
    /// Personal data was erased by crypto-shredding, because the last alias was retired.
    Erased,
    /// Copied from another table after a restore.
    Imported,
    /// All sessions were ended.
    SessionsEnded,
    /// All data about the member was exported.
    Exported,
}

/// A change of an alias beside its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SwitchChange {
    /// Senders are asked to try again later.
    PausedTemporarily,
    /// Senders get a permanent refusal.
    PausedPermanently,
    /// Mail is forwarded again.
    Resumed,
    /// It forwards to other destinations.
    Redirected,
    /// An admin requested the check of its member that restores it.
    RestoreRequested,
}

/// A change of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DestinationChange {
    /// A confirmation code was requested.
    Requested,
    /// It was confirmed: mail can go there.
    Confirmed,
    /// The member removed it.
    Removed,
    /// The owner of an old destination reverted the change that brought it.
    Reverted,
}

/// A change of a member's accounts at sign-in providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityChange {
    /// The member can sign in with the account.
    Added,
    /// The account no longer leads to the member.
    Removed,
}

/// A change of a link between two members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkChange {
    /// The identities of the other member moved to the survivor.
    Linked,
    /// The identities moved back.
    Unlinked,
}

/// A change of a domain's admins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdminChange {
    /// The member is an admin now.
    Added,
    /// The member is no longer an admin.
    Removed,
    /// The member has other permissions.
    Changed,
}

/// A change of a domain's reserved names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameChange {
    /// No member gets the name.
    Reserved,
    /// Members can get the name.
    Released,
}

/// A change of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DomainChange {
    /// The domain is verified: members can get addresses.
    Verified,
    /// The record is missing: the grace period begins.
    RecordGone,
    /// The grace period is over: no new addresses.
    Lapsed,
    /// The record is back.
    Restored,
    /// An operator revoked the verification: DNS decides from now on.
    Unverified,
    /// The community file no longer lists it, and no operator has decided to retire it.
    Unlisted,
    /// An operator retired the domain: its addresses go through the grace period.
    Retiring,
    /// An operator cancelled the retirement: the addresses are restored.
    RetirementCancelled,
}

/// A change of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunChange {
    /// The guard held the plan for a decision.
    Held,
    /// An operator or an admin released the plan.
    Released,
    /// An operator or an admin rejected the plan.
    Rejected,
    /// The message of the release was lost, and a sync sent it again.
    Resent,
}
