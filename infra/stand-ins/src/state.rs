//! What both stand-ins share: the people, the switches, and the assertions that are not yet verified.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::people::People;

/// The state behind all requests.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<State>>);

/// Everything that can change.
#[derive(Default)]
pub struct State {
    /// Who there is.
    pub people: People,
    /// What goes wrong, by the key of the person that it goes wrong for.
    pub faults: BTreeMap<String, Fault>,
    /// The keys of handles that were given out and not yet used.
    pub handles: BTreeMap<String, [u8; 32]>,
    /// How many requests came.
    pub counts: Counts,
    /// How many handles were given out.
    pub issued: u64,
}

/// Requests so far.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Counts {
    /// To Launchpad.
    pub launchpad: u64,
    /// To the provider.
    pub provider: u64,
}

/// How Launchpad's answers about a person go wrong.
#[derive(Clone, Debug, Deserialize)]
pub struct Fault {
    /// The next so many answers only.
    #[serde(default)]
    pub count: Option<u32>,
    /// In which way.
    #[serde(flatten)]
    pub kind: Kind,
}

/// The ways.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// Another status than 200.
    Status {
        /// The status.
        status: u16,
    },
    /// Late.
    Slow {
        /// So late.
        millis: u64,
    },
    /// No JSON.
    Malformed,
    /// A person without `is_valid`.
    MissingFlag,
    /// The connection breaks within the body.
    CutShort,
    /// A list that goes on at another host.
    ForeignLink,
    /// A list that goes on with the page that it came from.
    RepeatedLink,
    /// A list that is shorter than it says.
    WrongTotal,
    /// An answer that is elsewhere.
    Redirect,
}

impl Kind {
    /// How long it waits first.
    pub fn delay(&self) -> Duration {
        match self {
            Self::Slow { millis } => Duration::from_millis(*millis),
            _ => Duration::ZERO,
        }
    }
}

impl Shared {
    /// The community at its start.
    pub fn seeded() -> Self {
        Self(Arc::new(Mutex::new(State { people: People::seeded(), ..State::default() })))
    }

    /// The state, for a moment without waiting in between.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The fault that the next answer about this person has.
    pub fn next_fault(&mut self, key: &str) -> Option<Kind> {
        let fault = self.faults.get_mut(key)?;
        let kind = fault.kind.clone();
        if let Some(count) = &mut fault.count {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.faults.remove(key);
            }
        }
        Some(kind)
    }
}
