//! The state of the fakes: people, injected faults, and the providers' signing keys.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use membermail_core::clock::{Clock, SystemClock};

use crate::community::{Community, Seed};
use crate::counts::Counts;
use crate::faults::{self, Faults};
use crate::gitlab::GitLab;
use crate::openid::Associations;
use crate::shifts::PageShifts;

/// The state behind all requests.
#[derive(Clone)]
pub struct Shared {
    state: Arc<Mutex<State>>,
    seed: Arc<Seed>,
    wadl: Arc<str>,
}

/// Everything that can change.
#[derive(Default)]
pub struct State {
    /// People and teams.
    pub community: Community,
    /// Faults of Launchpad.
    pub launchpad_faults: Faults<faults::Launchpad>,
    /// Faults of the provider.
    pub provider_faults: Faults<faults::Provider>,
    /// Changes between two pages of a team.
    pub shifts: PageShifts,
    /// Identifier roots that Launchpad accepts.
    pub roots: Roots,
    /// Keys that assertions are signed with.
    pub associations: Associations,
    /// Request counts.
    pub counts: Counts,
    /// Everything of GitLab.
    pub gitlab: GitLab,
}

/// The identifier roots that Launchpad accepts. launchpad.md, 4: its production configuration is not published, so
/// tests can set them.
#[derive(Clone, Debug)]
pub struct Roots(BTreeSet<String>);

impl Roots {
    /// Placeholder for the root of the fake itself, whose port is not known in advance.
    const OWN: &str = "own";

    /// Each root ends with a slash; `own` is the fake itself.
    pub fn new(roots: BTreeSet<String>) -> Self {
        Self(roots)
    }

    /// The last segment of a claimed identifier, if the text before it is exactly a root and `+id/` (launchpad.md, 4).
    pub fn identifier_of<'a>(&self, claimed_id: &'a str, own: &str) -> Option<&'a str> {
        let own = format!("{own}/");
        let mut roots = self.0.iter().map(|root| if root == Self::OWN { &own } else { root });
        roots.find_map(|root| claimed_id.strip_prefix(root)?.strip_prefix("+id/"))
    }
}

impl Default for Roots {
    fn default() -> Self {
        Self([Self::OWN, "https://login.launchpad.net/"].map(str::to_owned).into())
    }
}

impl Shared {
    /// The default community in its initial state.
    pub fn seeded() -> Self {
        Self::new(Seed::standard(SystemClock.now()), "")
    }

    /// A community in its initial state; `wadl` is Launchpad's description of its web service, or empty.
    pub fn new(seed: Seed, wadl: &str) -> Self {
        let gitlab = GitLab::seeded(seed.gitlab_members, seed.now);
        let state = State { community: Community::seeded(&seed), gitlab, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), seed: Arc::new(seed), wadl: wadl.into() }
    }

    /// Locks the state; do not hold the lock across an await.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Launchpad's own description of its web service, if there is one.
    pub fn wadl(&self) -> Option<&str> {
        Some(&*self.wadl).filter(|wadl| !wadl.is_empty())
    }

    /// Restores the initial community, without faults.
    pub fn reset(&self) {
        let community = Community::seeded(&self.seed);
        let mut state = self.lock();
        let mut counts = std::mem::take(&mut state.counts);
        counts.reset();
        let mut gitlab = std::mem::take(&mut state.gitlab);
        gitlab.reset(self.seed.gitlab_members, self.seed.now);
        *state = State { community, counts, gitlab, ..State::default() };
    }
}
