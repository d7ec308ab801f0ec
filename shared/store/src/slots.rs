//! A semaphore for runs: how many runs of all domains together may ask the membership source at the same time. A slot is a
//! lease, so an invocation that dies blocks its slot only until the lease ends.

use jiff::Timestamp;
use membermail_core::clock::micros;
use membermail_core::random::{self, Random};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::table::{Store, Write, item_not_exists, path};

/// A slot that one invocation holds.
#[derive(Debug)]
#[must_use = "a slot that is not released stays occupied until its lease ends"]
pub struct Slot {
    index: u32,
    holder: String,
}

#[derive(Serialize, Deserialize)]
struct Held {
    holder: String,
    #[serde(with = "micros")]
    until: Timestamp,
}

impl Store {
    /// Acquires one of `slots` slots until that time, if one is free. Each call is a separate holder, so that two
    /// deliveries of one message do not share a slot.
    pub async fn acquire_slot(
        &self,
        slots: u32,
        now: Timestamp,
        until: Timestamp,
        random: &dyn Random,
    ) -> Result<Option<Slot>, StoreError> {
        let holder = format!("{:032x}", u128::from_be_bytes(random::bytes(random)));
        let is_free = item_not_exists().or(path("until").le(now.as_microsecond()));
        for index in 0..slots {
            let put = Write::put(&keys::slot(index), &Held { holder: holder.clone(), until })?.expires(until);
            if self.write(put.when(is_free.clone())).await? {
                return Ok(Some(Slot { index, holder }));
            }
        }
        Ok(None)
    }

    /// Releases a slot, unless its lease ended and it has another holder by now.
    pub async fn release_slot(&self, slot: Slot) -> Result<(), StoreError> {
        let delete = Write::delete(&keys::slot(slot.index)).when(path("holder").eq(slot.holder));
        self.write(delete).await.map(drop)
    }
}
