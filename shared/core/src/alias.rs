//! An alias: an address that is assigned to one member for good, and the decision on grants.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::{AsRefStr, Display, EnumIter, IntoStaticStr};

use crate::address::{Address, DomainName, LocalPartError};
use crate::destination::is_within;
use crate::email::EmailAddress;
use crate::member::{MemberId, ObservedName};

/// The status of an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, AsRefStr, Display, EnumIter, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Status {
    /// Mail is forwarded.
    Active,
    /// Grace period: mail is forwarded until its end, and the member was notified.
    Leaving,
    /// Mail is rejected, with the reason.
    Suspended,
    /// The personal data is erased; the local part stays assigned (tombstone).
    Retired,
}

impl Status {
    /// Whether mail is forwarded.
    pub fn forwards(self) -> bool {
        matches!(self, Self::Active | Self::Leaving)
    }
}

/// The reason of an alias' status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, EnumIter)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Reason {
    /// The member is eligible.
    Eligible,
    /// The alias has no destination: the sign-in address is in a domain of the community, so that mail would loop.
    Loop,
    /// The member is no longer in the team.
    NotInTeam,
    /// The Launchpad account is not valid, for none of the reasons below.
    NotValid,
    /// The Launchpad account was deactivated.
    Deactivated,
    /// The Launchpad account was suspended.
    AccountSuspended,
    /// The Launchpad account was closed.
    AccountClosed,
    /// The Launchpad account has no preferred e-mail address.
    NoPreferredAddress,
    /// The Code of Conduct is no longer signed.
    CodeOfConductWithdrawn,
    /// An operator has banned the member.
    Banned,
    /// The ban was lifted; the next sync decides.
    BanLifted,
    /// An operator retired the domain.
    DomainRetired,
    /// Imported after a restore with an unknown owner: cannot be granted until an operator assigns it.
    Unassigned,
    /// The member deleted the address. No sync and no grant changes it, and after its `until` it is retired for good.
    Deleted,
    /// The member restored a deleted address; the next check decides.
    Returning,
    /// The member erased their personal data.
    Erased,
}

impl Reason {
    /// A short description for operators.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Eligible => "eligible",
            Self::Loop => "mail would loop",
            Self::NotInTeam => "no longer in the team",
            Self::NotValid => "the account is not valid",
            Self::Deactivated => "the account is deactivated",
            Self::AccountSuspended => "the account is suspended",
            Self::AccountClosed => "the account is closed",
            Self::NoPreferredAddress => "the account has no preferred e-mail address",
            Self::CodeOfConductWithdrawn => "the Code of Conduct is not signed",
            Self::Banned => "banned",
            Self::BanLifted => "the ban was lifted",
            Self::DomainRetired => "the domain is retired",
            Self::Unassigned => "assigned, and its owner is not known",
            Self::Deleted => "deleted by its member",
            Self::Returning => "restored by its member, to be checked",
            Self::Erased => "its member erased their data",
        }
    }
}

/// The member's own switch of an alias: mail is refused, whatever its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// When the member paused it.
    pub since: Timestamp,
    /// Whether senders get a permanent refusal instead of a temporary one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_permanent: bool,
}

/// An alias without its destinations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The address.
    pub address: Address,
    /// The owner, who never changes.
    pub member: MemberId,
    /// The member's last recorded name at the membership source, which is compared with a roster.
    pub known_as: ObservedName,
    /// The status.
    pub status: Status,
    /// The reason of the status.
    pub reason: Reason,
    /// The time of the last change of status or reason.
    pub since: Timestamp,
    /// The end of the grace period of a leaving alias, or of the time in which a deleted one can be restored.
    pub until: Option<Timestamp>,
    /// Starts at 1 and grows with each change; every write is conditional on it (optimistic locking).
    pub version: u64,
    /// A retired alias: the erasure of the member's personal data is not confirmed yet.
    pub erase_pending: bool,
}

impl Alias {
    /// Whether the alias is active, or leaving only because its domain is retired.
    pub fn is_in_good_standing(&self) -> bool {
        let by_retirement = self.status == Status::Leaving && self.reason == Reason::DomainRetired;
        self.status == Status::Active || by_retirement
    }
}

