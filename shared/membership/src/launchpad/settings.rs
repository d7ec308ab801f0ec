//! Where Launchpad is, and how the client behaves there.

use std::time::Duration;

use membermail_core::community::Community;
use url::Url;

/// The pauses of Launchpad's own client (lazr.restfulclient).
const PAUSES: [u64; 6] = [0, 1, 2, 4, 8, 16];
/// The time for one page of a list. Launchpad sorts the whole team for each page, which takes it seconds.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// Where Launchpad is, and how the client behaves there.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The root of the web service, without a version: `https://api.launchpad.net/`.
    pub api: Url,
    /// The roots under which it knows identifiers, each up to and with `+id/`. Where one has no account, another one is
    /// tried once.
    pub identifier_roots: Vec<String>,
    /// Names the program and a contact.
    pub user_agent: String,
    /// The time for one look-up with all its requests and pauses. One request gets at most half.
    pub lookup_timeout: Duration,
    /// The time for one request of a roster's page. The look-up timeout does not limit these.
    pub page_timeout: Duration,
    /// The pause before each repetition of a request, so that their number is that of the repetitions.
    pub pauses: Vec<Duration>,
}

impl Settings {
    /// The Launchpad of a community, or another one `instead`, with the community's help page as the contact.
    pub fn of(community: &Community, instead: Option<Url>, lookup_timeout: Duration) -> Self {
        Self {
            api: instead.unwrap_or_else(|| community.launchpad.api.clone()),
            identifier_roots: community.launchpad.identifier_roots.clone(),
            user_agent: format!("membermail/{} (+{})", env!("CARGO_PKG_VERSION"), community.help),
            lookup_timeout,
            page_timeout: PAGE_TIMEOUT,
            pauses: PAUSES.map(Duration::from_secs).to_vec(),
        }
    }

    /// The same with pauses in another unit than a second, in milliseconds: a test does not want to wait.
    #[must_use]
    pub fn paced_by(mut self, unit: Option<u64>) -> Self {
        if let Some(unit) = unit {
            self.pauses = PAUSES.map(|pause| Duration::from_millis(pause * unit)).to_vec();
        }
        self
    }
}
