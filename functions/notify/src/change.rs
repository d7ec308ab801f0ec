//! Delivers an outbox entry: to its member at once, and to the admins of its domain with the next digest.
//!
//! A created address costs five AWS calls if this instance has a pending digest, and six if another instance has: read the
//! outbox entry, read member and alias, read the destinations, claim the notice, settle everything in one transaction, and
//! the conditional put of the digest. After a crash between two of these calls:
//!
//! - Before the transaction, the entry is still in the outbox, so SQS or the sweep sends it again. The claim keeps a mail
//!   that was sent but not settled from being repeated before the claim expires.
//! - After the transaction, the change is recorded for a digest without a message; the sweep finds it and requests one.

use membermail_core::audit::{Change, Entry};
use membermail_core::message::ChangeNotice;
use membermail_core::{notice, relevance};
use membermail_runtime::batch::chain;
use membermail_store::Ended;
use tracing::{info, warn};

use crate::mailer::Mailer;
use crate::{Context, Error, admins, mailboxes, member, roles};

pub(crate) async fn deliver_change(context: &Context, message: ChangeNotice) -> Result<(), Error> {
    let ChangeNotice { entry: id, request_id } = message;
    let Some(entry) = context.store.undelivered(id).await? else {
        info!(entry = %id, "outbox entry was delivered before");
        return Ok(());
    };
    if relevance::is_outdated(&entry, context.worker.clock.now()) {
        return drop_outdated(context, &entry).await;
    }
    let Some(mailer) = context.mail.mailer().await? else {
        info!(entry = %id, "no mail server is configured, the notice stays in the outbox");
        return Ok(());
    };
    let Notified { unsettled, concerns_admins } = match notify(context, &mailer, &entry, &request_id).await {
        Ok(notified) => notified,
        Err(cause) => {
            // SQS redelivers the message, so the sweep need not send another.
            if context.store.mark_in_flight(id, context.in_flight_until()).await.is_err() {
                warn!(entry = %id, "outbox entry could not be marked as in flight");
            }
            return Err(cause);
        }
    };
    let digest = entry.domain().filter(|_| concerns_admins);
    let now = context.worker.clock.now();
    let random = &*context.worker.random;
    if let Err(cause) = context.store.mark_delivered(&entry, unsettled.as_ref(), digest, now, random).await {
        // The mail was sent. Settling the notice on its own keeps the retry from sending it again.
        if let Some(unsettled) = unsettled
            && let Err(cause) = context.store.settle_notice(&unsettled, now).await
        {
            warn!(entry = %id, cause = chain(&cause), "sent notice could not be settled");
        }
        return Err(cause.into());
    }
    match digest {
        // Only after the change is recorded: a digest that starts in between has released its claim, so this request
        // succeeds and the change is not lost.
        Some(domain) => admins::request_digest(context, domain, &request_id, context.digest_seconds).await,
        None => Ok(()),
    }
}

/// Settles an entry that is too old to be delivered.
pub(crate) async fn drop_outdated(context: &Context, entry: &Entry) -> Result<(), Error> {
    let now = context.worker.clock.now();
    if context.store.mark_delivered(entry, None, None, now, &*context.worker.random).await? {
        warn!(entry = %entry.id, at = %entry.at, "notice older than a week dropped");
    }
    Ok(())
}

/// The remaining work on an entry after its notices were sent.
#[derive(Default)]
struct Notified {
    /// The last notice, which the caller must settle.
    unsettled: Option<Ended>,
    /// Whether the change belongs in the digest of its domain.
    concerns_admins: bool,
}

/// Sends all notices of an entry except for the digest.
async fn notify(context: &Context, mailer: &Mailer, entry: &Entry, request_id: &str) -> Result<Notified, Error> {
    if let Some(run) = notice::held_run(entry) {
        admins::notify_held_sync(context, mailer, entry.id, run, request_id).await?;
    }
    if let Some((domain, change, until)) = notice::domain_change(entry) {
        admins::notify_domain_change(context, mailer, entry, (domain, change, until), request_id).await?;
    }
    if let Some(members) = notice::linked_members(entry) {
        member::notify_linked(context, mailer, entry.id, members, request_id).await?;
    }
    if let Some((domain, member)) = notice::role_change(entry) {
        roles::notify_role(context, mailer, entry, (domain, member), request_id).await?;
    }
    if let Some(news) = notice::for_destinations(entry) {
        mailboxes::notify_mailboxes(context, mailer, entry, news, request_id).await?;
    }
    match &entry.change {
        Change::Alias { .. } => notify_owner(context, mailer, entry, request_id).await,
        _ => Ok(Notified::default()),
    }
}

/// Notifies the owner of a changed alias, unless a later change supersedes this one.
async fn notify_owner(context: &Context, mailer: &Mailer, entry: &Entry, request_id: &str) -> Result<Notified, Error> {
    let Some((id, address, news)) = notice::for_member(entry) else { return Ok(Notified::default()) };
    let (member, stored) = context.store.member_with_alias(id, address).await?;
    let current = stored.as_ref().map(|stored| &stored.alias);
    let concerns_admins = relevance::concerns_admins(entry, current);
    if !relevance::concerns_member(entry, current) {
        info!(entry = %entry.id, "notice superseded by a later change of the address");
        return Ok(Notified { unsettled: None, concerns_admins });
    }
    let unsettled = member::notify_owner(context, mailer, entry, (member, stored), news, request_id).await?;
    Ok(Notified { unsettled, concerns_admins })
}
