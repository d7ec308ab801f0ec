//! Who is eligible, for which domains: the rules in their order, each with an outcome of its own.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::address::DomainName;
use crate::community::Community;
use crate::member::{LaunchpadId, LaunchpadName, TeamName};

/// What Launchpad says of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Stays through renames.
    pub id: LaunchpadId,
    /// The name just now.
    pub name: LaunchpadName,
    /// Teams are "valid" too, but no persons.
    pub is_team: bool,
    /// An active account.
    pub is_valid: bool,
    /// Signed the Code of Conduct.
    pub signed_code_of_conduct: bool,
}

/// What Launchpad answers for an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No account has this identity.
    Unknown,
    /// The account is suspended: its page is gone (410).
    Gone,
    /// A person, and every team that they take part in, through sub-teams too.
    Known {
        /// The person.
        person: Person,
        /// Their teams.
        teams: BTreeSet<TeamName>,
    },
}

/// The outcome of a check, as the page and the log show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// An operator has banned the member.
    Banned,
    /// Launchpad knows nobody by this identity.
    Unknown,
    /// The account is a team's, or not active.
    NotValid,
    /// The Code of Conduct is not signed.
    CodeOfConductUnsigned,
    /// In none of the community's teams: no address, and no error either.
    NoTeam,
    /// The Launchpad account belongs to a member who signed in with another identity.
    PersonTaken,
    /// Eligible for addresses at these domains.
    Eligible {
        /// In the order of the community file.
        domains: Vec<DomainName>,
    },
}

impl Outcome {
    /// The word for logs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Banned => "banned",
            Self::Unknown => "unknown",
            Self::NotValid => "not-valid",
            Self::CodeOfConductUnsigned => "code-of-conduct-unsigned",
            Self::NoTeam => "no-team",
            Self::PersonTaken => "person-taken",
            Self::Eligible { .. } => "eligible",
        }
    }
}

/// Applies the rules in their order: the first that fails is the outcome.
pub fn decide(banned: bool, standing: &Standing, community: &Community) -> Outcome {
    if banned {
        return Outcome::Banned;
    }
    let (person, teams) = match standing {
        Standing::Unknown => return Outcome::Unknown,
        Standing::Gone => return Outcome::NotValid,
        Standing::Known { person, teams } => (person, teams),
    };
    if !person.is_valid || person.is_team {
        return Outcome::NotValid;
    }
    if !person.signed_code_of_conduct {
        return Outcome::CodeOfConductUnsigned;
    }
    let domains: Vec<_> = community
        .domains
        .iter()
        .filter(|domain| teams.contains(&domain.team))
        .map(|domain| domain.domain.clone())
        .collect();
    if domains.is_empty() { Outcome::NoTeam } else { Outcome::Eligible { domains } }
}

#[cfg(test)]
#[path = "eligibility_tests.rs"]
mod tests;
