//! A community: its domains, their teams, and where its members sign in. Read from one TOML file each.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::address::DomainName;
use crate::member::{LaunchpadName, TeamName};

/// Everything about a community that is not code.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Community {
    /// What people call it: "Ubuntu".
    pub title: String,
    /// Where a member finds people who help; a URL or `mailto:`.
    pub help: Url,
    /// Where the code of conduct is signed.
    pub code_of_conduct: Url,
    /// How members sign in.
    pub sign_in: SignIn,
    /// The directory of people and teams.
    pub launchpad: Launchpad,
    /// The domains, with the team whose participants get addresses there.
    pub domains: Vec<Domain>,
}

/// A sign-in provider, by protocol.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "protocol")]
pub enum SignIn {
    /// OpenID Authentication 2.0 with Simple Registration and Launchpad's teams extension.
    #[serde(rename = "openid-2.0", rename_all = "kebab-case")]
    OpenId2 {
        /// What the button says: "Ubuntu One".
        title: String,
        /// The OP Endpoint URL (section 2).
        endpoint: Url,
        /// Claimed identifiers are this URL and one word behind it; others are not this provider's to assert.
        identifier_root: Url,
    },
}

/// Where people and teams are looked up.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Launchpad {
    /// The web service's root, without a version: `https://api.launchpad.net/`.
    pub api: Url,
}

/// A domain of the community.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Domain {
    /// The domain.
    pub domain: DomainName,
    /// Its participants, direct or through sub-teams, get addresses.
    pub team: TeamName,
    /// Who answers for the domain; one at least.
    pub admins: Vec<LaunchpadName>,
}

impl Community {
    /// The names of its domains.
    pub fn domain_names(&self) -> impl Iterator<Item = &DomainName> {
        self.domains.iter().map(|domain| &domain.domain)
    }

    /// What the file's syntax cannot rule out: `(index of the domain, what is wrong)`.
    pub fn faults(&self) -> Vec<(usize, String)> {
        let mut faults = Vec::new();
        for (index, domain) in self.domains.iter().enumerate() {
            if self.domains[..index].iter().any(|earlier| earlier.domain == domain.domain) {
                faults.push((index, format!("{} is listed twice", domain.domain)));
            }
            if domain.admins.is_empty() {
                faults.push((index, format!("{} has no admin: name at least one", domain.domain)));
            }
        }
        faults
    }
}
