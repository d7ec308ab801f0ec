//! Rate limits: counters of fixed windows, which expire by themselves.

use jiff::{SignedDuration, Timestamp};
use membermail_core::clock::later;

use crate::error::StoreError;
use crate::keys;
use crate::table::{Store, Update, Write, path};

/// A limit of uses within a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The name, which is part of the key.
    pub name: &'static str,
    /// Maximum uses within the window.
    pub uses: u32,
    /// The length of the window.
    pub window: SignedDuration,
}

impl Store {
    /// Counts a use by `subject`. Returns false if the limit is reached; the use is not counted then.
    pub async fn count_use(&self, limit: RateLimit, subject: &str, now: Timestamp) -> Result<bool, StoreError> {
        let seconds = limit.window.as_secs().max(1);
        let window = now.as_second().div_euclid(seconds);
        let key = keys::rate_limit(limit.name, subject, window);
        let expires = later(now, limit.window).as_second() + seconds;
        let count = path("count");
        let is_below = count.not_exists().or(count.lt(u64::from(limit.uses)));
        let update = Update::new().count("count").set("expires", expires);
        self.write(Write::update(&key, update).when(is_below)).await
    }
}
