//! The scheduled sweep of the transactional outbox: sends the message of each undelivered entry again, in case it was lost
//! in a crash or reached the dead-letter queue while the mail server was down. Requests missing digests as well.

use jiff::SignedDuration;
use membermail_core::clock::earlier;
use membermail_core::message::NotifyMessage;
use membermail_core::relevance;
use tracing::{info, warn};

use crate::{Context, Error, admins, change};

/// Entries that are younger still have their first message in flight.
const MIN_AGE: SignedDuration = SignedDuration::from_mins(5);
/// Maximum entries per sweep; the next sweep handles the others.
const MAX_ENTRIES: usize = 1000;

pub(crate) async fn sweep(context: &Context) -> Result<(), Error> {
    let now = context.worker.clock.now();
    let created_before = earlier(now, MIN_AGE);
    let undelivered = context.store.undelivered_before(created_before, MAX_ENTRIES).await?;
    let (outdated, waiting): (Vec<_>, Vec<_>) =
        undelivered.into_iter().partition(|entry| relevance::is_outdated(entry, now));
    for entry in &outdated {
        change::drop_outdated(context, entry).await?;
    }
    if context.mail.mailer().await?.is_none() {
        if !waiting.is_empty() {
            warn!(waiting = waiting.len(), "no mail server is configured, notices stay in the outbox");
        }
        return Ok(());
    }
    if !waiting.is_empty() {
        info!(waiting = waiting.len(), "undelivered notices are sent to the queue again");
    }
    for entry in waiting {
        context.worker.queue.send(&NotifyMessage::change(entry.id, &entry.request_id)).await?;
        context.store.mark_in_flight(entry.id, context.in_flight_until()).await?;
    }
    for domain in context.community.domain_names() {
        if context.store.has_news(domain).await? {
            admins::request_digest(context, domain, "sweep", context.digest_seconds).await?;
        }
    }
    Ok(())
}
