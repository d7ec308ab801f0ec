//! Claims on notices, so that each is sent once, and the counts of repeated failures.

use jiff::{SignedDuration, Timestamp};
use membermail_core::clock::later;
use membermail_core::message::Failure;
use membermail_core::notice::{NoticeId, Repeats, ReportAction};
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::table::{Store, TRIES, Write, item_not_exists, path, pause};

/// Longer than any queue keeps a message, so that no repeat comes later.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);
/// The in-flight lease: longer than a function may run, so that an older claim belongs to a dead invocation.
const LEASE: SignedDuration = SignedDuration::from_secs(90);

/// The outcome of claiming a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The caller has the claim, and sends the notice.
    Mine,
    /// Another invocation has the claim; retry later.
    Busy,
    /// The mail server has accepted the notice.
    Sent,
    /// The mail server has rejected the notice permanently.
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Sending,
    Sent,
    Refused,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    state: State,
    /// In seconds since 1970, which conditions can compare. After the lease, the time at which the notice was settled.
    lease_until: i64,
}

/// The final state of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The notice.
    pub id: NoticeId,
    /// Whether the mail server accepted it; otherwise it rejected it permanently.
    pub is_sent: bool,
}

impl Store {
    /// Claims a notice before it is sent.
    pub async fn claim_notice(&self, id: &NoticeId, now: Timestamp) -> Result<Claim, StoreError> {
        let key = keys::notice(id);
        let stored = Stored { state: State::Sending, lease_until: later(now, LEASE).as_second() };
        let has_dead_claim = path("state").eq("sending").and(path("lease_until").le(now.as_second()));
        let put = Write::put(&key, &stored)?.expires(later(now, KEPT));
        if self.write(put.when(item_not_exists().or(has_dead_claim))).await? {
            return Ok(Claim::Mine);
        }
        Ok(match self.get::<Stored>(&key).await?.map(|stored| stored.state) {
            Some(State::Sent) => Claim::Sent,
            Some(State::Refused) => Claim::Refused,
            Some(State::Sending) | None => Claim::Busy,
        })
    }

    /// Whether a notice was accepted or rejected at this time or later.
    pub async fn is_notice_settled_since(&self, id: &NoticeId, since: Timestamp) -> Result<bool, StoreError> {
        let stored: Option<Stored> = self.get(&keys::notice(id)).await?;
        Ok(stored.is_some_and(|stored| stored.state != State::Sending && stored.lease_until >= since.as_second()))
    }

    /// Records the final state of a notice: no repeat sends it again.
    pub async fn settle_notice(&self, ended: &Ended, now: Timestamp) -> Result<(), StoreError> {
        self.write(put_settled(ended, now)?).await.map(drop)
    }

    /// Releases the claim on a notice that was not sent, so that a retry need not wait.
    pub async fn release_notice(&self, id: &NoticeId) -> Result<(), StoreError> {
        self.delete(&keys::notice(id)).await
    }

    /// Registers a failure. Returns whether the caller mails it now.
    pub async fn register_failure(
        &self,
        failure: &Failure,
        can_mail: bool,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<ReportAction, StoreError> {
        let id = failure.id.as_str();
        let mut action = ReportAction::Busy;
        self.change_repeats(failure, now, random, |state| {
            let (next, result) = state.register(id, can_mail, now, LEASE);
            action = result;
            next
        })
        .await?;
        Ok(action)
    }

    /// Records that the failure was mailed with `counted` repeats; further repeats are only counted for the interval. `None`: the
    /// mail could not be sent, and the next repeat is mailed at once.
    pub async fn record_failure_mail(
        &self,
        failure: &Failure,
        mailed: Option<(u64, SignedDuration)>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        let id = failure.id.as_str();
        self.change_repeats(failure, now, random, |state| match mailed {
            Some((counted, interval)) => state.mailed(id, counted, now, interval),
            None => state.given_up(),
        })
        .await
    }

    async fn change_repeats(
        &self,
        failure: &Failure,
        now: Timestamp,
        random: &dyn Random,
        mut change: impl FnMut(&Repeats) -> Repeats,
    ) -> Result<(), StoreError> {
        let key = keys::failure(&failure.step, &failure.error, failure.member);
        for tried in 0..TRIES {
            let state = self.get::<Repeats>(&key).await?.unwrap_or_default();
            let next = change(&state);
            let quiet = next.quiet_until.unwrap_or(now).max(now);
            let put = Write::put(&key, &next)?.expires(later(quiet, KEPT));
            let is_as_read = item_not_exists().or(path("version").eq(state.version));
            if self.write(put.when(is_as_read)).await? {
                return Ok(());
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }
}

/// Puts the final state of a notice.
pub(crate) fn put_settled(ended: &Ended, now: Timestamp) -> Result<Write, StoreError> {
    let state = if ended.is_sent { State::Sent } else { State::Refused };
    let stored = Stored { state, lease_until: now.as_second() };
    Ok(Write::put(&keys::notice(&ended.id), &stored)?.expires(later(now, KEPT)))
}
