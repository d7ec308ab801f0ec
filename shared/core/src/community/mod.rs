//! A community: its domains, their teams, where its members sign in, and who says who is a member. Read from one TOML file
//! each.

mod members;
mod rules;
mod sign_in;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::address::DomainName;
use crate::member::{Fingerprint, Identity, PersonName, Subject, TeamName};

pub use members::{AccessLevel, GitLab, Launchpad, LocalPartSource, Members};
pub use rules::Rules;
pub use sign_in::{Algorithm, ClientAuthentication, Issuer, OpenId2, OpenIdConnect, SignIn};

/// The configuration of a community.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Community {
    /// The display name: "Ubuntu".
    pub title: String,
    /// The support contact: a URL or `mailto:`.
    pub help: Url,
    /// The URL for signing the code of conduct. If it is set, only people who signed it get addresses.
    #[serde(default)]
    pub code_of_conduct: Option<Url>,
    /// How members sign in.
    pub sign_in: SignIn,
    /// The provider before `sign_in`, while the community moves from one to the other. Members can add their identity there
    /// to the one here, but cannot sign in with it alone.
    #[serde(default)]
    pub former_sign_in: Option<SignIn>,
    /// The authority on people and teams.
    pub members: Members,
    /// Limits and periods of the sync; each rule has a default.
    #[serde(default)]
    pub rules: Rules,
    /// The names of the mail hosts and their return-path domains: no destination can be there.
    #[serde(default)]
    pub mail_hosts: Vec<DomainName>,
    /// The domains, each with its team.
    pub domains: Vec<Domain>,
}

/// A domain of the community.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Domain {
    /// The domain.
    pub domain: DomainName,
    /// The team or group whose members get addresses: participants, direct or through sub-teams (Launchpad), or members,
    /// direct or inherited (GitLab, the full path).
    #[serde(alias = "group")]
    pub team: TeamName,
    /// The creation date of a Launchpad team, which pins it: another team with its name grants nothing. Without it, the first
    /// sync records the date.
    #[serde(default)]
    pub team_created: Option<Timestamp>,
    /// The id of a GitLab group, which pins it in the same way.
    #[serde(default)]
    pub group_id: Option<u32>,
    /// Names of the people to be bound as admins (`membermail domain admin add`), at least one. A name grants nothing.
    pub admins: Vec<PersonName>,
    /// Identities of members who are admins without being bound.
    #[serde(default)]
    pub admin_identities: Vec<Subject>,
}

impl Domain {
    /// The fingerprint of the team in the community file.
    pub fn team_pin(&self) -> Option<Fingerprint> {
        let created = self.team_created.map(|at| at.as_microsecond());
        created.or(self.group_id.map(i64::from)).map(Fingerprint)
    }
}

/// Refuses the first key that is set and belongs to another variant of a table than `variant`.
fn refuse_foreign(keys: &[(&str, bool)], variant: &str) -> Result<(), String> {
    match keys.iter().find(|(_, is_set)| *is_set) {
        Some((key, _)) => Err(format!("`{key}` is no field of {variant}")),
        None => Ok(()),
    }
}

/// The location of an error in a community file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigLocation {
    /// A key of the file itself.
    Top(&'static str),
    /// A key of a table.
    Key(&'static str, &'static str),
    /// The domain with this index.
    Domain(usize),
}

impl Community {
    /// The names of all domains.
    pub fn domain_names(&self) -> impl Iterator<Item = &DomainName> {
        self.domains.iter().map(|domain| &domain.domain)
    }

    /// The domain with this name.
    pub fn domain(&self, name: &DomainName) -> Option<&Domain> {
        self.domains.iter().find(|domain| &domain.domain == name)
    }

    /// The issuer of the members' identities.
    pub fn issuer(&self) -> &str {
        self.sign_in.issuer()
    }

    /// Whether an e-mail address from the sign-in provider counts as confirmed.
    pub fn trusts_email(&self) -> bool {
        self.sign_in.trusts_email()
    }

    /// All sign-in providers, the current one first.
    pub fn providers(&self) -> impl Iterator<Item = &SignIn> {
        std::iter::once(&self.sign_in).chain(&self.former_sign_in)
    }

    /// The provider that issued an identity.
    pub fn provider_of(&self, identity: &Identity) -> Option<&SignIn> {
        self.providers().find(|provider| provider.issuer() == identity.issuer)
    }

    /// The title of the provider with this issuer, for people. For one that the file no longer has, its host.
    pub fn provider_title(&self, issuer: &str) -> String {
        if let Some(provider) = self.providers().find(|provider| provider.issuer() == issuer) {
            return provider.title().to_owned();
        }
        let host = Url::parse(issuer).ok().and_then(|url| url.host_str().map(str::to_owned));
        host.unwrap_or_else(|| issuer.to_owned())
    }

