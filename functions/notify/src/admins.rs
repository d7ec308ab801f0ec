//! Notices to the admins of a domain: what changed, gathered into one mail, and a sync that waits for one of them.

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::audit::{DomainChange, Entry};
use membermail_core::clock::later;
use membermail_core::digest::net_changes;
use membermail_core::member;
use membermail_core::message::{Digest as DigestMessage, ToNotify};
use membermail_core::notice::NoticeId;
use membermail_core::relevance::{LIFETIME, concerns_domain, is_expired};
use membermail_notices::{Digest, DomainNews, Held, Notice, WithoutAdmin};
use membermail_runtime::batch::chain;
use membermail_store::{Gathered, Run, RunState};
use tracing::{info, warn};
use ulid::Ulid;

use crate::deliver::{Reader, deliver};
use crate::mailer::Mailer;
use crate::{Context, Error, failure};

/// Pages of changes that one message counts or drops: 10,000 changes, in some five seconds.
const PAGES: usize = 100;
/// A digest that could not name all changes is followed by the next after so many times the usual interval: a first sync
/// of a large team goes on for an hour.
const FLOOD: u16 = 8;

/// Sends the message that will send the digest in so many seconds, unless one is on its way.
///
/// One conditional put decides, so it is noted first and sent second. The note has an end: if this crashes in between, the
/// next change or the sweep asks again once the digest would have been due, and finds what was gathered. While a message of
/// our own is still hidden in the queue, there is nothing to ask.
pub(crate) async fn request_digest(
    context: &Context,
    domain: &DomainName,
    request_id: &str,
    seconds: u16,
) -> Result<(), Error> {
    let now = context.clock.now();
    if context.digests.is_hidden(domain, now) {
        return Ok(());
    }
    let until = later(now, SignedDuration::from_secs(seconds.into()));
    if !context.store.claim_digest(domain, now, until).await? {
        return Ok(());
    }
    let message = DigestMessage { domain: domain.clone(), request_id: request_id.to_owned() };
    let sent = context.inbox.send_later(&ToNotify::Digest(message), seconds).await;
    match &sent {
        Ok(()) => context.digests.hide(domain, now, until),
        Err(_) => {
            if let Err(cause) = context.store.release_digest(domain).await {
                warn!(%domain, cause = chain(&cause), "that no digest is on its way could not be noted");
            }
        }
    }
    Ok(sent?)
}

/// Sends all that is gathered as one mail to each admin. The first message that comes takes all; the others find nothing.
pub(crate) async fn send_digest(context: &Context, message: DigestMessage) -> Result<(), Error> {
    let DigestMessage { domain, request_id } = message;
    let Some(mailer) = context.mail.mailer().await? else { return Ok(()) };
    let sent = digest(context, &mailer, &domain, &request_id).await;
    if sent.is_err() {
        // The queue brings the message back: no other is needed.
        context.store.digest_due(&domain, context.trying_until()).await?;
    }
    sent
}

async fn digest(context: &Context, mailer: &Mailer, domain: &DomainName, request_id: &str) -> Result<(), Error> {
    context.store.release_digest(domain).await?;
    let now = context.clock.now();
    let oldest = now.saturating_sub(LIFETIME).unwrap_or(now);
    let (dropped, is_all) = context.store.drop_news_before(domain, oldest, PAGES).await?;
    if dropped > 0 {
        warn!(%domain, dropped, "changes older than a week are dropped from the digest");
    }
    let gathered = match is_all {
        true => context.store.digest(domain, member::ulid(now, &*context.random), PAGES).await?,
        false => Gathered::Unfinished,
    };
    let batch = match gathered {
        Gathered::Nothing => return Ok(()),
        Gathered::Unfinished => return go_on(context, domain, request_id).await,
        Gathered::All(batch) => batch,
    };
    let (news, others) = (net_changes(&batch.news, now), batch.others);
    let changes = news.len() as u64 + others.total();
    if is_expired(batch.begun(), now) {
        warn!(%domain, changes, "a digest older than a week is dropped");
    } else if changes > 0 {
        info!(%domain, changes, "a digest goes out");
        let tell = |without_admin| {
            Notice::Digest(Digest { domain: domain.clone(), news: news.clone(), others, without_admin })
        };
        every_admin(context, mailer, batch.id, domain, request_id, tell).await?;
    }
    context.store.digest_told(domain, &batch).await?;
    // What came while an earlier try was waiting for the mail server, or while the others were counted.
    if context.store.has_news(domain).await? {
        let pause = if others.total() > 0 { FLOOD } else { 1 };
        request_digest(context, domain, request_id, context.digest_seconds.saturating_mul(pause)).await?;
    }
    Ok(())
}

