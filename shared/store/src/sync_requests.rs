//! Which domains have a sync message of the schedule waiting, so that `start-sync` sends no second one, and when the last
//! finished run of a domain began, so that `sync-team` recognizes a late or duplicate message.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use membermail_core::address::DomainName;
use serde::Deserialize;

use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::table::{Store, number, text};

/// The state of the last message that the schedule had for a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestState {
    /// A schedule's event is about to send it.
    Claimed,
    /// The queue has it.
    Waiting,
    /// `sync-team` received it.
    Received,
}

impl RequestState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Waiting => "waiting",
            Self::Received => "received",
        }
    }
}

/// What is known of the sync messages of a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SyncRequest {
    /// The event of the schedule that had the last message.
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    state: Option<RequestState>,
    /// In microseconds since 1970, as all times here: numbers compare as times do in conditions.
    #[serde(default)]
    requested_at: Option<i64>,
    #[serde(default)]
    until: Option<i64>,
    #[serde(default)]
    synced: Option<i64>,
}

impl SyncRequest {
    /// Since when a message of the schedule waits, or is about to be sent.
    pub fn waiting_since(&self, now: Timestamp) -> Option<Timestamp> {
        let waits = matches!(self.state, Some(RequestState::Claimed | RequestState::Waiting));
        let holds = self.until.is_some_and(|until| until > now.as_microsecond());
        time(self.requested_at.filter(|_| waits && holds))
    }

    /// Whether this event of the schedule may send a message: none waits, and the event has not had its turn.
    pub fn is_free_for(&self, event: &str, now: Timestamp) -> bool {
        self.event.as_deref() != Some(event) && self.waiting_since(now).is_none()
    }

    /// When the last finished run began that [`Store::note_synced`] was told of.
    pub fn synced(&self) -> Option<Timestamp> {
        time(self.synced)
    }

    /// Whether a finished run began after that time: a message of then is late or a duplicate.
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
    /// What is known of the sync messages of a domain.
    pub async fn sync_request(&self, domain: &DomainName) -> Result<SyncRequest, StoreError> {
        Ok(self.get(&keys::sync_request(domain)).await?.unwrap_or_default())
    }

    /// The same of many domains, a hundred a request. Domains of which nothing is known are left out.
    pub async fn sync_requests<'a>(
        &self,
        domains: impl Iterator<Item = &'a DomainName>,
    ) -> Result<BTreeMap<DomainName, SyncRequest>, StoreError> {
        let all: Vec<_> = domains.map(keys::sync_request).collect();
        let mut requests = BTreeMap::new();
        self.each_of(&all, |Keyed { pk, request }| {
            if let Some(Ok(domain)) = pk.strip_prefix("SYNC#").map(DomainName::parse) {
                requests.insert(domain, request);
            }
        })
        .await?;
        Ok(requests)
    }

    /// Claims the next message of a domain for an event of the schedule. At most one event holds the claim, and each event
    /// gets it once, however often Lambda runs the function for it. A claim that is not confirmed ends at `until`, and then
    /// the next event may send.
    pub async fn claim_sync(
        &self,
        domain: &DomainName,
        event: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = self
            .request_update(domain)
            .update_expression("SET #event = :event, #state = :claimed, requested_at = :now, #until = :until")
            .condition_expression(
                "attribute_not_exists(#event) OR (#event <> :event AND (#state = :received OR #until <= :now))",
            )
            .expression_attribute_names("#event", "event")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":event", text(event))
            .expression_attribute_values(":claimed", text(RequestState::Claimed.as_str()))
            .expression_attribute_values(":received", text(RequestState::Received.as_str()))
            .expression_attribute_values(":now", micros(now))
            .expression_attribute_values(":until", micros(until));
        has_changed(update).await
    }

    /// Confirms that the queue took the message of a claim. It counts as waiting until it is received, or until the time at
    /// which the queue deletes it. A message that was received meanwhile stays so.
    pub async fn confirm_sync(&self, domain: &DomainName, event: &str, until: Timestamp) -> Result<bool, StoreError> {
        let update = self
            .claimed_update(domain, event)
            .update_expression("SET #state = :waiting, #until = :until")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":waiting", text(RequestState::Waiting.as_str()))
            .expression_attribute_values(":until", micros(until));
        has_changed(update).await
    }

    /// Gives up a claim whose message the queue refused, so that a retry of the same event sends it.
    pub async fn release_sync_claim(&self, domain: &DomainName, event: &str) -> Result<bool, StoreError> {
        let update = self.claimed_update(domain, event).update_expression("REMOVE #event, #state");
        has_changed(update).await
    }

    /// Records that `sync-team` received a message: the schedule may send the next one. A message that is older than the one
    /// that waits changes nothing; one without a time is of an operator or an earlier release.
    pub async fn receive_sync(&self, domain: &DomainName, requested_at: Option<Timestamp>) -> Result<bool, StoreError> {
        let update = self
            .request_update(domain)
            .update_expression("SET #state = :received")
            .expression_attribute_names("#event", "event")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":received", text(RequestState::Received.as_str()));
        let update = match requested_at {
            None => update.condition_expression("attribute_exists(#event)"),
            Some(at) => update
                .condition_expression("attribute_exists(#event) AND requested_at <= :at")
                .expression_attribute_values(":at", micros(at)),
        };
        has_changed(update).await
    }

    /// Records when a finished run began.
    pub async fn note_synced(&self, domain: &DomainName, started: Timestamp) -> Result<bool, StoreError> {
        let update = self
            .request_update(domain)
            .update_expression("SET synced = :started")
            .condition_expression("attribute_not_exists(synced) OR synced < :started")
            .expression_attribute_values(":started", micros(started));
        has_changed(update).await
    }

    /// An update of a claim of this event that is not confirmed.
    fn claimed_update(&self, domain: &DomainName, event: &str) -> UpdateItemFluentBuilder {
        self.request_update(domain)
            .condition_expression("#event = :event AND #state = :claimed")
            .expression_attribute_names("#event", "event")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":event", text(event))
            .expression_attribute_values(":claimed", text(RequestState::Claimed.as_str()))
    }

    fn request_update(&self, domain: &DomainName) -> UpdateItemFluentBuilder {
        let Key { pk, sk } = keys::sync_request(domain);
        self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk))
    }
}

/// Sends an update; returns whether its condition held.
async fn has_changed(update: UpdateItemFluentBuilder) -> Result<bool, StoreError> {
    match update.send().await {
        Ok(_) => Ok(true),
        Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn micros(at: Timestamp) -> AttributeValue {
    number(at.as_microsecond())
}

fn time(micros: Option<i64>) -> Option<Timestamp> {
    micros.and_then(|micros| Timestamp::from_microsecond(micros).ok())
}
