//! The communities of sign-in benchmarks: where their fake provider lets a browser choose a person, and which requests the
//! fakes count.

use anyhow::{Context, Result};
use reqwest::Url;
use serde_json::{Value, json};

use super::browser::location;

/// A community.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Community {
    /// OpenID 2.0 and Launchpad
    #[default]
    Ubuntu,
    /// OpenID Connect and GitLab
    Example,
}

/// Counts of the fakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Requests {
    /// Direct requests to the provider for a sign-in.
    pub(crate) provider: u64,
    /// Requests for the provider's metadata and keys, which are cached.
    pub(crate) metadata: u64,
    /// Requests to the membership source about a person.
    pub(crate) source: u64,
    /// Requests for the ids of groups, which are cached.
    pub(crate) groups: u64,
}

impl Community {
    /// The id of the community.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Ubuntu => "ubuntu",
            Self::Example => "example",
        }
    }

    /// The one domain where all prepared people get an address.
    pub(crate) fn domain(self) -> &'static str {
        match self {
            Self::Ubuntu => "ubuntu.com",
            Self::Example => "art.community.example",
        }
    }

    /// Makes a person one who gets one address, and whose provider names no former identity, so that the sign-ins of all
    /// communities do equal work. At GitLab, members of a group are members of all groups below it, and would get an address at
    /// both domains.
    pub(crate) async fn prepare(self, client: &reqwest::Client, fakes: &Url, name: &str) -> Result<()> {
        if self == Self::Example {
            let change = json!({
                "leave": ["community/members"],
                "join": { "community/members/art": 30 },
                "claims": { "openid2_id": null },
            });
            let user = fakes.join(&format!("control/gitlab/users/{name}"))?;
            client.patch(user).json(&change).send().await?.error_for_status()?;
        }
        Ok(())
    }

    /// The name of the membership source.
    pub(crate) fn source(self) -> &'static str {
        match self {
            Self::Ubuntu => "Launchpad",
            Self::Example => "GitLab",
        }
    }

    /// Target: requests to the membership source about a person, per sign-in.
    ///
    /// Launchpad: the person and their teams. GitLab: the user, and one membership for each group of the community's two
    /// domains, as GitLab lists the groups of another user for admins only.
    pub(crate) fn source_requests(self) -> f64 {
        match self {
            Self::Ubuntu => 2.0,
            Self::Example => 3.0,
        }
    }

    /// Chooses a person at the fake provider, for a sign-in request that was redirected to `request`. Returns the URL of the
    /// callback. `client` must not follow redirects.
    pub(crate) async fn choose_person(
        self,
        client: &reqwest::Client,
        fakes: &Url,
        name: &str,
        request: &Url,
    ) -> Result<Url> {
        let (path, parameter) = match self {
            Self::Ubuntu => ("+openid/sign-in-as", "name"),
            Self::Example => ("oauth/authorize/sign-in-as", "user"),
        };
        let mut choose = fakes.join(path)?;
        choose.query_pairs_mut().append_pair(parameter, name).extend_pairs(request.query_pairs());
        location(&client.get(choose).send().await?)
    }

    /// The fakes' counts of this community's provider and source.
    pub(crate) async fn requests(self, client: &reqwest::Client, fakes: &Url) -> Result<Requests> {
        let counts: Value = client.get(fakes.join("control/counts")?).send().await?.error_for_status()?.json().await?;
        self.parse(&counts)
    }

    fn parse(self, counts: &Value) -> Result<Requests> {
        let sum = |field: &str, kinds: &[&str]| -> Result<u64> {
            let all = counts[field].as_object().with_context(|| format!("no counts {field}"))?;
            Ok(kinds.iter().filter_map(|kind| all.get(*kind)?.as_u64()).sum())
        };
        Ok(match self {
            Self::Ubuntu => Requests {
                provider: sum("provider_kinds", &["check_authentication"])?,
                metadata: sum("provider_kinds", &["associate"])?,
                source: counts["launchpad"].as_u64().context("no count")?,
                groups: 0,
            },
            Self::Example => Requests {
                provider: sum("gitlab_oauth_kinds", &["token", "userinfo"])?,
                metadata: sum("gitlab_oauth_kinds", &["discovery", "keys"])?,
                source: sum("gitlab_kinds", &["users", "member", "members", "members-all", "user"])?,
                groups: sum("gitlab_kinds", &["groups"])?,
            },
        })
    }
}

impl std::ops::Sub for Requests {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            provider: self.provider - earlier.provider,
            metadata: self.metadata - earlier.metadata,
            source: self.source - earlier.source,
            groups: self.groups - earlier.groups,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_community() {
        let counts = json!({
            "launchpad": 2,
            "provider_kinds": { "check_authentication": 1, "checkid": 1 },
            "gitlab_kinds": { "users": 1, "member": 2, "groups": 4 },
            "gitlab_oauth_kinds": { "authorize": 8, "token": 1, "discovery": 16, "keys": 32 },
        });
        let ubuntu = Requests { provider: 1, metadata: 0, source: 2, groups: 0 };
        assert_eq!(Community::Ubuntu.parse(&counts).unwrap(), ubuntu);
        let example = Requests { provider: 1, metadata: 48, source: 3, groups: 4 };
        assert_eq!(Community::Example.parse(&counts).unwrap(), example);
    }
}
