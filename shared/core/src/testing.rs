//! Values for unit tests.

use jiff::{SignedDuration, Timestamp};

use crate::address::Address;
use crate::alias::{Alias, Reason, Status};
use crate::audit::{Actor, Cause, Change, Entry};
use crate::member::{Fingerprint, MemberId, ObservedName};
use crate::random::CountingRandom;

pub(crate) const ACTIVE: Status = Status::Active;
pub(crate) const LEAVING: Status = Status::Leaving;
pub(crate) const OFF: Status = Status::Suspended;
pub(crate) const GONE: Status = Status::Retired;

pub(crate) fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

pub(crate) fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

pub(crate) fn address(text: &str) -> Address {
    text.to_owned().try_into().unwrap()
}

/// Different members, the same in each call.
pub(crate) fn members<const N: usize>() -> [MemberId; N] {
    let random = CountingRandom::default();
    [(); N].map(|()| MemberId::new(Timestamp::UNIX_EPOCH, &random))
}

pub(crate) fn observed(name: &str, fingerprint: i64, observed_at: Timestamp) -> ObservedName {
    ObservedName { name: name.parse().unwrap(), fingerprint: Fingerprint(fingerprint), observed_at }
}

/// The alias of the first of [`members`], in its third version since 1970.
pub(crate) fn alias(status: Status, reason: Reason) -> Alias {
    let [member] = members();
    Alias {
        address: address("alice@ubuntu.com"),
        member,
        known_as: observed("alice", 1, Timestamp::UNIX_EPOCH),
        status,
        reason,
        since: Timestamp::UNIX_EPOCH,
        until: None,
        version: 3,
        erase_pending: false,
    }
}

/// The entry of a change that a sync made at that time.
pub(crate) fn entry_at(now: Timestamp, change: Change) -> Entry {
    let cause = Cause { actor: Actor::Sync, by: None, request_id: "request-1", now };
    Entry::new(change, cause, &CountingRandom::default())
}

pub(crate) fn entry(change: Change) -> Entry {
    entry_at(now(), change)
}

/// The change of an alias, whose grace period ends at once.
pub(crate) fn alias_change(before: Option<Status>, after: Status, reason: Reason) -> Change {
    let [member] = members();
    let address = address("alice@ubuntu.com");
    Change::Alias { member, address, before, after, reason, until: Some(now()), renamed_from: None }
}
