//! A cache of the team pins (TTL one minute): every check needs them, and they rarely change.
//!
//! Cached pins are used only for the outcome "eligible" that does not depend on them. Every other outcome is decided with
//! pins that were just read, so a stale pin never refuses a member. It grants nothing either: the transaction of the grant
//! is conditional on the domain.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::community::Community;
use membermail_core::eligibility::{Outcome, Standing, TeamPin, decide};
use membermail_store::{Store, StoreError};

const CACHE_TTL: SignedDuration = SignedDuration::from_mins(1);

type Pins = BTreeMap<DomainName, TeamPin>;

/// The pins with the time of reading.
#[derive(Default)]
pub(crate) struct PinCache(Mutex<Option<(Timestamp, Pins)>>);

impl PinCache {
    /// Decides on a person who meets all conditions except for the team.
    pub(crate) async fn decide(
        &self,
        standing: &Standing,
        community: &Community,
        store: &Store,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let decide_with = |pins: &Pins| decide(false, standing, community, pins);
        if let Some(pins) = self.cached(now) {
            let outcome = decide_with(&pins);
            if matches!(outcome, Outcome::Eligible { .. }) && outcome == decide_with(&Pins::new()) {
                return Ok(outcome);
            }
        }
        let pins = store.team_pins(community.domain_names()).await?;
        let outcome = decide_with(&pins);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, pins));
        Ok(outcome)
    }

    fn cached(&self, now: Timestamp) -> Option<Pins> {
        let cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, pins) = cached.as_ref()?;
        // A negative age means that the clock was set back, which must not extend the TTL.
        let is_fresh = (SignedDuration::ZERO..CACHE_TTL).contains(&now.duration_since(*read_at));
        is_fresh.then(|| pins.clone())
    }
}
