//! Settings of the GitLab client.

use std::time::Duration;

use membermail_core::community::{AccessLevel, Community, Members};
use membermail_core::member::TeamName;
use url::Url;

use crate::retry::pauses;

/// Timeout of one page of a list.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// Settings of the GitLab client.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The root URL of the server: `https://gitlab.example.org/`.
    pub url: Url,
    /// The issuer of the identities whose subjects are this server's user ids.
    pub issuer: String,
    /// The full paths of the community's groups.
    pub groups: Vec<TeamName>,
    /// Members of a group below this level count as absent.
    pub minimum_access_level: AccessLevel,
    /// The User-Agent, with a contact.
    pub user_agent: String,
    /// Timeout of a lookup with all its requests and retries. One request gets at most half of it.
    pub lookup_timeout: Duration,
    /// Timeout of one request for a roster page. The lookup timeout does not apply to these.
    pub page_timeout: Duration,
    /// The pause before each retry; their number is the maximum number of retries.
    pub pauses: Vec<Duration>,
}

impl Settings {
    /// The server of a community, with the community's help page as the contact; none for a community with another source.
    pub fn for_community(community: &Community, lookup_timeout: Duration) -> Option<Self> {
        let Members::GitLab(gitlab) = &community.members else { return None };
        let mut groups: Vec<_> = community.domains.iter().map(|domain| domain.team.clone()).collect();
        groups.sort();
        groups.dedup();
        Some(Self {
            url: gitlab.url.clone(),
            issuer: community.issuer().to_owned(),
            groups,
            minimum_access_level: gitlab.minimum_access_level,
            user_agent: format!("membermail/{} (+{})", env!("CARGO_PKG_VERSION"), community.help),
            lookup_timeout,
            page_timeout: PAGE_TIMEOUT,
            pauses: pauses(Duration::from_secs(1)),
        })
    }

    /// Replaces the unit of the pauses, a second, by `unit` milliseconds, for tests.
    #[must_use]
    pub fn with_pause_unit(mut self, unit: Option<u64>) -> Self {
        if let Some(unit) = unit {
            self.pauses = pauses(Duration::from_millis(unit));
        }
        self
    }
}
