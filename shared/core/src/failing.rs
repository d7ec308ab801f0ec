//! Addresses whose destination rejects mail: what is recorded of the failures, how long it counts, and when the member is
//! notified.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::alias::Alias;
use crate::clock::later;
use crate::expiry::{Expired, is_from_future};
use crate::status_code::{FailureKind, StatusCode};

/// An address without a failure for this long works again. Also the maximum age of a report.
pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 14);
/// Minimum time between two notices about the same address.
pub const NOTICE_INTERVAL: SignedDuration = SignedDuration::from_hours(24 * 7);

/// The failures of one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// The first failure.
    pub since: Timestamp,
    /// The last failure.
    pub last: Timestamp,
    /// The status of the last failure.
    pub reply: StatusCode,
    /// The number of failures.
    pub count: u64,
    /// When the member was last notified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notified: Option<Timestamp>,
}

impl Failing {
    /// The record after a failure at `at`. Only a later failure than the recorded one counts, so a repeated report does not.
    /// None if nothing changes.
    pub fn register(previous: Option<&Self>, alias: &Alias, reply: StatusCode, at: Timestamp) -> Option<Self> {
        if at < alias.since {
            return None;
        }
        match previous.filter(|previous| previous.counts_at(alias, at)) {
            Some(previous) if at <= previous.last => None,
            Some(previous) => Some(Self { last: at, reply, count: previous.count + 1, ..previous.clone() }),
            None => Some(Self { since: at, last: at, reply, count: 1, notified: None }),
        }
    }

    /// Whether the destination of the alias rejects mail now, as far as we know.
    pub fn is_current(&self, alias: &Alias, now: Timestamp) -> bool {
        alias.status.forwards() && self.counts_at(alias, now)
    }

    /// A change of the alias can have changed its destination, so failures before it no longer count.
    fn counts_at(&self, alias: &Alias, now: Timestamp) -> bool {
        self.last >= alias.since && later(self.last, REMEMBERED) >= now
    }

    /// Whether the member is to be notified. Not about a refused message: a stranger could cause such notices by sending spam
    /// to members.
    pub fn is_notice_due(&self, now: Timestamp) -> bool {
        let is_about_message = self.reply.kind() == FailureKind::Message;
        !is_about_message && self.notified.is_none_or(|notified| later(notified, NOTICE_INTERVAL) <= now)
    }
}

/// Checks whether a report of a failure at `at` still counts.
pub fn check_report(at: Timestamp, now: Timestamp) -> Result<(), Expired> {
    if is_from_future(at, now) {
        return Err(Expired::FromFuture);
    }
    if later(at, REMEMBERED) < now {
        return Err(Expired::TooOld);
    }
    Ok(())
}

#[cfg(test)]
#[path = "failing_tests.rs"]
mod tests;
