//! A change in the outbox: delivered to its member and to the admins of its domain.
//!
//! A created address costs four calls to AWS while this instance has a digest on its way, and five while another one has:
//! the outbox entry, member and alias, the claim of the notice, the transaction that ends it all, and the digest's
//! conditional put. Where a crash comes between two of them:
//!
//! - before the transaction, the entry is still in the outbox: the queue or the sweep brings it back, and the claim keeps
//!   a mail that was sent and not settled from going out again before its lease is over;
//! - after the transaction, what is gathered has no message yet: the sweep finds it and asks for the digest.

use membermail_core::audit::Entry;
use membermail_core::message::Notify;
use membermail_core::notice;
use membermail_runtime::batch::chain;
use membermail_store::Ended;
use tracing::{info, warn};

use crate::mailer::Mailer;
use crate::{Context, Error, admins, member};

pub(crate) async fn tell(context: &Context, message: Notify) -> Result<(), Error> {
    let Notify { entry: id, request_id } = message;
    let Some(entry) = context.store.undelivered(id).await? else {
        info!(entry = %id, "delivered before");
        return Ok(());
    };
    let Some(mailer) = context.mail.mailer().await? else {
        info!(entry = %id, "no mail server is configured: the notice waits in the outbox");
        return Ok(());
    };
    let ended = match everybody(context, &mailer, &entry, &request_id).await {
        Ok(ended) => ended,
        Err(cause) => {
            // The queue brings the message back; the sweep need not send another.
            if context.store.mark_in_flight(id, context.trying_until()).await.is_err() {
                warn!(entry = %id, "that it is tried again could not be noted");
            }
            return Err(cause);
        }
    };
    let digest = notice::for_admins(&entry).map(|(address, _)| &address.domain);
    let (now, random) = (context.clock.now(), &*context.random);
    if let Err(cause) = context.store.mark_delivered(&entry, ended.as_ref(), digest, now, random).await {
        // The mail is out: settled alone, it does not go out again with the next try.
        if let Some(ended) = ended
            && let Err(cause) = context.store.settle_notice(&ended, now).await
        {
            warn!(entry = %id, cause = chain(&cause), "that a notice was sent could not be noted");
        }
        return Err(cause.into());
    }
    match digest {
        // After the change is gathered: a digest that begins in between has deleted its mark, so that this sets another.
        Some(domain) => admins::request_digest(context, domain, &request_id).await,
        None => Ok(()),
    }
}

/// Notifies all whom a change concerns, but for the digest. What ended last is left for the caller to settle.
async fn everybody(
    context: &Context,
    mailer: &Mailer,
    entry: &Entry,
    request_id: &str,
) -> Result<Option<Ended>, Error> {
    if let Some(run) = notice::held_run(entry) {
        admins::tell_held(context, mailer, entry.id, run, request_id).await?;
    }
    if let Some((domain, did, until)) = notice::domain_change(entry) {
        admins::tell_domain(context, mailer, entry.id, (domain, did, until), request_id).await?;
    }
    if let Some(members) = notice::linked_members(entry) {
        member::tell_linked(context, mailer, entry.id, members, request_id).await?;
    }
    match notice::for_member(entry) {
        Some((id, address, news)) => member::tell(context, mailer, entry.id, id, address, news, request_id).await,
        None => Ok(None),
    }
}
