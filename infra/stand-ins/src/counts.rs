//! How much was asked: for benchmarks, and for tests that nothing is asked twice.

use std::collections::BTreeMap;

use serde::Serialize;

/// Requests so far.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Counts {
    /// To Launchpad.
    pub launchpad: u64,
    /// To the provider.
    pub provider: u64,
    /// To Launchpad, by what was asked for.
    pub launchpad_kinds: BTreeMap<&'static str, u64>,
    /// To the provider, by what was asked for.
    pub provider_kinds: BTreeMap<&'static str, u64>,
    /// To Launchpad, just now.
    pub launchpad_in_flight: u64,
    /// To Launchpad, at once at most.
    pub launchpad_most_in_flight: u64,
}

impl Counts {
    /// One more to Launchpad, which is being answered now.
    pub fn begin_launchpad(&mut self) {
        self.launchpad += 1;
        self.launchpad_in_flight += 1;
        self.launchpad_most_in_flight = self.launchpad_most_in_flight.max(self.launchpad_in_flight);
    }

    /// What the one to Launchpad was for.
    pub fn launchpad_kind(&mut self, kind: &'static str) {
        *self.launchpad_kinds.entry(kind).or_default() += 1;
    }

    /// One more to the provider.
    pub fn provider(&mut self, kind: &'static str) {
        self.provider += 1;
        *self.provider_kinds.entry(kind).or_default() += 1;
    }

    /// Counts from zero again, except for requests that are being answered.
    pub fn restart(&mut self) {
        let flying = self.launchpad_in_flight;
        *self = Self { launchpad_in_flight: flying, launchpad_most_in_flight: flying, ..Self::default() };
    }
}