/// The version that an alias must have for a write to succeed (optimistic locking). Serialized as a number or `null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Option<u64>", into = "Option<u64>")]
pub enum ExpectedVersion {
    /// The alias does not exist yet.
    Absent,
    /// The alias has this version.
    At(u64),
}

impl ExpectedVersion {
    /// The version of an alias as it was read.
    pub fn of(alias: Option<&Alias>) -> Self {
        alias.map_or(Self::Absent, |alias| Self::At(alias.version))
    }
}

impl From<Option<u64>> for ExpectedVersion {
    fn from(version: Option<u64>) -> Self {
        version.map_or(Self::Absent, Self::At)
    }
}

impl From<ExpectedVersion> for Option<u64> {
    fn from(expected: ExpectedVersion) -> Self {
        match expected {
            ExpectedVersion::Absent => None,
            ExpectedVersion::At(version) => Some(version),
        }
    }
}

/// Why a member does not get an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "refusal", content = "detail")]
pub enum Refusal {
    /// The address is assigned to another member.
    Taken,
    /// The domain is not verified.
    DomainNotVerified,
    /// The domain's team cannot be checked: it is missing, or another team has its name.
    TeamUnavailable,
    /// An operator retired the domain.
    DomainRetired,
    /// The member has the maximum of addresses in the domain.
    TooMany,
    /// The Launchpad name gives no address.
    Name(LocalPartError),
}

/// A request to grant an eligible member an address.
#[derive(Clone, Copy, Debug)]
pub struct GrantRequest<'a> {
    /// The address.
    pub address: &'a Address,
    /// The alias of that address as it was read with the member. It is read again if the grant conflicts with a change.
    pub existing: Option<&'a Alias>,
    /// The member's name at the membership source, with the time of the look-up that found them eligible. Later changes of
    /// the alias win.
    pub known_as: &'a ObservedName,
    /// The member's previous address, if a rename caused the request.
    pub renamed_from: Option<&'a Address>,
    /// Maximum addresses per member and domain; an operator can set another limit for a member.
    pub limit: u16,
}

/// The decision on a [`GrantRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantDecision {
    /// The address was never assigned: create the alias.
    Create {
        /// The status to write.
        status: Status,
        /// The reason to write.
        reason: Reason,
    },
    /// The member has the alias in another state: change it if it still has this version.
    Change {
        /// The version that the decision is based on.
        version: u64,
        /// The status to write.
        status: Status,
        /// The reason to write.
        reason: Reason,
    },
    /// The alias is already as requested: no write, no audit entry.
    Unchanged,
    /// The member does not get the address.
    Refuse(Refusal),
}

/// Whether mail to this destination would loop back to the community: it is in one of the domains, or below one.
pub fn is_loop(destination: &EmailAddress, community: &[DomainName]) -> bool {
    community.iter().any(|domain| is_within(destination.domain(), domain))
}

/// Status and reason of an eligible member's alias, which may have no destination.
pub fn state_of(has_destination: bool) -> (Status, Reason) {
    if has_destination { (Status::Active, Reason::Eligible) } else { (Status::Suspended, Reason::Loop) }
}

/// Decides on a request of `owner`, given whether the alias has a destination or can get one.
pub fn decide_grant(request: &GrantRequest<'_>, owner: MemberId, has_destination: bool) -> GrantDecision {
    let (status, reason) = state_of(has_destination);
    match request.existing {
        None => GrantDecision::Create { status, reason },
        Some(alias) if alias.member != owner => GrantDecision::Refuse(Refusal::Taken),
        // Only the member can restore it.
        Some(alias) if alias.reason == Reason::Deleted => GrantDecision::Unchanged,
        Some(alias) if alias.since > request.known_as.observed_at => GrantDecision::Unchanged,
        Some(alias) if alias.status == Status::Active || (alias.status, alias.reason) == (status, reason) => {
            GrantDecision::Unchanged
        }
        Some(alias) => GrantDecision::Change { version: alias.version, status, reason },
    }
}

#[cfg(test)]
#[path = "alias_tests.rs"]
mod tests;
