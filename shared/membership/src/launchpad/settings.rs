//! Settings of the Launchpad client.

use std::time::Duration;

use membermail_core::community::{Community, Members, SignIn};
use url::Url;

use crate::retry::pauses;

/// Timeout of one page of a list. Launchpad sorts the whole team for each page, which takes seconds.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// Settings of the Launchpad client.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The root URL of the web service without a version: `https://api.launchpad.net/`.
    pub api: Url,
    /// The OpenID 2.0 providers (endpoint URLs) whose identifiers Launchpad knows.
    pub issuers: Vec<String>,
    /// The roots of identifiers, each ending with `+id/`. If there is no account under one, another root is tried once.
    pub identifier_roots: Vec<String>,
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
    /// The Launchpad of a community, with the community's help page as the contact; none for a community with another source.
    pub fn for_community(community: &Community, lookup_timeout: Duration) -> Option<Self> {
        let Members::Launchpad(launchpad) = &community.members else { return None };
        Some(Self {
            api: launchpad.api.clone(),
            issuers: issuers(community),
            identifier_roots: launchpad.identifier_roots.clone(),
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

/// The issuers of OpenID 2.0 identities. Launchpad does not know the subjects of OpenID Connect.
fn issuers(community: &Community) -> Vec<String> {
    let providers = community.providers().filter(|provider| matches!(provider, SignIn::OpenId2(_)));
    providers.map(|provider| provider.issuer().to_owned()).collect()
}
