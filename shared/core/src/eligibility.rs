//! Eligibility: the rules in their order, each with its own outcome.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

use crate::address::DomainName;
use crate::alias::Reason;
use crate::community::Community;
use crate::member::{Fingerprint, ObservedName, PersonName, TeamName};

/// The state of an account at the membership source. Only `Active` is eligible; for the others the advice to the person
/// differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(strum::VariantArray))]
#[serde(rename_all = "kebab-case")]
pub enum Account {
    /// Active.
    Active,
    /// Active without a preferred e-mail address, which Launchpad does not count as valid.
    NoPreferredAddress,
    /// A placeholder: the person never logged in to Launchpad.
    NeverActivated,
    /// Deactivated, by its person or by an admin.
    Deactivated,
    /// Suspended by an admin.
    Suspended,
    /// Closed permanently.
    Closed,
    /// Any other state.
    Inactive,
}

impl Account {
    /// Checks whether the account is eligible.
    pub fn check(self) -> Result<(), Reason> {
        match self {
            Self::Active => Ok(()),
            Self::NoPreferredAddress => Err(Reason::NoPreferredAddress),
            Self::Deactivated => Err(Reason::Deactivated),
            Self::Suspended => Err(Reason::AccountSuspended),
            Self::Closed => Err(Reason::AccountClosed),
            Self::NeverActivated | Self::Inactive => Err(Reason::NotValid),
        }
    }
}

/// A person at the membership source, looked up by identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The current name.
    pub name: PersonName,
    /// The fingerprint beside it.
    pub fingerprint: Fingerprint,
    /// The state of the account.
    pub account: Account,
    /// Whether the Code of Conduct is signed.
    pub signed_code_of_conduct: bool,
}

impl Person {
    /// Checks account and Code of Conduct.
    pub fn check(&self) -> Result<(), Reason> {
        self.account.check()?;
        if self.signed_code_of_conduct { Ok(()) } else { Err(Reason::CodeOfConductWithdrawn) }
    }

    /// The name with the time of the request.
    pub fn observed(&self, observed_at: Timestamp) -> ObservedName {
        ObservedName { name: self.name.clone(), fingerprint: self.fingerprint, observed_at }
    }
}

/// A person with the time of the look-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// The person.
    #[serde(flatten)]
    pub person: Person,
    /// The time of the request.
    #[serde(with = "crate::clock::micros")]
    pub observed_at: Timestamp,
}

impl Observation {
    /// The observed name.
    pub fn name(&self) -> ObservedName {
        self.person.observed(self.observed_at)
    }
}

/// A team that a person is in, directly or through another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The current name.
    pub name: TeamName,
    /// The team's own fingerprint, which pins it.
    pub fingerprint: Fingerprint,
}

/// The result of looking a member up at the membership source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No account has or had any of their identities.
    Unknown,
    /// The account with one of their identities was closed.
    Closed,
    /// A person and all their public teams; empty if the rules refuse the person before teams matter.
    Known {
        /// The person.
        person: Person,
        /// Their teams.
        groups: BTreeSet<Group>,
    },
}

/// The pin of a domain's team.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TeamPin {
    /// The fingerprint of the team that grants addresses.
    pub fingerprint: Option<Fingerprint>,
    /// Whether the last sync found no team, or another one, with the name: membership cannot be checked.
    pub has_problem: bool,
}

/// The state of a member's check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// Requested; the membership source is being asked.
    Pending,
    /// The source does not respond; the queue retries.
    Delayed,
    /// The source did not respond for as long as the queue retries. The member can request another check.
    GivenUp,
    /// The check has an outcome.
    Done,
}

/// The outcome of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Display, IntoStaticStr)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
#[strum(serialize_all = "kebab-case")]
pub enum Outcome {
    /// An operator has banned the member.
    Banned,
    /// No account has this identity.
    Unknown,
    /// The account is closed.
    Closed,
    /// The person never logged in to Launchpad.
    NeverActivated,
    /// The account is deactivated.
    Deactivated,
    /// The account is suspended.
    Suspended,
    /// The account has no preferred e-mail address.
    NoPreferredAddress,
    /// The account is not valid for another reason.
    NotValid,
    /// The Code of Conduct is not signed.
    CodeOfConductUnsigned,
    /// In none of the community's teams.
    NoTeam,
    /// In none of the teams that can be checked, and at least one team cannot be checked.
    TeamsUnavailable,
    /// Eligible for addresses at these domains.
    Eligible {
        /// In the order of the community file.
        domains: Vec<DomainName>,
    },
}

/// Applies the rules in their order: the first that fails is the outcome. A pin in the community file wins over `pins`, those
/// in the table.
pub fn decide(
    banned: bool,
    standing: &Standing,
    community: &Community,
    pins: &BTreeMap<DomainName, TeamPin>,
) -> Outcome {
    if banned {
        return Outcome::Banned;
    }
    let (person, groups) = match standing {
        Standing::Unknown => return Outcome::Unknown,
        Standing::Closed => return Outcome::Closed,
        Standing::Known { person, groups } => (person, groups),
    };
    match person.account {
        Account::Active => {}
        Account::NoPreferredAddress => return Outcome::NoPreferredAddress,
        Account::NeverActivated => return Outcome::NeverActivated,
        Account::Deactivated => return Outcome::Deactivated,
        Account::Suspended => return Outcome::Suspended,
        Account::Closed => return Outcome::Closed,
        Account::Inactive => return Outcome::NotValid,
    }
    if !person.signed_code_of_conduct {
        return Outcome::CodeOfConductUnsigned;
    }
    let mut domains = Vec::new();
    let mut has_problem = false;
    for domain in &community.domains {
        let known = pins.get(&domain.domain).copied().unwrap_or_default();
        let pin = domain.team_pin().or(known.fingerprint);
        let group = groups.iter().find(|group| group.name == domain.team);
        let is_another = group.is_some_and(|group| pin.is_some_and(|pin| pin != group.fingerprint));
        if known.has_problem || is_another {
            has_problem = true;
        } else if group.is_some() {
            domains.push(domain.domain.clone());
        }
    }
    match (domains.is_empty(), has_problem) {
        (false, _) => Outcome::Eligible { domains },
        (true, true) => Outcome::TeamsUnavailable,
        (true, false) => Outcome::NoTeam,
    }
}

#[cfg(test)]
#[path = "eligibility_tests.rs"]
mod tests;
