//! A change in the outbox: delivered to its member and to the admins of its domain.
//!
//! A created address costs four calls to AWS while this instance has a digest on its way, and five while another one has:
//! the outbox entry, member and alias, the claim of the notice, the transaction that ends it all, and the digest's
//! conditional put. Where a crash comes between two of them:
//!
//! - before the transaction, the entry is still in the outbox: the queue or the sweep brings it back, and the claim keeps
//!   a mail that was sent and not settled from going out again before its lease is over;
//! - after the transaction, what is gathered has no message yet: the sweep finds it and asks for the digest.

use membermail_core::audit::{Change, Entry};
use membermail_core::message::Notify;
use membermail_core::{notice, relevance};
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
    if relevance::is_outdated(&entry, context.clock.now()) {
        return drop_outdated(context, &entry).await;
    }
    let Some(mailer) = context.mail.mailer().await? else {
        info!(entry = %id, "no mail server is configured: the notice waits in the outbox");
        return Ok(());
    };
    let Told { ended, concerns_admins } = match everybody(context, &mailer, &entry, &request_id).await {
        Ok(told) => told,
        Err(cause) => {
            // The queue brings the message back; the sweep need not send another.
            if context.store.mark_in_flight(id, context.trying_until()).await.is_err() {
                warn!(entry = %id, "that it is tried again could not be noted");
            }
            return Err(cause);
        }
    };
    let digest = entry.domain().filter(|_| concerns_admins);
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
        Some(domain) => admins::request_digest(context, domain, &request_id, context.digest_seconds).await,
        None => Ok(()),
    }
}

/// Settles a change that is too old to be told.
pub(crate) async fn drop_outdated(context: &Context, entry: &Entry) -> Result<(), Error> {
    let now = context.clock.now();
    if context.store.mark_delivered(entry, None, None, now, &*context.random).await? {
        warn!(entry = %entry.id, at = %entry.at, "a notice older than a week is dropped");
    }
    Ok(())
}

/// What is left to be done of a change.
#[derive(Default)]
struct Told {
    /// The last notice, for the caller to settle.
    ended: Option<Ended>,
    /// Whether the change belongs into the digest of its domain.
    concerns_admins: bool,
}

/// Notifies all whom a change concerns, but for the digest.
async fn everybody(context: &Context, mailer: &Mailer, entry: &Entry, request_id: &str) -> Result<Told, Error> {
    if let Some(run) = notice::held_run(entry) {
        admins::tell_held(context, mailer, entry.id, run, request_id).await?;
    }
    if let Some((domain, did, until)) = notice::domain_change(entry) {
        admins::tell_domain(context, mailer, entry, (domain, did, until), request_id).await?;
    }
    if let Some(members) = notice::linked_members(entry) {
        member::tell_linked(context, mailer, entry.id, members, request_id).await?;
    }
    match &entry.change {
        Change::Alias { .. } => alias(context, mailer, entry, request_id).await,
        _ => Ok(Told::default()),
    }
}

/// Tells a member what became of their alias, unless it changed again meanwhile.
async fn alias(context: &Context, mailer: &Mailer, entry: &Entry, request_id: &str) -> Result<Told, Error> {
    let Some((id, address, news)) = notice::for_member(entry) else { return Ok(Told::default()) };
    let (member, stored) = context.store.member_with_alias(id, address).await?;
    let current = stored.as_ref().map(|stored| &stored.alias);
    let concerns_admins = relevance::concerns_admins(entry, current);
    if !relevance::concerns_member(entry, current) {
        info!(entry = %entry.id, "a later change of the address supersedes the notice");
        return Ok(Told { ended: None, concerns_admins });
    }
    let ended = member::tell(context, mailer, entry, (member, stored), news, request_id).await?;
    Ok(Told { ended, concerns_admins })
}
