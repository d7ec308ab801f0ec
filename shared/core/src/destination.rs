//! Destinations: the mailboxes that a member's addresses forward to, and when mail goes there.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::address::DomainName;
use crate::alias::Pause;
use crate::clock::later;
use crate::community::Community;
use crate::email::EmailAddress;
use crate::member;
use crate::random::Random;
use crate::status_code::{FailureKind, StatusCode};

/// Destinations of an alias at most.
pub const MAX_PER_ALIAS: usize = 5;
/// Destinations of a member at most, without removed ones.
pub const MAX_PER_MEMBER: usize = 10;
/// How long a confirmation code is valid.
pub const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(30);
/// Wrong codes after which a confirmation has to be requested again.
pub const MAX_ATTEMPTS: u32 = 5;
/// How long senders are asked to try again while no destination is confirmed.
pub const UNCONFIRMED_GRACE: SignedDuration = SignedDuration::from_hours(3 * 24);
/// How long the owner of an old destination can revert a change.
pub const UNDO_PERIOD: SignedDuration = SignedDuration::from_hours(72);
/// Maximum age of the sign-in for a sensitive change.
pub const FRESH_SIGN_IN: SignedDuration = SignedDuration::from_mins(10);
/// How long a member can restore an address that they deleted.
pub const RESTORE_PERIOD: SignedDuration = SignedDuration::from_hours(30 * 24);
/// A destination that rejects mail for this long is failing.
const FAILING_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// A destination without a failure for this long works again.
const FAILURES_REMEMBERED: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The id of a destination. It says nothing about the mailbox, so that messages and forms can contain it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DestinationId(Ulid);

impl DestinationId {
    /// A new id that sorts by the time it was made.
    pub fn new(now: Timestamp, random: &dyn Random) -> Self {
        Self(member::ulid(now, random))
    }

    /// Reads the 26 characters of a ULID.
    pub fn parse(text: &str) -> Option<Self> {
        Ulid::from_string(text).ok().map(Self)
    }
}

impl fmt::Display for DestinationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A destination without its sealed address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The id.
    pub id: DestinationId,
    /// When the member added it.
    pub created: Timestamp,
    /// How and when it was confirmed; mail goes to confirmed destinations only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Confirmation>,
    /// The pending confirmation, at most one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// Rejected mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failures: Option<Failures>,
    /// When the member removed it. It is kept for [`UNDO_PERIOD`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Timestamp>,
    /// Starts at 1 and grows with each change; every write is conditional on it (optimistic locking).
    pub version: u64,
}

/// How and when a destination was confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The time.
    pub at: Timestamp,
    /// What confirmed it.
    pub by: ConfirmedBy,
}

/// How a destination was confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ConfirmedBy {
    /// The sign-in provider asserted it, and the community file says `trust-email`.
    Provider,
    /// The member entered the code that was sent there.
    Code,
}

/// A confirmation that was requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// A new id for each request: the code depends on it.
    pub id: Ulid,
    /// When the member requested it.
    pub requested_at: Timestamp,
    /// Codes that were entered.
    pub attempts: u32,
    /// The member's session epoch at the request: after all sessions ended, the code is void.
    pub epoch: u64,
    /// Whether all addresses of the member forward to this destination alone, once it is confirmed.
    pub replaces: bool,
}

impl Pending {
    /// Whether a code can still be entered.
    pub fn is_open(&self, epoch: u64, now: Timestamp) -> bool {
        self.epoch == epoch && self.attempts < MAX_ATTEMPTS && now < later(self.requested_at, CODE_LIFETIME)
    }
}

/// Mail that a destination rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// The first failure.
    pub since: Timestamp,
    /// The last failure.
    pub last: Timestamp,
    /// The status of the last failure.
    pub reply: StatusCode,
    /// The number of failures.
    pub count: u64,
    /// Whether a test message failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed_test: bool,
}

impl Failures {
    /// The record after a failure. Only a later failure than the recorded one counts, so a repeated report does not. A
    /// refused message says nothing about the mailbox, except for our own test message. None if nothing changes.
    pub fn register(previous: Option<&Self>, reply: StatusCode, at: Timestamp, is_test: bool) -> Option<Self> {
        if reply.kind() == FailureKind::Message && !is_test {
            return None;
        }
        match previous.filter(|previous| later(previous.last, FAILURES_REMEMBERED) >= at) {
            Some(previous) if at <= previous.last => None,
            Some(previous) => Some(Self {
                since: previous.since,
                last: at,
                reply,
                count: previous.count + 1,
                failed_test: previous.failed_test || is_test,
            }),
            None => Some(Self { since: at, last: at, reply, count: 1, failed_test: is_test }),
        }
    }