    /// Replaces scheme and host of the configured services, for example with those of fakes.
    ///
    /// # Errors
    /// If a root cannot be a base URL.
    pub fn relocate(
        &mut self,
        sign_in: Option<&Url>,
        former_sign_in: Option<&Url>,
        members: Option<&Url>,
    ) -> Result<(), url::ParseError> {
        if let Some(root) = sign_in {
            self.sign_in.relocate(root)?;
        }
        if let (Some(root), Some(former)) = (former_sign_in, &mut self.former_sign_in) {
            former.relocate(root)?;
        }
        if let Some(root) = members {
            self.members.relocate(root);
        }
        Ok(())
    }

    /// Errors that the syntax cannot rule out.
    pub fn faults(&self) -> Vec<(ConfigLocation, String)> {
        let mut faults = Vec::new();
        let mut add = |table, found: Vec<(&'static str, String)>| {
            faults.extend(found.into_iter().map(|(key, why)| (ConfigLocation::Key(table, key), why)));
        };
        add("sign-in", self.sign_in.faults());
        add("former-sign-in", self.former_sign_in.as_ref().map(SignIn::faults).unwrap_or_default());
        let rules = self.rules.faults();
        add("rules", rules.into_iter().map(|(rule, why)| (rule, format!("{rule} {why}"))).collect());
        faults.extend(self.provider_faults());
        faults.extend(self.source_faults());
        for index in 0..self.domains.len() {
            let found = self.domain_faults(index);
            faults.extend(found.into_iter().map(|why| (ConfigLocation::Domain(index), why)));
        }
        faults
    }

    fn provider_faults(&self) -> Option<(ConfigLocation, String)> {
        let why = match (self.former_sign_in.as_ref()?, &self.sign_in) {
            (SignIn::OpenIdConnect(_), _) => "the former provider can only be one of OpenID 2.0",
            (SignIn::OpenId2(_), SignIn::OpenId2(_)) => "two providers of OpenID 2.0 would return to one path",
            (SignIn::OpenId2(_), SignIn::OpenIdConnect(_)) => return None,
        };
        Some((ConfigLocation::Key("former-sign-in", "protocol"), why.to_owned()))
    }

    fn source_faults(&self) -> Vec<(ConfigLocation, String)> {
        let mut faults = Vec::new();
        match &self.members {
            Members::Launchpad(_) => {
                if !self.providers().any(|provider| matches!(provider, SignIn::OpenId2(_))) {
                    let why = "Launchpad looks people up by OpenID 2.0 identifiers, and no provider issues them";
                    faults.push((ConfigLocation::Key("members", "source"), why.to_owned()));
                }
            }
            Members::GitLab(gitlab) => {
                let root = gitlab.url.as_str().trim_end_matches('/');
                if self.issuer().trim_end_matches('/') != root || !matches!(self.sign_in, SignIn::OpenIdConnect(_)) {
                    let why = "url is not the issuer: only there, subjects are the ids of the users";
                    faults.push((ConfigLocation::Key("members", "url"), why.to_owned()));
                }
                if self.code_of_conduct.is_some() {
                    let why = "code-of-conduct cannot be a condition: GitLab does not record signatures";
                    faults.push((ConfigLocation::Top("code-of-conduct"), why.to_owned()));
                }
            }
        }
        faults
    }

    fn domain_faults(&self, index: usize) -> Vec<String> {
        let mut faults = Vec::new();
        let Some(domain) = self.domains.get(index) else { return faults };
        let name = &domain.domain;
        if self.domains.iter().take(index).any(|earlier| earlier.domain == *name) {
            faults.push(format!("{name} is listed twice"));
        }
        if domain.admins.is_empty() && domain.admin_identities.is_empty() {
            faults.push(format!("{name} has no admin: name at least one"));
        }
        if let Some(why) = self.members.team_fault(&domain.team) {
            faults.push(format!("{} is {why}", domain.team));
        }
        match &self.members {
            Members::Launchpad(_) if domain.group_id.is_some() => {
                faults.push("group-id pins a GitLab group; use team-created".to_owned());
            }
            Members::GitLab(_) if domain.team_created.is_some() => {
                faults.push("team-created pins a Launchpad team; use group-id".to_owned());
            }
            Members::Launchpad(_) | Members::GitLab(_) => {}
        }
        if matches!(self.sign_in, SignIn::OpenId2(_)) {
            let is_url = |identity: &&Subject| identity.as_str().starts_with("http");
            if let Some(other) = domain.admin_identities.iter().find(|identity| !is_url(identity)) {
                faults.push(format!("{other} is not an identifier: an http or https URL"));
            }
        }
        faults
    }
}
