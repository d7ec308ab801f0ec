//! Sends a message for each domain that has none waiting, in three steps: claim the domain in the table, send the message,
//! confirm the claim.
//!
//! If an invocation dies after the claim, it is unknown whether the message was sent. A retry of the same event does not send
//! it again; the claim expires before the next scheduled event, which does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use futures_util::stream;
use jiff::Timestamp;
use lambda_runtime::Error;
use membermail_core::address::DomainName;
use membermail_core::clock::later;
use membermail_core::message::SyncTeam;
use membermail_runtime::batch::chain;
use membermail_runtime::queue::Queue;
use membermail_store::SyncRequest;
use tracing::{error, info, warn};

use crate::Context;

/// Concurrent batches, each over one connection: 5,000 domains are 500 batches of 21 calls.
pub(crate) const CONCURRENT_BATCHES: usize = 32;

/// Sends the messages of one invocation.
pub(crate) struct Sender<'a> {
    pub(crate) context: &'a Context,
    /// The id of the schedule's event.
    pub(crate) event: &'a str,
    pub(crate) request_id: &'a str,
}

impl Sender<'_> {
    /// Sends a message for each domain that has none waiting. After a failure no further batch starts, but batches in flight
    /// finish, so that their claims are confirmed or released.
    pub(crate) async fn send_missing(
        &self,
        domains: &[DomainName],
        known: &BTreeMap<DomainName, SyncRequest>,
    ) -> Result<(), Error> {
        let now = self.context.clock.now();
        let requests = domains.iter().map(|domain| (domain, known.get(domain)));
        let free = requests.filter(|(_, request)| request.is_none_or(|request| request.is_free_for(self.event, now)));
        let free: Vec<_> = free.map(|(domain, _)| domain).collect();
        let failed = AtomicBool::new(false);
        let batches = stream::iter(free.chunks(Queue::BATCH)).map(|batch| {
            let failed = &failed;
            async move {
                if failed.load(Ordering::Relaxed) {
                    return (0, None);
                }
                let (sent, failure) = self.send_batch(batch).await;
                failed.fetch_or(failure.is_some(), Ordering::Relaxed);
                (sent, failure)
            }
        });
        let results: Vec<_> = batches.buffer_unordered(CONCURRENT_BATCHES).collect().await;
        let sent: usize = results.iter().map(|(sent, _)| sent).sum();
        info!(domains = domains.len(), sent, not_sent = domains.len() - sent, "sync messages sent");
        match results.into_iter().find_map(|(_, failure)| failure) {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    /// Sends one batch; returns the number of messages sent and the first failure.
    async fn send_batch(&self, batch: &[&DomainName]) -> (usize, Option<Error>) {
        let store = &self.context.store;
        let now = self.context.clock.now();
        let mut claimed = Vec::with_capacity(batch.len());
        let mut failure = None;
        for domain in batch {
            match store.claim_sync(domain, self.event, now, later(now, SyncRequest::CLAIM_TTL)).await {
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
        let refused = match self.context.sync_queue.send_batch(&self.messages(&claimed, now)).await {
            Ok(refused) => refused,
            Err(cause) if cause.is_refused() => {
                self.release(&claimed).await;
                return (0, Some(cause.into()));
            }
            // Some messages may have been sent, so the claims stay until they expire.
            Err(cause) => return (0, Some(cause.into())),
        };
        let mut sent = Vec::new();
        let mut not_sent = Vec::new();
        for (index, domain) in claimed.into_iter().enumerate() {
            let is_refused = refused.iter().any(|(refused, _)| *refused == index);
            if is_refused { not_sent.push(domain) } else { sent.push(domain) }
        }
        for domain in &sent {
            if let Err(cause) = store.confirm_sync(domain, self.event, later(now, SyncRequest::RETENTION)).await {
                // The message was sent. Without the confirmation the next event sends another one, which sync-team drops.
                warn!(%domain, cause = chain(&cause), "sent message could not be confirmed");
            }
        }
        self.release(&not_sent).await;
        if let Some((_, code)) = refused.first() {
            error!(refused = refused.len(), code, "queue refused messages");
            failure = failure.or_else(|| Some(format!("the queue refused {} messages: {code}", refused.len()).into()));
        }
        (sent.len(), failure)
    }

    fn messages(&self, domains: &[&DomainName], now: Timestamp) -> Vec<SyncTeam> {
        let message = |domain| SyncTeam { requested_at: Some(now), ..SyncTeam::of(domain, self.request_id) };
        domains.iter().map(|domain| message(domain)).collect()
    }

    async fn release(&self, domains: &[&DomainName]) {
        for domain in domains {
            if let Err(cause) = self.context.store.release_sync_claim(domain, self.event).await {
                warn!(%domain, cause = chain(&cause), "claim could not be released and will expire");
            }
        }
    }
}