    /// Whether the destination is failing: it rejected mail for a day, or a test message.
    pub fn is_failing(&self, now: Timestamp) -> bool {
        let is_remembered = later(self.last, FAILURES_REMEMBERED) >= now;
        is_remembered && (self.failed_test || later(self.since, FAILING_AFTER) <= self.last)
    }
}

/// What a destination is good for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum DestinationState {
    /// No mail goes there yet.
    Unconfirmed,
    /// Mail goes there.
    Confirmed,
    /// Mail goes there and is rejected.
    Failing,
}

impl Destination {
    /// A new destination; a trusted one is confirmed by the sign-in provider.
    pub fn new(id: DestinationId, is_trusted: bool, now: Timestamp) -> Self {
        let confirmed = is_trusted.then_some(Confirmation { at: now, by: ConfirmedBy::Provider });
        Self { id, created: now, confirmed, pending: None, failures: None, removed: None, version: 1 }
    }

    /// Whether mail goes there.
    pub fn is_usable(&self) -> bool {
        self.confirmed.is_some() && self.removed.is_none()
    }

    /// The state to show.
    pub fn state(&self, now: Timestamp) -> DestinationState {
        match &self.failures {
            _ if self.confirmed.is_none() => DestinationState::Unconfirmed,
            Some(failures) if failures.is_failing(now) => DestinationState::Failing,
            _ => DestinationState::Confirmed,
        }
    }
}

/// What happens with mail to an active alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// It goes to all of these.
    To(Vec<&'a Destination>),
    /// The member has paused the alias.
    Paused {
        /// Whether senders get a permanent refusal.
        is_permanent: bool,
    },
    /// No destination is confirmed: a temporary refusal until then, and a permanent one afterwards.
    Unconfirmed {
        /// The end of [`UNCONFIRMED_GRACE`].
        until: Timestamp,
    },
}

/// Decides on mail to an active alias with these destinations.
pub fn route<'a>(pause: Option<Pause>, destinations: impl IntoIterator<Item = &'a Destination>) -> Route<'a> {
    if let Some(Pause { is_permanent, .. }) = pause {
        return Route::Paused { is_permanent };
    }
    let (usable, others): (Vec<_>, Vec<_>) = destinations.into_iter().partition(|known| known.is_usable());
    if !usable.is_empty() {
        return Route::To(usable);
    }
    let waiting = others.into_iter().filter(|known| known.removed.is_none());
    let until = waiting.map(|known| later(known.created, UNCONFIRMED_GRACE)).max();
    Route::Unconfirmed { until: until.unwrap_or(Timestamp::MIN) }
}

/// Domains in which no destination can be: mail would come back to us.
#[derive(Clone, Debug, Default)]
pub struct OwnDomains {
    /// The domains of the community.
    pub community: Vec<DomainName>,
    /// The names of the mail host, and its return-path domains.
    pub mail_hosts: Vec<DomainName>,
}

/// Why an address cannot be a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Unsuitable {
    /// In a domain of the community, or below one.
    #[error("in a domain of the community")]
    Community,
    /// In a domain of the mail host, or below one.
    #[error("in a domain of the mail host")]
    MailHost,
    /// The domain accepts no mail (null MX, RFC 7505).
    #[error("in a domain that accepts no mail")]
    NullMx,
}

impl OwnDomains {
    /// The domains of a community and of its mail hosts.
    pub fn of(community: &Community) -> Self {
        Self { community: community.domain_names().cloned().collect(), mail_hosts: community.mail_hosts.clone() }
    }

    /// Checks the domain of an address.
    pub fn check(&self, address: &EmailAddress) -> Result<(), Unsuitable> {
        if self.community.iter().any(|own| is_within(address.domain(), own)) {
            return Err(Unsuitable::Community);
        }
        if self.mail_hosts.iter().any(|own| is_within(address.domain(), own)) {
            return Err(Unsuitable::MailHost);
        }
        Ok(())
    }
}

/// Whether a domain is `own` or below it. Both are in lower case.
pub fn is_within(domain: &str, own: &DomainName) -> bool {
    domain.strip_suffix(own.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
#[path = "destination_tests.rs"]
mod tests;
