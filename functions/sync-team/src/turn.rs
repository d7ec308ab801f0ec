//! The turn of a run: a bound on the requests to Launchpad that is smaller than the two invocations at a time that an event
//! source of SQS has at least.
//!
//! An invocation without a slot waits a little, so that it goes on at once when the other one ends. After that it sends its
//! message again. Each message without a slot thereby takes as long as the wait, and the queue does not spin.

use std::time::Duration;

use jiff::SignedDuration;
use membermail_core::clock::{Clock, later};
use membermail_core::random::{self, Random};
use membermail_store::{Slot, Store, StoreError};

/// How a run gets its turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turns {
    /// Runs at the same time, of all domains together.
    pub(crate) slots: u32,
    /// The time that an invocation waits for a slot: short, since a run needs nearly all the time of an invocation.
    pub(crate) wait: Duration,
    /// The pause between two tries.
    pub(crate) pause: Duration,
}

impl Default for Turns {
    fn default() -> Self {
        Self { slots: 1, wait: Duration::from_secs(20), pause: Duration::from_secs(1) }
    }
}

impl Turns {
    /// Takes a slot for the time of a lease, or returns none when the wait is over.
    pub(crate) async fn take(
        &self,
        store: &Store,
        lease: SignedDuration,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<Option<Slot>, StoreError> {
        let mut waited = Duration::ZERO;
        loop {
            let now = clock.now();
            let slot = store.take_slot(self.slots, now, later(now, lease), random).await?;
            if slot.is_some() || waited >= self.wait {
                return Ok(slot);
            }
            tokio::time::sleep(self.pause).await;
            waited += self.pause;
        }
    }

    /// Seconds until a message that got no slot comes again: half a minute to a minute.
    pub(crate) fn delay(&self, random: &dyn Random) -> u16 {
        let [part] = random::bytes(random);
        30 + u16::from(part) * 30 / 255
    }
}
