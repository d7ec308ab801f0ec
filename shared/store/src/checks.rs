//! Checks of members against the membership source: their progress, and the in-flight lease that makes them single-flight.

use jiff::{SignedDuration, Timestamp};
use membermail_core::clock::later;
use membermail_core::member::MemberId;
use serde::Deserialize;

use crate::error::StoreError;
use crate::keys;
use crate::members::Member;
use crate::table::{Store, Update, Updated, Write, decode, item_exists, path};

/// The outcome of claiming a check: single-flight per member, by an in-flight lease.
#[derive(Clone, Debug)]
pub enum CheckStart {
    /// The caller holds the lease and checks the member as they are now.
    Started(Box<Member>),
    /// The message is stale: there is a newer request.
    Stale,
    /// The message was delivered again: this request has its outcome.
    AlreadyDone(Box<Member>),
    /// Another check of the member is in flight or has just ended; retry at `until`.
    Busy {
        /// When the lease or the pause ends.
        until: Timestamp,
    },
    /// The member does not exist.
    NoMember,
}

#[derive(Deserialize)]
struct InFlight {
    /// The end of the lease, in seconds since 1970.
    #[serde(default)]
    check_until: i64,
    /// The request that the last outcome belongs to.
    #[serde(default)]
    checked_for: Option<Timestamp>,
}

impl Store {
    /// Requests a check; the caller sends the message with `now` as its `requested_at`.
    pub async fn request_check(&self, id: MemberId, now: Timestamp) -> Result<(), StoreError> {
        let update = Update::new().set("state", "pending").set("requested_at", now.to_string());
        self.update_member(id, update).await
    }

    /// Begins the check that was requested at that time, unless it is stale or another is in flight. Two consecutive checks
    /// are at least `pause` apart, so that many sign-ins cause one or two look-ups.
    pub async fn begin_check(
        &self,
        id: MemberId,
        requested_at: Timestamp,
        now: Timestamp,
        lease: SignedDuration,
        pause: SignedDuration,
    ) -> Result<CheckStart, StoreError> {
        let requested = requested_at.to_string();
        let checked_for = path("checked_for");
        let check_until = path("check_until");
        let checked_at = path("checked_at");
        let is_open = checked_for.not_exists().or(checked_for.ne(requested.as_str()));
        let has_no_lease = check_until.not_exists().or(check_until.le(now.as_second()));
        let is_quiet = checked_at.not_exists().or(checked_at.le(later(now, -pause).as_microsecond()));
        let condition = path("requested_at").eq(requested).and(is_open).and(has_no_lease).and(is_quiet);
        let update = Update::new().set("check_until", later(now, lease).as_second()).set("state", "pending");
        let item = match self.update_and_load(&keys::profile(id), update, Some(condition)).await? {
            Updated::Done(item) => return Ok(CheckStart::Started(Box::new(decode(item)?))),
            Updated::ConditionFailed(Some(item)) => item,
            Updated::ConditionFailed(None) => return Ok(CheckStart::NoMember),
        };
        let InFlight { check_until, checked_for } = decode(item.clone())?;
        let member: Member = decode(item)?;
        if checked_for == Some(requested_at) {
            return Ok(CheckStart::AlreadyDone(Box::new(member)));
        }
        if member.check.requested_at != requested_at {
            return Ok(CheckStart::Stale);
        }
        let in_flight = Timestamp::from_second(check_until).unwrap_or(now);
        let quiet = member.check.checked_at.map_or(now, |checked_at| later(checked_at, pause));
        Ok(CheckStart::Busy { until: in_flight.max(quiet) })
    }

    /// Releases the in-flight lease after a check without an outcome, so that the retry need not wait for its end.
    pub async fn end_check(&self, id: MemberId) -> Result<(), StoreError> {
        self.update_member(id, Update::new().remove("check_until")).await
    }

    pub(crate) async fn update_member(&self, id: MemberId, update: Update) -> Result<(), StoreError> {
        let update = Write::update(&keys::profile(id), update).when(item_exists());
        if self.write(update).await? {
            return Ok(());
        }
        Err(StoreError::Refused("the member does not exist".to_owned()))
    }

    /// Records that the membership source does not answer and the queue retries, unless the check has an outcome.
    pub async fn record_delay(&self, id: MemberId) -> Result<(), StoreError> {
        self.change_state(id, ["pending", "given-up"], "delayed").await
    }

    /// Records that the queue has stopped retrying, unless the check has an outcome.
    pub async fn record_given_up(&self, id: MemberId) -> Result<(), StoreError> {
        self.change_state(id, ["pending", "delayed"], "given-up").await
    }

    async fn change_state(&self, id: MemberId, from: [&str; 2], to: &str) -> Result<(), StoreError> {
        let update = Write::update(&keys::profile(id), Update::new().set("state", to));
        self.write(update.when(path("state").is_in(from))).await.map(drop)
    }
}
