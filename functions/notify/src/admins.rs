//! Notices to the admins of a domain: digests of changes, held syncs, and changes of the domain itself.

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::audit::{DomainChange, Entry};
use membermail_core::clock::{earlier, later};
use membermail_core::digest::net_changes;
use membermail_core::member;
use membermail_core::message::{Digest as DigestMessage, NotifyMessage};
use membermail_core::notice::NoticeId;
use membermail_core::relevance::{LIFETIME, concerns_domain, is_expired};
use membermail_notices::{AdminNotice, DomainNews, MissingAdmin, Notice};
use membermail_runtime::batch::chain;
use membermail_store::{Gathered, Run, RunState};
use tracing::{info, warn};
use ulid::Ulid;

use crate::deliver::{Recipient, deliver};
use crate::mailer::Mailer;
use crate::{Context, Error};

/// Maximum pages of changes that one invocation counts or drops: 10,000 changes, which takes about five seconds.
const MAX_PAGES: usize = 100;
/// After a digest that could not list all changes, the next one waits this many times the usual interval: the first sync
/// of a large team takes an hour.
const LARGE_DIGEST_FACTOR: u16 = 8;

/// Enqueues the message that sends the digest in `seconds`, unless one is pending.
///
/// A conditional put claims the digest before the message is sent. The claim expires when the digest is due: after a crash
/// in between, the next change or the sweep requests it again, with all changes recorded so far. While a message of this
/// instance is still delayed, no call is needed.
pub(crate) async fn request_digest(
    context: &Context,
    domain: &DomainName,
    request_id: &str,
    seconds: u16,
) -> Result<(), Error> {
    let now = context.worker.clock.now();
    if context.pending_digests.is_pending(domain, now) {
        return Ok(());
    }
    let until = later(now, SignedDuration::from_secs(seconds.into()));
    if !context.store.claim_digest(domain, now, until).await? {
        return Ok(());
    }
    let message = DigestMessage { domain: domain.clone(), request_id: request_id.to_owned() };
    let sent = context.worker.queue.send_delayed(&NotifyMessage::Digest(message), seconds).await;
    match &sent {
        Ok(()) => context.pending_digests.record(domain, now, until),
        Err(_) => {
            if let Err(cause) = context.store.release_digest(domain).await {
                warn!(%domain, cause = chain(&cause), "digest claim could not be released and will expire");
            }
        }
    }
    Ok(sent?)
}

/// Sends all recorded changes as one mail to each admin. Idempotent: a repeated message finds no changes.
pub(crate) async fn send_digest(context: &Context, message: DigestMessage) -> Result<(), Error> {
    let DigestMessage { domain, request_id } = message;
    let Some(mailer) = context.mail.mailer().await? else { return Ok(()) };
    let sent = try_send_digest(context, &mailer, &domain, &request_id).await;
    if sent.is_err() {
        // SQS redelivers the message, so no other is needed.
        context.store.extend_digest_claim(&domain, context.in_flight_until()).await?;
    }
    sent
}

async fn try_send_digest(
    context: &Context,
    mailer: &Mailer,
    domain: &DomainName,
    request_id: &str,
) -> Result<(), Error> {
    context.store.release_digest(domain).await?;
    let now = context.worker.clock.now();
    let oldest = earlier(now, LIFETIME);
    let (dropped, is_all) = context.store.drop_news_before(domain, oldest, MAX_PAGES).await?;
    if dropped > 0 {
        warn!(%domain, dropped, "changes older than a week dropped from the digest");
    }
    let gathered = match is_all {
        true => context.store.prepare_digest(domain, member::ulid(now, &*context.worker.random), MAX_PAGES).await?,
        false => Gathered::Unfinished,
    };
    let batch = match gathered {
        Gathered::Nothing => return Ok(()),
        Gathered::Unfinished => return continue_later(context, domain, request_id).await,
        Gathered::All(batch) => batch,
    };
    let news = net_changes(&batch.news, now);
    let others = batch.others;
    let changes = news.len() as u64 + others.total();
    if is_expired(batch.started_at(), now) {
        warn!(%domain, changes, "digest older than a week dropped");
    } else if changes > 0 {
        info!(%domain, changes, "sending digest");
        let failing = context.store.count_failing(domain, now).await?;
        let news = DomainNews::Digest { changes: news, others, failing };
        notify_admins(context, mailer, batch.id, domain, news, request_id).await?;
    }
    context.store.complete_digest(domain, &batch).await?;
    // Changes that were recorded while an earlier attempt waited for the mail server, or while the others were counted.
    if context.store.has_news(domain).await? {
        let factor = if others.total() > 0 { LARGE_DIGEST_FACTOR } else { 1 };
        request_digest(context, domain, request_id, context.digest_seconds.saturating_mul(factor)).await?;
    }
    Ok(())
}

