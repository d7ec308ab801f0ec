//! Messages for digests that this instance sent and that the queue still hides. What is gathered before a message is shown
//! goes into its digest, so that no other has to be asked for.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use membermail_core::address::DomainName;

/// By domain: from when on, and until when at least.
#[derive(Default)]
pub(crate) struct Digests(Mutex<BTreeMap<DomainName, (Timestamp, Timestamp)>>);

impl Digests {
    /// A message was asked for at `since`, and the queue hides it until then at least.
    pub(crate) fn hide(&self, domain: &DomainName, since: Timestamp, until: Timestamp) {
        self.all().insert(domain.clone(), (since, until));
    }

    /// Whether a message of ours is certainly still hidden.
    pub(crate) fn is_hidden(&self, domain: &DomainName, now: Timestamp) -> bool {
        // A clock that was set back proves nothing.
        self.all().get(domain).is_some_and(|(since, until)| (*since..*until).contains(&now))
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<DomainName, (Timestamp, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
