//! The state that both fakes share: the community, the switches, and the keys that the provider signs with.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use membermail_core::clock::{Clock, SystemClock};

use crate::community::{Community, Seed};
use crate::counts::Counts;
use crate::faults::{self, Faults};
use crate::provider::Associations;
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
    /// How Launchpad goes wrong.
    pub launchpad_faults: Faults<faults::Launchpad>,
    /// How the provider goes wrong.
    pub provider_faults: Faults<faults::Provider>,
    /// Changes between two pages of a team.
    pub shifts: PageShifts,
    /// The roots of identifiers that Launchpad knows.
    pub roots: Roots,
    /// Keys that assertions are signed with.
    pub associations: Associations,
    /// How many requests came.
    pub counts: Counts,
}

/// The roots of identifiers that Launchpad is configured with. launchpad.md, 4: which ones is not in the source, so a
/// test can set them.
#[derive(Clone, Debug)]
pub struct Roots(BTreeSet<String>);

impl Roots {
    /// The word for the root of the fake itself, whose port a test does not choose.
    const OWN: &str = "own";

    /// These, with a slash at the end of each; `own` is the fake itself.
    pub fn new(roots: BTreeSet<String>) -> Self {
        Self(roots)
    }

    /// The end of an identifier. launchpad.md, 4: the text before it is, letter by letter, a root and `+id/`.
    pub fn word_of<'a>(&self, identifier: &'a str, own: &str) -> Option<&'a str> {
        let own = format!("{own}/");
        let mut roots = self.0.iter().map(|root| if root == Self::OWN { &own } else { root });
        roots.find_map(|root| identifier.strip_prefix(root)?.strip_prefix("+id/"))
    }
}

impl Default for Roots {
    fn default() -> Self {
        Self([Self::OWN, "https://login.launchpad.net/"].map(str::to_owned).into())
    }
}

impl Shared {
    /// The usual community at its start.
    pub fn seeded() -> Self {
        Self::new(Seed::usual(SystemClock.now()), "")
    }

    /// A community at its start; the second is Launchpad's description of its web service, or empty.
    pub fn new(seed: Seed, wadl: &str) -> Self {
        let state = State { community: Community::seeded(&seed), ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), seed: Arc::new(seed), wadl: wadl.into() }
    }

    /// The state, for a moment without waiting in between.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Launchpad's own description of its web service, if there is one.
    pub fn wadl(&self) -> Option<&str> {
        Some(&*self.wadl).filter(|wadl| !wadl.is_empty())
    }

    /// Back to the start, with all people as they were and no faults.
    pub fn reset(&self) {
        let community = Community::seeded(&self.seed);
        let mut state = self.lock();
        let mut counts = std::mem::take(&mut state.counts);
        counts.restart();
        *state = State { community, counts, ..State::default() };
    }
}
