//! The sync message of each domain, so that `start-sync` sends no second one while one is waiting, and the start of the last
//! finished run, so that `sync-team` recognizes a late or duplicate message.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use serde::Deserialize;
use strum::AsRefStr;

use crate::error::StoreError;
use crate::keys;
use crate::table::{Condition, Store, Update, Write, path};

/// The state of the last message of the schedule for a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, AsRefStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum RequestState {
    /// An event of the schedule is about to send it.
    Claimed,
    /// It is in the queue.
    Waiting,
    /// `sync-team` received it.
    Received,
}

/// The state of the sync messages of a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SyncRequest {
    /// The event of the schedule, or the form of an admin, that claimed the last message.
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    state: Option<RequestState>,
    /// In microseconds since 1970, like all times here: conditions can compare numbers.
    #[serde(default)]
    requested_at: Option<i64>,
    #[serde(default)]
    until: Option<i64>,
    #[serde(default)]
    synced: Option<i64>,
    #[serde(default)]
    awaited: Option<i64>,
}

impl SyncRequest {
    /// Lifetime of a claim: longer than the `Timeout` of `start-sync`, shorter than the shortest interval of the schedule.
    pub const CLAIM_TTL: SignedDuration = SignedDuration::from_mins(4);
    /// The `MessageRetentionPeriod` of the sync queue in the template.
    pub const RETENTION: SignedDuration = SignedDuration::from_hours(10 * 24);

    /// Since when a message of the schedule is waiting or about to be sent.
    pub fn waiting_since(&self, now: Timestamp) -> Option<Timestamp> {
        let waits = matches!(self.state, Some(RequestState::Claimed | RequestState::Waiting));
        let holds = self.until.is_some_and(|until| until > now.as_microsecond());
        time(self.requested_at.filter(|_| waits && holds))
    }

    /// Whether this event of the schedule may send a message: none is waiting, and the event has not claimed one before.
    pub fn is_free_for(&self, event: &str, now: Timestamp) -> bool {
        self.event.as_deref() != Some(event) && self.waiting_since(now).is_none()
    }

    /// The start of the last finished run that [`Store::note_synced`] recorded.
    pub fn synced(&self) -> Option<Timestamp> {
        time(self.synced)
    }

    /// The start of the last finished run, or else the time of the first message, so that the age of a domain that never
    /// finishes a sync grows too.
    pub fn synced_or_awaited(&self) -> Option<Timestamp> {
        self.synced().or(self.awaited())
    }

    /// When the first message was claimed.
    pub(crate) fn awaited(&self) -> Option<Timestamp> {
        time(self.awaited)
    }

    /// Whether a finished run started after that time: a message from that time is late or a duplicate.
    pub fn is_synced_after(&self, requested_at: Timestamp) -> bool {
        self.synced().is_some_and(|synced| synced > requested_at)
    }
}

#[derive(Deserialize)]
struct Keyed {
    pk: String,
    #[serde(flatten)]
    request: SyncRequest,
}

impl Store {
    /// Loads the state of the sync messages of a domain.
    pub async fn sync_request(&self, domain: &DomainName) -> Result<SyncRequest, StoreError> {
        Ok(self.get(&keys::sync_request(domain)).await?.unwrap_or_default())
    }

    /// The same for many domains. Domains without a state are left out.
    pub async fn sync_requests<'a>(
        &self,
        domains: impl Iterator<Item = &'a DomainName>,
    ) -> Result<BTreeMap<DomainName, SyncRequest>, StoreError> {
        let all: Vec<_> = domains.map(keys::sync_request).collect();
        let requests = self.get_all(&all).await?.into_iter().filter_map(|Keyed { pk, request }| {
            let domain = pk.strip_prefix("SYNC#")?;
            Some((domain.parse().ok()?, request))
        });
        Ok(requests.collect())
    }

    /// Claims the next message of a domain for an event of the schedule. At most one event holds the claim, and each event
    /// gets it once, even if Lambda runs the function again for it. A claim that is not confirmed ends at `until`; then the
    /// next event may send.
    pub async fn claim_sync(
        &self,
        domain: &DomainName,
        event: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = Update::new()
            .set("event", event)
            .set("state", RequestState::Claimed.as_ref())
            .set("requested_at", now.as_microsecond())
            .set("until", until.as_microsecond())
            .set_if_not_exists("awaited", now.as_microsecond());
        let last = path("event");
        let is_received = path("state").eq(RequestState::Received.as_ref());
        let has_ended = is_received.or(path("until").le(now.as_microsecond()));
        self.update_request(domain, update, last.not_exists().or(last.ne(event).and(has_ended))).await
    }

    /// Confirms that the queue accepted the message of a claim. It counts as waiting until it is received, or until the queue
    /// deletes it. Changes nothing if it was received meanwhile.
    pub async fn confirm_sync(&self, domain: &DomainName, event: &str, until: Timestamp) -> Result<bool, StoreError> {
        let update = Update::new().set("state", RequestState::Waiting.as_ref()).set("until", until.as_microsecond());
        self.update_request(domain, update, has_claim(event)).await
    }

    /// Releases a claim whose message the queue rejected, so that a retry of the same event sends it.
    pub async fn release_sync_claim(&self, domain: &DomainName, event: &str) -> Result<bool, StoreError> {
        self.update_request(domain, Update::new().remove("event").remove("state"), has_claim(event)).await
    }

    /// Records that `sync-team` received a message: the schedule may send the next one. A message that is older than the
    /// waiting one changes nothing; a message without a time is from an operator.
    pub async fn receive_sync(&self, domain: &DomainName, requested_at: Option<Timestamp>) -> Result<bool, StoreError> {
        let update = Update::new().set("state", RequestState::Received.as_ref());
        let mut condition = path("event").exists();
        if let Some(at) = requested_at {
            condition = condition.and(path("requested_at").le(at.as_microsecond()));
        }
        self.update_request(domain, update, condition).await
    }

    /// Records when a finished run started.
    pub async fn note_synced(&self, domain: &DomainName, started: Timestamp) -> Result<bool, StoreError> {
        let synced = path("synced");
        let is_newest = synced.not_exists().or(synced.lt(started.as_microsecond()));
        self.update_request(domain, Update::new().set("synced", started.as_microsecond()), is_newest).await
    }

    /// Returns whether the condition held.
    async fn update_request(
        &self,
        domain: &DomainName,
        update: Update,
        condition: Condition,
    ) -> Result<bool, StoreError> {
        self.write(Write::update(&keys::sync_request(domain), update).when(condition)).await
    }
}

/// The condition that the event has a claim that is not confirmed.
fn has_claim(event: &str) -> Condition {
    path("event").eq(event).and(path("state").eq(RequestState::Claimed.as_ref()))
}

fn time(micros: Option<i64>) -> Option<Timestamp> {
    micros.and_then(|micros| Timestamp::from_microsecond(micros).ok())
}
