//! What both stand-ins share: the community, the switches, and what the provider has signed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use membermail_core::clock::{Clock, SystemClock};

use crate::community::{Community, Seed};
use crate::counts::Counts;
use crate::faults::{self, Faults};
use crate::provider::Associations;

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
    /// Who there is.
    pub community: Community,
    /// How Launchpad goes wrong.
    pub launchpad_faults: Faults<faults::Launchpad>,
    /// How the provider goes wrong.
    pub provider_faults: Faults<faults::Provider>,
    /// What assertions are signed with.
    pub associations: Associations,
    /// How many requests came.
    pub counts: Counts,
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

    /// Back to the start, with everybody as they were and nothing going wrong.
    pub fn reset(&self) {
        let community = Community::seeded(&self.seed);
        let mut state = self.lock();
        let mut counts = std::mem::take(&mut state.counts);
        counts.restart();
        *state = State { community, counts, ..State::default() };
    }
}
