//! Finds outbox entries and gathered changes whose message was lost: by a crash, or since the mail server was away for
//! longer than the queue tries.

use jiff::SignedDuration;
use membermail_core::message::{Notify, ToNotify};
use membermail_core::relevance;
use tracing::{info, warn};

use crate::{Context, Error, admins, change};

/// A change that is younger has its message on the way.
const YOUNG: SignedDuration = SignedDuration::from_mins(5);
/// Changes of one sweep at most; the next takes the others.
const MOST: usize = 1000;

pub(crate) async fn sweep(context: &Context) -> Result<(), Error> {
    let now = context.clock.now();
    let waiting = context.store.undelivered_before(now.saturating_sub(YOUNG).unwrap_or(now), MOST).await?;
    let (outdated, waiting): (Vec<_>, Vec<_>) =
        waiting.into_iter().partition(|entry| relevance::is_outdated(entry, now));
    for entry in &outdated {
        change::drop_outdated(context, entry).await?;
    }
    if context.mail.mailer().await?.is_none() {
        if !waiting.is_empty() {
            warn!(waiting = waiting.len(), "no mail server is configured: notices wait in the outbox");
        }
        return Ok(());
    }
    if !waiting.is_empty() {
        info!(waiting = waiting.len(), "notices whose messages were lost are sent on");
    }
    for entry in waiting {
        let message = Notify { entry: entry.id, request_id: entry.request_id };
        context.inbox.send(&ToNotify::Change(message)).await?;
        context.store.mark_in_flight(entry.id, context.trying_until()).await?;
    }
    for domain in context.community.domain_names() {
        if context.store.has_news(domain).await? {
            admins::request_digest(context, domain, "sweep", context.digest_seconds).await?;
        }
    }
    Ok(())
}
