//! Slots limit the number of concurrent runs, and thereby the requests to Launchpad. An SQS event source cannot be limited to
//! fewer than two concurrent invocations.
//!
//! An invocation without a slot first waits for a while, in case the other run ends soon. Then it sends its message again.
//! The wait also keeps such messages from cycling through the queue without delay.

use std::time::Duration;

use jiff::SignedDuration;
use membermail_core::clock::{Clock, later};
use membermail_core::random::{self, Random};
use membermail_store::{Slot, Store, StoreError};

/// The number of slots and the wait for one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotPolicy {
    /// Maximum concurrent runs of all domains together.
    pub(crate) slots: u32,
    /// Maximum wait of an invocation: short, since a run needs nearly the whole invocation.
    pub(crate) wait: Duration,
    /// Pause between two attempts.
    pub(crate) pause: Duration,
}

impl Default for SlotPolicy {
    fn default() -> Self {
        Self { slots: 1, wait: Duration::from_secs(20), pause: Duration::from_secs(1) }
    }
}

impl SlotPolicy {
    /// Acquires a slot for the time of a lease; `None` after the maximum wait.
    pub(crate) async fn acquire(
        &self,
        store: &Store,
        lease: SignedDuration,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<Option<Slot>, StoreError> {
        let mut waited = Duration::ZERO;
        loop {
            let now = clock.now();
            let slot = store.acquire_slot(self.slots, now, later(now, lease), random).await?;
            if slot.is_some() || waited >= self.wait {
                return Ok(slot);
            }
            tokio::time::sleep(self.pause).await;
            waited += self.pause;
        }
    }

    /// Delay in seconds of a message that got no slot: 30 to 60, with jitter.
    pub(crate) fn retry_delay(&self, random: &dyn Random) -> u16 {
        let [part] = random::bytes(random);
        30 + u16::from(part) * 30 / 255
    }
}
