//! A community: its domains, their teams, and where its members sign in. Read from one TOML file each.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::address::DomainName;
use crate::member::{ClaimedIdentifier, Fingerprint, LaunchpadName, TeamName};

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
    /// What its sync may do, and how fast; each rule has a default.
    #[serde(default)]
    pub rules: Rules,
    /// The domains, with the team whose participants get addresses there.
    pub domains: Vec<Domain>,
}

/// A member who leaves while another one joins keeps an address for that time, unless the rolling check finds them.
const MOST_FULL_READ_HOURS: u16 = 24;

/// How addresses follow the teams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Rules {
    /// Days for which the address of somebody who is no longer eligible still forwards.
    pub leaving_days: u16,
    /// Days for which a suspended address keeps its personal data and can come back as it was.
    pub retire_after_days: u16,
    /// A plan that removes a larger part than this of the active addresses is held, in percent …
    pub hold_above_percent: u8,
    /// … if it removes more than this number.
    pub hold_above_count: u32,
    /// A plan that removes this part or more of the active addresses is held, in percent, even if they are few. One member
    /// who leaves is never enough.
    pub hold_small_team_percent: u8,
    /// A plan that grants more addresses than this number is held …
    pub hold_above_grants: u32,
    /// … if that is a larger part than this of the active addresses, in percent.
    pub hold_above_grants_percent: u8,
    /// A plan that suspends, or retires, more addresses than this number is held …
    pub hold_above_ends: u32,
    /// … if that is a larger part than this of the active addresses, in percent.
    pub hold_above_ends_percent: u8,
    /// Days for which a domain whose proof is gone still gives new addresses.
    pub domain_grace_days: u16,
    /// Addresses that one member can have in one domain; renames beyond that give none. An operator can raise it for a
    /// member.
    pub addresses_per_domain: u16,
    /// Hours for which a team is not read again while its total stays the same; 0 reads it in each run.
    pub full_read_hours: u16,
}

/// The largest count that a guard can have. The counts are for small teams: below them the percentages do not count, so a
/// large one would void the guard.
const MOST_UNATTENDED: u32 = 1_000;

impl Default for Rules {
    fn default() -> Self {
        Self {
            leaving_days: 14,
            retire_after_days: 180,
            hold_above_percent: 10,
            hold_above_count: 5,
            hold_small_team_percent: 50,
            hold_above_grants: 20,
            hold_above_grants_percent: 10,
            hold_above_ends: 3,
            hold_above_ends_percent: 2,
            domain_grace_days: 7,
            addresses_per_domain: 3,
            full_read_hours: 6,
        }
    }
}

impl Rules {
    /// How long the address of somebody who is no longer eligible still forwards.
    pub fn leaving(&self) -> SignedDuration {
        days(self.leaving_days)
    }

    /// How long a suspended address keeps its personal data.
    pub fn retire_after(&self) -> SignedDuration {
        days(self.retire_after_days)
    }

    /// How long a team is not read again while its total stays the same.
    pub fn full_read_after(&self) -> SignedDuration {
        SignedDuration::from_hours(i64::from(self.full_read_hours))
    }

    /// How long a domain whose proof is gone still gives new addresses.
    pub fn domain_grace(&self) -> SignedDuration {
        days(self.domain_grace_days)
    }

    /// Values that would make a rule void, each with its key and the reason.
    fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let days = [
            ("leaving-days", self.leaving_days, "an address would end without a grace period"),
            ("retire-after-days", self.retire_after_days, "personal data would be deleted at once"),
            ("addresses-per-domain", self.addresses_per_domain, "no member could have an address"),
        ];
        for (key, value, why) in days {
            if value == 0 {
                faults.push((key, format!("is 0: {why}")));
            }
        }
        let percents = [
            ("hold-above-percent", self.hold_above_percent),
            ("hold-small-team-percent", self.hold_small_team_percent),
            ("hold-above-grants-percent", self.hold_above_grants_percent),
            ("hold-above-ends-percent", self.hold_above_ends_percent),
        ];
        for (key, value) in percents {
            if value >= 100 {
                faults.push((key, format!("is {value}: a plan would not be held by it; use 99 at most")));
            }
        }
        let counts = [
            ("hold-above-count", self.hold_above_count),
            ("hold-above-grants", self.hold_above_grants),
            ("hold-above-ends", self.hold_above_ends),
        ];
        for (key, value) in counts {
            if value > MOST_UNATTENDED {
                let why = "the percentage counts in larger teams";
                faults.push((key, format!("is {value}: use {MOST_UNATTENDED} at most, {why}")));
            }
        }
        let hours = self.full_read_hours;
        if hours > MOST_FULL_READ_HOURS {
            let why = format!("is {hours}: a team is read once in {MOST_FULL_READ_HOURS} hours at least");
            faults.push(("full-read-hours", why));
        }
        faults
    }
}

fn days(count: u16) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(count))
}

/// A sign-in provider, by protocol.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "protocol")]
pub enum SignIn {
    /// OpenID Authentication 2.0 with Simple Registration.
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
    /// The roots under which it knows identifiers. Where one has no account, the other is tried once.
    pub identifier_roots: Vec<String>,
}

/// A domain of the community.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Domain {
    /// The domain.
    pub domain: DomainName,
    /// Its participants, direct or through sub-teams, get addresses.
    pub team: TeamName,
    /// When the team was created. It pins the team: another one under its name gets no rights. Without it, the first sync
    /// records the date that it sees.
    #[serde(default)]
    pub team_created: Option<Timestamp>,
    /// Who should be bound as admins (`membermail domain admin add`). Names grant nothing; one at least.
    pub admins: Vec<LaunchpadName>,
    /// Identities whose members are admins without being bound by hand.
    #[serde(default)]
    pub admin_identities: Vec<ClaimedIdentifier>,
}

impl Domain {
    /// The fingerprint that the file pins the team by.
    pub fn team_pin(&self) -> Option<Fingerprint> {
        self.team_created.map(|at| Fingerprint(at.as_microsecond()))
    }
}

/// Where a community's file is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this rule.
    Rule(&'static str),
    /// In the domain of this index.
    Domain(usize),
}

impl Community {
    /// The names of its domains.
    pub fn domain_names(&self) -> impl Iterator<Item = &DomainName> {
        self.domains.iter().map(|domain| &domain.domain)
    }

    /// One domain of it.
    pub fn domain(&self, name: &DomainName) -> Option<&Domain> {
        self.domains.iter().find(|domain| &domain.domain == name)
    }

    /// The issuer of its members' identities: the endpoint that they sign in at.
    pub fn issuer(&self) -> &str {
        let SignIn::OpenId2 { endpoint, .. } = &self.sign_in;
        endpoint.as_str()
    }

    /// What the file's syntax cannot rule out.
    pub fn faults(&self) -> Vec<(Place, String)> {
        let mut faults = Vec::new();
        let rules = self.rules.faults();
        faults.extend(rules.into_iter().map(|(rule, why)| (Place::Rule(rule), format!("{rule} {why}"))));
        for (index, domain) in self.domains.iter().enumerate() {
            if self.domains[..index].iter().any(|earlier| earlier.domain == domain.domain) {
                faults.push((Place::Domain(index), format!("{} is listed twice", domain.domain)));
            }
            if domain.admins.is_empty() {
                faults.push((Place::Domain(index), format!("{} has no admin: name at least one", domain.domain)));
            }
        }
        faults
    }
}
