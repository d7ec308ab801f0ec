//! Digest messages that this instance sent and that SQS still delays. A change that is recorded before the message becomes
//! visible is part of its digest, so no other digest needs to be requested.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use membermail_core::address::DomainName;

/// By domain: when the message was requested, and until when it is delayed at least.
#[derive(Default)]
pub(crate) struct PendingDigests(Mutex<BTreeMap<DomainName, (Timestamp, Timestamp)>>);

impl PendingDigests {
    /// Records a message that was requested at `since` and is delayed until `until` at least.
    pub(crate) fn record(&self, domain: &DomainName, since: Timestamp, until: Timestamp) {
        self.lock().insert(domain.clone(), (since, until));
    }

    /// Whether a message of this instance is certainly still delayed.
    pub(crate) fn is_pending(&self, domain: &DomainName, now: Timestamp) -> bool {
        // `now` before `since` means that the clock was set back, so nothing is certain.
        self.lock().get(domain).is_some_and(|(since, until)| (*since..*until).contains(&now))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<DomainName, (Timestamp, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
