//! Who is eligible, for which domains: the rules in their order, each with an outcome of its own.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::DomainName;
use crate::alias::Reason;
use crate::community::Community;
use crate::member::{Fingerprint, LaunchpadName, ObservedName, TeamName};

/// The state of an account at the membership source. Only `Active` gives addresses; the others differ in what their
/// person can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Account {
    /// In use.
    Active,
    /// In use, but without a preferred e-mail address, so that Launchpad does not count it as valid.
    NoPreferredAddress,
    /// A user name reserved at the sign-in provider; its person never logged in to Launchpad.
    NeverActivated,
    /// Deactivated, by its person or by an admin.
    Deactivated,
    /// Suspended by an admin.
    Suspended,
    /// Closed for good.
    Closed,
    /// Any other state.
    Inactive,
}

impl Account {
    /// Why an address of this account ends, if it does.
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

/// A person as the membership source answers for one of their identities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name just now.
    pub name: LaunchpadName,
    /// The fingerprint beside it.
    pub fingerprint: Fingerprint,
    /// The state of the account.
    pub account: Account,
    /// Signed the Code of Conduct.
    pub signed_code_of_conduct: bool,
}

impl Person {
    /// Whether account and Code of Conduct allow an address, or which does not.
    pub fn check(&self) -> Result<(), Reason> {
        self.account.check()?;
        if self.signed_code_of_conduct { Ok(()) } else { Err(Reason::CodeOfConductWithdrawn) }
    }

    /// The name with the time of the request that it was the answer to.
    pub fn observed(&self, observed_at: Timestamp) -> ObservedName {
        ObservedName { name: self.name.clone(), fingerprint: self.fingerprint, observed_at }
    }
}

/// What was last seen of a person, with the time of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// The person.
    #[serde(flatten)]
    pub person: Person,
    /// When the source was asked.
    #[serde(with = "crate::clock::micros")]
    pub observed_at: Timestamp,
}

impl Observation {
    /// The name of it.
    pub fn name(&self) -> ObservedName {
        self.person.observed(self.observed_at)
    }
}

/// A team that a person is in, directly or through another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The name just now.
    pub name: TeamName,
    /// The team's own fingerprint, which pins it.
    pub fingerprint: Fingerprint,
}

/// What the membership source answers for a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No account has any of their identities, and none ever had.
    Unknown,
    /// No account has any of their identities, and one had: it was closed.
    Closed,
    /// A person, and all their public teams. Empty for a person whom the rules refuse before teams matter.
    Known {
        /// The person.
        person: Person,
        /// Their teams.
        groups: BTreeSet<Group>,
    },
}

/// What the table knows of a domain's team.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TeamPin {
    /// The fingerprint of the one team that gives addresses.
    pub fingerprint: Option<Fingerprint>,
    /// The last sync found no team, or another one, under the name: membership cannot be checked.
    pub has_problem: bool,
}

/// The outcome of a check, as the page and the log show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// An operator has banned the member.
    Banned,
    /// No account has this identity.
    Unknown,
    /// The account is closed.
    Closed,
    /// The user name is reserved, and its person never logged in to Launchpad.
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
    /// In none of the community's teams: no address, and no error either.
    NoTeam,
    /// In none of the teams that can be checked, and at least one cannot.
    TeamsUnavailable,
    /// Eligible for addresses at these domains.
    Eligible {
        /// In the order of the community file.
        domains: Vec<DomainName>,
    },
}

impl Outcome {
    /// The word for logs and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Banned => "banned",
            Self::Unknown => "unknown",
            Self::Closed => "closed",
            Self::NeverActivated => "never-activated",
            Self::Deactivated => "deactivated",
            Self::Suspended => "suspended",
            Self::NoPreferredAddress => "no-preferred-address",
            Self::NotValid => "not-valid",
            Self::CodeOfConductUnsigned => "code-of-conduct-unsigned",
            Self::NoTeam => "no-team",
            Self::TeamsUnavailable => "teams-unavailable",
            Self::Eligible { .. } => "eligible",
        }
    }
}

/// Applies the rules in their order: the first that fails is the outcome. `pins` has what the table knows of each domain's
/// team; a pin in the community file counts before it.
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
    let (mut domains, mut has_problem) = (Vec::new(), false);
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
