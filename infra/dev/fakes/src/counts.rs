//! Request counts, for benchmarks and for tests that expect no repeated requests.

use std::collections::BTreeMap;

use serde::Serialize;

/// Request counts.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Counts {
    /// Requests to Launchpad.
    pub launchpad: u64,
    /// Requests to the provider.
    pub provider: u64,
    /// Requests to Launchpad, by kind.
    pub launchpad_kinds: BTreeMap<&'static str, u64>,
    /// Requests to the provider, by kind.
    pub provider_kinds: BTreeMap<&'static str, u64>,
    /// Requests to Launchpad in flight.
    pub launchpad_in_flight: u64,
    /// Maximum of concurrent requests to Launchpad.
    pub launchpad_max_in_flight: u64,
    /// Requests to GitLab's API, by kind.
    pub gitlab_kinds: BTreeMap<&'static str, u64>,
    /// Requests to GitLab's provider, by kind.
    pub gitlab_oauth_kinds: BTreeMap<&'static str, u64>,
    /// Requests to GitLab's API in flight.
    pub gitlab_in_flight: u64,
    /// Maximum of concurrent requests to GitLab's API.
    pub gitlab_max_in_flight: u64,
}

impl Counts {
    /// Counts a request to Launchpad that is now in flight.
    pub fn start_launchpad_request(&mut self) {
        self.launchpad += 1;
        self.launchpad_in_flight += 1;
        self.launchpad_max_in_flight = self.launchpad_max_in_flight.max(self.launchpad_in_flight);
    }

    /// Counts the kind of a request to Launchpad.
    pub fn count_launchpad_kind(&mut self, kind: &'static str) {
        *self.launchpad_kinds.entry(kind).or_default() += 1;
    }

    /// Counts a request to the provider.
    pub fn count_provider(&mut self, kind: &'static str) {
        self.provider += 1;
        *self.provider_kinds.entry(kind).or_default() += 1;
    }

    /// Counts a request to GitLab's API that is now in flight.
    pub fn start_gitlab_request(&mut self, kind: &'static str) {
        *self.gitlab_kinds.entry(kind).or_default() += 1;
        self.gitlab_in_flight += 1;
        self.gitlab_max_in_flight = self.gitlab_max_in_flight.max(self.gitlab_in_flight);
    }

    /// Counts a request to GitLab's provider.
    pub fn count_gitlab_oauth(&mut self, kind: &'static str) {
        *self.gitlab_oauth_kinds.entry(kind).or_default() += 1;
    }

    /// Resets the counts, except for requests in flight.
    pub fn reset(&mut self) {
        let (launchpad, gitlab) = (self.launchpad_in_flight, self.gitlab_in_flight);
        *self = Self {
            launchpad_in_flight: launchpad,
            launchpad_max_in_flight: launchpad,
            gitlab_in_flight: gitlab,
            gitlab_max_in_flight: gitlab,
            ..Self::default()
        };
    }
}
