//! The pins of the community's teams, cached for a minute: they change once in years, and every check needs them.
//!
//! A cached pin only lets pass. An outcome that is not "eligible", or that a pin had a part in, is decided by pins read at
//! that moment, so that a stale pin never refuses a member. It grants nothing to a team with a problem either: the grant's own
//! transaction is conditional on the domain.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::community::Community;
use membermail_core::eligibility::{Outcome, Standing, TeamPin, decide};
use membermail_store::{Store, StoreError};

const FRESH: SignedDuration = SignedDuration::from_mins(1);

type All = BTreeMap<DomainName, TeamPin>;

/// What was last read, and when.
#[derive(Default)]
pub(crate) struct Pins(Mutex<Option<(Timestamp, All)>>);

impl Pins {
    /// The outcome for a person whom only teams can refuse.
    pub(crate) async fn decide(
        &self,
        standing: &Standing,
        community: &Community,
        store: &Store,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let by = |pins: &All| decide(false, standing, community, pins);
        if let Some(pins) = self.cached(now) {
            let outcome = by(&pins);
            if matches!(outcome, Outcome::Eligible { .. }) && outcome == by(&All::new()) {
                return Ok(outcome);
            }
        }
        let pins = store.team_pins(community.domain_names()).await?;
        let outcome = by(&pins);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, pins));
        Ok(outcome)
    }

    fn cached(&self, now: Timestamp) -> Option<All> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read, pins) = known.as_ref()?;
        // A clock that was set back must not keep them for longer.
        let is_fresh = (SignedDuration::ZERO..FRESH).contains(&now.duration_since(*read));
        is_fresh.then(|| pins.clone())
    }
}
