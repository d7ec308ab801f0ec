//! Sends the messages that are missing, each in three steps: claim it in the table, send it, confirm it in the table.
//!
//! An invocation that dies after the claim leaves it unknown whether the message was sent. The same event then sends none;
//! the claim ends before the next event of the schedule, which sends it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Error;
use membermail_core::address::DomainName;
use membermail_core::clock::later;
use membermail_core::message::SyncTeam;
use membermail_runtime::batch::chain;
use membermail_runtime::queue::Queue;
use membermail_store::SyncRequest;
use tracing::{error, info, warn};

use crate::Context;

/// A claim ends after this time: later than the function does (`Timeout`), and sooner than the shortest period of the
/// schedule.
pub(crate) const CLAIM: SignedDuration = SignedDuration::from_mins(4);
/// The queue deletes a message after this time (`MessageRetentionPeriod` of the template).
pub(crate) const RETENTION: SignedDuration = SignedDuration::from_hours(4 * 24);
/// Batches in flight at the same time, each over one connection: 5,000 domains are 500 batches of 21 calls.
pub(crate) const IN_FLIGHT: usize = 32;

/// One invocation.
pub(crate) struct Asking<'a> {
    pub(crate) context: &'a Context,
    /// The event of the schedule.
    pub(crate) event: &'a str,
    pub(crate) request_id: &'a str,
}

impl Asking<'_> {
    /// Sends a message for each domain that has none waiting. After a failure no further batch is begun; those in flight come
    /// to their end, so that no claim stays open without need.
    pub(crate) async fn ask(
        &self,
        domains: &[DomainName],
        known: &BTreeMap<DomainName, SyncRequest>,
    ) -> Result<(), Error> {
        let now = self.context.clock.now();
        let is_free =
            |domain: &&DomainName| known.get(*domain).is_none_or(|request| request.is_free_for(self.event, now));
        let free: Vec<_> = domains.iter().filter(is_free).collect();
        let failed = AtomicBool::new(false);
        let batches = stream::iter(free.chunks(Queue::BATCH)).map(|batch| {
            let failed = &failed;
            async move {
                if failed.load(Ordering::Relaxed) {
                    return (0, None);
                }
                let (sent, failure) = self.send(batch).await;
                failed.fetch_or(failure.is_some(), Ordering::Relaxed);
                (sent, failure)
            }
        });
        let results: Vec<_> = batches.buffer_unordered(IN_FLIGHT).collect().await;
        let sent: usize = results.iter().map(|(sent, _)| sent).sum();
        info!(domains = domains.len(), sent, not_sent = domains.len() - sent, "syncs asked for");
        match results.into_iter().find_map(|(_, failure)| failure) {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    /// One batch: how many messages the queue has of it now, and the first failure.
    async fn send(&self, batch: &[&DomainName]) -> (usize, Option<Error>) {
        let store = &self.context.store;
        let now = self.context.clock.now();
        let (mut claimed, mut failure) = (Vec::with_capacity(batch.len()), None);
        for domain in batch {
            match store.claim_sync(domain, self.event, now, later(now, CLAIM)).await {
                Ok(true) => claimed.push(*domain),
                Ok(false) => {}
                Err(cause) => {
                    failure = Some(cause.into());
                    break;
                }
            }
        }
        if claimed.is_empty() {
            return (0, failure);
        }
        let refused = match self.context.outbox.send_batch(&self.messages(&claimed, now)).await {
            Ok(refused) => refused,
            Err(cause) if cause.is_refused() => {
                self.release(&claimed).await;
                return (0, Some(cause.into()));
            }
            // Some may have been sent, so the claims stay until they end.
            Err(cause) => return (0, Some(cause.into())),
        };
        let is_refused = |place: usize| refused.iter().any(|(refused, _)| *refused == place);
        let of = |wanted: bool| {
            let places = claimed.iter().enumerate().filter(move |(place, _)| is_refused(*place) == wanted);
            places.map(|(_, domain)| *domain).collect::<Vec<_>>()
        };
        let (sent, back) = (of(false), of(true));
        for domain in &sent {
            if let Err(cause) = store.confirm_sync(domain, self.event, later(now, RETENTION)).await {
                // It is sent all the same. Without the confirmation, the next event sends another one, which is dropped.
                warn!(%domain, cause = chain(&cause), "a sent message could not be confirmed");
            }
        }
        self.release(&back).await;
        if let Some((_, code)) = refused.first() {
            error!(refused = refused.len(), code, "the queue refused messages");
            failure = failure.or_else(|| Some(format!("the queue refused {} messages: {code}", refused.len()).into()));
        }
        (sent.len(), failure)
    }

    fn messages(&self, domains: &[&DomainName], now: Timestamp) -> Vec<SyncTeam> {
        let message = |domain: &&DomainName| SyncTeam {
            domain: (*domain).clone(),
            release: None,
            full: false,
            requested_at: Some(now),
            request_id: self.request_id.to_owned(),
        };
        domains.iter().map(message).collect()
    }

    async fn release(&self, domains: &[&DomainName]) {
        for domain in domains {
            if let Err(cause) = self.context.store.release_sync_claim(domain, self.event).await {
                warn!(%domain, cause = chain(&cause), "a claim could not be released");
            }
        }
    }
}