/// Has the counting go on in another invocation, since one must end before its time is over.
async fn go_on(context: &Context, domain: &DomainName, request_id: &str) -> Result<(), Error> {
    info!(%domain, "the changes for a digest are still being counted");
    context.store.digest_due(domain, context.trying_until()).await?;
    let message = DigestMessage { domain: domain.clone(), request_id: request_id.to_owned() };
    Ok(context.inbox.send(&ToNotify::Digest(message)).await?)
}

/// Notifies the admins of a domain of a run that is held, or of one whose release was lost and sent again.
pub(crate) async fn tell_held(
    context: &Context,
    mailer: &Mailer,
    entry: Ulid,
    (domain, run, is_resent): (&DomainName, Ulid, bool),
    request_id: &str,
) -> Result<(), Error> {
    let waits_as = if is_resent { RunState::Released } else { RunState::Held };
    let waiting = context.store.run(domain, run).await?.filter(|run| run.state == waits_as);
    let Some(Run { counts, held_for, .. }) = waiting else {
        info!(%entry, "the run does not wait any more: its notice is superseded");
        return Ok(());
    };
    let tell = |without_admin| {
        let (domain, held_for) = (domain.clone(), held_for.clone());
        Notice::Held(Held { domain, run, counts, held_for, is_resent, without_admin })
    };
    every_admin(context, mailer, entry, domain, request_id, tell).await
}

/// Notifies the admins of a domain of a change of its proof, or of a decision to retire it.
pub(crate) async fn tell_domain(
    context: &Context,
    mailer: &Mailer,
    entry: &Entry,
    (domain, did, until): (&DomainName, DomainChange, Option<Timestamp>),
    request_id: &str,
) -> Result<(), Error> {
    let current = context.store.domain(domain).await?;
    if !concerns_domain(did, entry.at, &current.proof(), current.retirement.as_ref()) {
        info!(entry = %entry.id, "a later change of the domain supersedes the notice");
        return Ok(());
    }
    let tell = |without_admin| Notice::Domain(DomainNews { domain: domain.clone(), did, until, without_admin });
    every_admin(context, mailer, entry.id, domain, request_id, tell).await
}

/// Notifies each admin who can act. Where there is none, the operators get it, with how to bind one.
async fn every_admin(
    context: &Context,
    mailer: &Mailer,
    id: Ulid,
    domain: &DomainName,
    request_id: &str,
    tell: impl Fn(Option<WithoutAdmin>) -> Notice,
) -> Result<(), Error> {
    let known = context.community.domain(domain);
    // A domain that is retired need not be in the file any more, and its admins are told of that.
    let identities = known.map(|known| known.admin_identities.as_slice()).unwrap_or_default();
    let admins = context.store.admins_of(domain, identities, context.community.issuer()).await?;
    let mut is_reached = false;
    for admin in admins {
        let Some(address) = context.opening(|sealer| admin.sign_in_address(sealer)).await? else { continue };
        let reader = Reader { address, language: admin.language };
        let to = NoticeId::to_admin(id, admin.id);
        let report = async |reply, _| failure::refused(context, &to, Some(admin.id), reply, request_id).await;
        deliver(context, mailer, &to, &reader, &tell(None), report).await?;
        is_reached = true;
    }
    if is_reached {
        return Ok(());
    }
    let documented = known.map(|domain| domain.admins.clone()).unwrap_or_default();
    let reader = Reader { address: mailer.settings.operators.clone(), language: None };
    let to = NoticeId::to_operators(id);
    let report = async |reply, _| Err(Error::OperatorsRefuse(reply));
    deliver(context, mailer, &to, &reader, &tell(Some(WithoutAdmin { documented })), report).await.map(drop)
}