/// Continues the count in another invocation, before the timeout of this one.
async fn continue_later(context: &Context, domain: &DomainName, request_id: &str) -> Result<(), Error> {
    info!(%domain, "counting the changes of a digest continues in another invocation");
    context.store.extend_digest_claim(domain, context.in_flight_until()).await?;
    let message = DigestMessage { domain: domain.clone(), request_id: request_id.to_owned() };
    Ok(context.worker.queue.send(&NotifyMessage::Digest(message)).await?)
}

/// Notifies the admins of a domain of a held run, or of a released run whose lost message was sent again.
pub(crate) async fn notify_held_sync(
    context: &Context,
    mailer: &Mailer,
    entry: Ulid,
    (domain, run, is_resent): (&DomainName, Ulid, bool),
    request_id: &str,
) -> Result<(), Error> {
    let expected = if is_resent { RunState::Released } else { RunState::Held };
    let current = context.store.run(domain, run).await?.filter(|run| run.state == expected);
    let Some(Run { counts, held_for, .. }) = current else {
        info!(%entry, "notice superseded: the run is no longer waiting");
        return Ok(());
    };
    let news = DomainNews::Held { run, counts, held_for, is_resent };
    notify_admins(context, mailer, entry, domain, news, request_id).await
}

/// Notifies the admins of a domain of a change of its verification or retirement.
pub(crate) async fn notify_domain_change(
    context: &Context,
    mailer: &Mailer,
    entry: &Entry,
    (domain, change, until): (&DomainName, DomainChange, Option<Timestamp>),
    request_id: &str,
) -> Result<(), Error> {
    let current = context.store.domain(domain).await?;
    if !concerns_domain(change, entry.at, &current.proof(), current.retirement.as_ref()) {
        info!(entry = %entry.id, "notice superseded by a later change of the domain");
        return Ok(());
    }
    notify_admins(context, mailer, entry.id, domain, DomainNews::Changed { change, until }, request_id).await
}

/// Notifies each admin who can act. If there is none, the operators get the notice, with the command to bind an admin.
async fn notify_admins(
    context: &Context,
    mailer: &Mailer,
    id: Ulid,
    domain: &DomainName,
    news: DomainNews,
    request_id: &str,
) -> Result<(), Error> {
    let known = context.community.domain(domain);
    // A retired domain may be missing from the community file; its bound admins are still notified.
    let identities = known.map(|known| known.admin_identities.as_slice()).unwrap_or_default();
    let mut recipients = Vec::new();
    for admin in context.store.admins_of(domain, identities, context.community.issuer()).await? {
        let Some(address) = context.unseal(|sealer| admin.sign_in_address(sealer)).await? else { continue };
        let recipient = Recipient { address, language: admin.language, member: Some(admin.id) };
        recipients.push((NoticeId::to_admin(id, admin.id), recipient));
    }
    let mut missing_admin = None;
    if recipients.is_empty() {
        missing_admin = Some(MissingAdmin { documented: known.map(|known| known.admins.clone()).unwrap_or_default() });
        recipients.push((NoticeId::to_operators(id), Recipient::operators(mailer)));
    }
    let notice = Notice::Admins(AdminNotice { domain: domain.clone(), news, missing_admin });
    for (id, recipient) in recipients {
        deliver(context, mailer, &id, &recipient, &notice, request_id).await?;
    }
    Ok(())
}
