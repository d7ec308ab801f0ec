//! Mail that a destination rejected.

use jiff::Timestamp;
use membermail_core::address::Address;
use membermail_core::destination::{DestinationId, Failures};
use membermail_core::member::MemberId;
use membermail_core::random::Random;
use membermail_core::status_code::StatusCode;

use super::next;
use crate::error::StoreError;
use crate::table::{Store, TRIES, pause};

/// The outcome of a report about a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailedDestination {
    /// The failure was recorded.
    Recorded {
        /// All failures.
        failures: Failures,
        /// Whether the destination is failing since this report.
        fails_now: bool,
    },
    /// Nothing changes.
    Unchanged,
}

impl Store {
    /// Records that a destination rejected mail to an address. A failure shortly after a test message counts as its result.
    pub async fn record_destination_failure(
        &self,
        (member, id): (MemberId, DestinationId),
        address: &Address,
        reply: &StatusCode,
        at: Timestamp,
        random: &dyn Random,
    ) -> Result<FailedDestination, StoreError> {
        let is_test = self.test_message(member, address).await?.is_some_and(|test| test.covers(at));
        for tried in 0..TRIES {
            let stored = self.destination(member, id).await?;
            let Some(stored) = stored.filter(|stored| stored.destination.is_usable()) else {
                return Ok(FailedDestination::Unchanged);
            };
            let before = stored.destination.failures.as_ref();
            let Some(failures) = Failures::register(before, reply.clone(), at, is_test) else {
                return Ok(FailedDestination::Unchanged);
            };
            let failed_before = before.is_some_and(|before| before.is_failing(at));
            let changed = next(&stored, |destination| destination.failures = Some(failures.clone()));
            if self.write(changed.put()?).await? {
                let fails_now = failures.is_failing(at) && !failed_before;
                return Ok(FailedDestination::Recorded { failures, fails_now });
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }
}
