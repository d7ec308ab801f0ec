//! An alias: an address of ours that belongs to one member for good, and what may happen to it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::{Address, DomainName, LocalPartError};
use crate::email::EmailAddress;
use crate::member::{MemberId, ObservedName};

/// Whether mail to an alias flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Mail flows.
    Active,
    /// Mail flows for now; the member has been told that it will end.
    Leaving,
    /// Mail is refused, with the reason.
    Suspended,
    /// The personal data is gone; the name stays taken.
    Retired,
}

impl Status {
    /// The word that is stored and logged.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Leaving => "leaving",
            Self::Suspended => "suspended",
            Self::Retired => "retired",
        }
    }

    /// Whether mail is forwarded.
    pub fn forwards(self) -> bool {
        matches!(self, Self::Active | Self::Leaving)
    }
}

/// Why an alias is as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The member is eligible.
    Eligible,
    /// Mail would come back to us: the destination is the alias, or lies in a domain of the community.
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
    /// The ban was taken back; the next sync decides anew.
    BanLifted,
    /// An operator retires the domain.
    DomainRetired,
    /// It was imported after a restore of the table, and its owner is not known: no member can be granted it until an
    /// operator assigns it.
    Unassigned,
}

impl Reason {
    /// The word that is stored and logged.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eligible => "eligible",
            Self::Loop => "loop",
            Self::NotInTeam => "not-in-team",
            Self::NotValid => "not-valid",
            Self::Deactivated => "deactivated",
            Self::AccountSuspended => "account-suspended",
            Self::AccountClosed => "account-closed",
            Self::NoPreferredAddress => "no-preferred-address",
            Self::CodeOfConductWithdrawn => "code-of-conduct-withdrawn",
            Self::Banned => "banned",
            Self::BanLifted => "ban-lifted",
            Self::DomainRetired => "domain-retired",
            Self::Unassigned => "unassigned",
        }
    }

    /// In a few words, for operators.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Eligible => "eligible",
            Self::Loop => "mail would go round in a circle",
            Self::NotInTeam => "no longer in the team",
            Self::NotValid => "the Launchpad account is not valid",
            Self::Deactivated => "the Launchpad account is deactivated",
            Self::AccountSuspended => "the Launchpad account is suspended",
            Self::AccountClosed => "the Launchpad account is closed",
            Self::NoPreferredAddress => "the Launchpad account has no preferred e-mail address",
            Self::CodeOfConductWithdrawn => "the Code of Conduct is not signed",
            Self::Banned => "banned",
            Self::BanLifted => "the ban was taken back",
            Self::DomainRetired => "the domain is retired",
            Self::Unassigned => "taken, and its owner is not known",
        }
    }
}

/// An alias as the table has it, without its sealed destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The address.
    pub address: Address,
    /// Whose it is, for good.
    pub member: MemberId,
    /// What the membership source called the member when this alias last looked: what a roster is compared with.
    pub known_as: ObservedName,
    /// Whether mail flows.
    pub status: Status,
    /// Why.
    pub reason: Reason,
    /// Since when it has this status.
    pub since: Timestamp,
    /// Of a leaving one: when mail ends.
    pub until: Option<Timestamp>,
    /// Counts its changes, from 1; every write is conditional on it.
    pub version: u64,
    /// Of a retired one: the personal data of its member is still to be erased, or it is not known that it was.
    pub erase_pending: bool,
}

impl Alias {
    /// Whether nothing is known against its member: it is active, or ends only because its domain is retired.
    pub fn is_in_good_standing(&self) -> bool {
        let by_retirement = self.status == Status::Leaving && self.reason == Reason::DomainRetired;
        self.status == Status::Active || by_retirement
    }
}

/// Why a member does not get an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "refusal", content = "detail")]
pub enum Refusal {
    /// It is, or once was, somebody else's.
    Taken,
    /// The domain has not yet proven that it belongs to the community.
    DomainNotVerified,
    /// The domain's team cannot be checked just now: another team has its name, or none.
    TeamUnavailable,
    /// An operator retires the domain.
    DomainRetired,
    /// The member has as many addresses in the domain as the rules allow.
    TooMany,
    /// The Launchpad name gives no address.
    Name(LocalPartError),
}

/// What an eligible member's wish for an address comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nobody has had the address: write it.
    Create {
        /// With this status.
        status: Status,
        /// For this reason.
        reason: Reason,
    },
    /// The member has it in another state: change it, if it still has this version.
    Change {
        /// The version that the decision was made on.
        version: u64,
        /// The new status.
        status: Status,
        /// The reason for it.
        reason: Reason,
    },
    /// It already is as it should be: no write, no audit entry.
    Unchanged,
    /// No.
    Refuse(Refusal),
}

/// An eligible member who asks for an address.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// Who asks.
    pub member: MemberId,
    /// Where mail is to go.
    pub destination: &'a EmailAddress,
    /// When Launchpad said that they are eligible. What became of the alias later counts more.
    pub eligible_at: Timestamp,
}

/// Whether mail to `alias` would come back to the community instead of reaching somebody.
pub fn is_loop(destination: &EmailAddress, community: &[DomainName]) -> bool {
    community.iter().any(|domain| domain.as_str() == destination.domain())
}

/// The state of an alias of an eligible member with this destination.
pub fn state_of(destination: &EmailAddress, community: &[DomainName]) -> (Status, Reason) {
    if is_loop(destination, community) { (Status::Suspended, Reason::Loop) } else { (Status::Active, Reason::Eligible) }
}

/// Decides on an address for a member who is eligible and asks. An active alias keeps the destination that it has.
pub fn decide(existing: Option<&Alias>, wish: Wish<'_>, community: &[DomainName]) -> Decision {
    let (status, reason) = state_of(wish.destination, community);
    match existing {
        None => Decision::Create { status, reason },
        Some(alias) if alias.member != wish.member => Decision::Refuse(Refusal::Taken),
        Some(alias) if alias.since > wish.eligible_at => Decision::Unchanged,
        Some(alias) if alias.status == Status::Active || (alias.status, alias.reason) == (status, reason) => {
            Decision::Unchanged
        }
        Some(alias) => Decision::Change { version: alias.version, status, reason },
    }
}

#[cfg(test)]
#[path = "alias_tests.rs"]
mod tests;
