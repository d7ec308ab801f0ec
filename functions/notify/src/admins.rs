//! Notices to the admins of a domain: what changed, gathered into one mail, and a sync that waits for one of them.

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::audit::{DomainChange, Entry};
use membermail_core::member::{self, LaunchpadName, MemberId};
use membermail_core::message::{Digest as DigestMessage, ToNotify};
use membermail_core::notice::{NoticeId, for_admins};
use membermail_notices::{Digest, DomainNews, Held, Notice};
use tracing::info;
use ulid::Ulid;

use crate::deliver::{Reader, deliver};
use crate::mailer::Mailer;
use crate::{Context, Error, failure};

/// Keeps a change for the next digest, and has that sent in a while.
pub(crate) async fn gather(
    context: &Context,
    domain: &DomainName,
    entry: &Entry,
    request_id: &str,
) -> Result<(), Error> {
    context.store.gather(domain, entry).await?;
    ask_for_digest(context, domain, request_id).await
}

/// Sends the message that will send the digest, unless one is on its way. Sent first and noted second: two messages do
/// no harm, and none would.
pub(crate) async fn ask_for_digest(context: &Context, domain: &DomainName, request_id: &str) -> Result<(), Error> {
    let now = context.clock.now();
    if context.store.digest_is_due(domain, now).await? {
        return Ok(());
    }
    let message = DigestMessage { domain: domain.clone(), request_id: request_id.to_owned() };
    context.inbox.send_later(&ToNotify::Digest(message), context.digest_seconds).await?;
    let until = now.saturating_add(SignedDuration::from_secs(context.digest_seconds.into())).unwrap_or(now);
    context.store.digest_due(domain, until).await?;
    Ok(())
}

/// Sends all that is gathered as one mail to each admin. The first message that comes takes all; the others find nothing.
pub(crate) async fn send_digest(context: &Context, message: DigestMessage) -> Result<(), Error> {
    let DigestMessage { domain, request_id } = message;
    let Some(mailer) = context.mail.mailer().await? else { return Ok(()) };
    let sent = digest(context, &mailer, &domain, &request_id).await;
    if sent.is_err() {
        // The queue brings the message back; nobody need send another.
        context.store.digest_due(&domain, context.trying_until()).await?;
    }
    sent
}

async fn digest(context: &Context, mailer: &Mailer, domain: &DomainName, request_id: &str) -> Result<(), Error> {
    context.store.digest_begins(domain).await?;
    let new = member::ulid(context.clock.now(), &*context.random);
    let Some(batch) = context.store.digest(domain, new).await? else { return Ok(()) };
    let mut news: Vec<_> = batch.news.iter().filter_map(for_admins).map(|(at, news)| (at.clone(), news)).collect();
    // By address, so that one can be found; what happened to the same one stays in the order of time.
    news.sort_by(|one, other| one.0.cmp(&other.0));
    // Where nothing is left, an earlier try told it all and ended before it could say so.
    if !news.is_empty() {
        info!(%domain, changes = news.len(), "a digest goes out");
        let tell = |absent| Notice::Digest(Digest { domain: domain.clone(), news: news.clone(), absent });
        every_admin(context, mailer, batch.id, domain, request_id, tell).await?;
    }
    context.store.digest_told(domain, &batch).await?;
    // What came while an earlier try was waiting for the mail server.
    if context.store.has_news(domain).await? {
        ask_for_digest(context, domain, request_id).await?;
    }
    Ok(())
}

/// Tells the admins of a domain that a sync waits for one of them.
pub(crate) async fn tell_held(
    context: &Context,
    mailer: &Mailer,
    entry: Ulid,
    domain: &DomainName,
    run: Ulid,
    request_id: &str,
) -> Result<(), Error> {
    let counts = context.store.run(domain, run).await?.and_then(|run| run.counts);
    let tell = |absent| Notice::Held(Held { domain: domain.clone(), run, counts, absent });
    every_admin(context, mailer, entry, domain, request_id, tell).await
}

/// Tells the admins of a domain what became of its proof.
pub(crate) async fn tell_domain(
    context: &Context,
    mailer: &Mailer,
    entry: Ulid,
    (domain, did, until): (&DomainName, DomainChange, Option<Timestamp>),
    request_id: &str,
) -> Result<(), Error> {
    let tell = |absent| Notice::Domain(DomainNews { domain: domain.clone(), did, until, absent });
    every_admin(context, mailer, entry, domain, request_id, tell).await
}

async fn every_admin(
    context: &Context,
    mailer: &Mailer,
    id: Ulid,
    domain: &DomainName,
    request_id: &str,
    tell: impl Fn(Vec<LaunchpadName>) -> Notice,
) -> Result<(), Error> {
    let mut absent = Vec::new();
    for name in context.community.domain(domain).map(|domain| domain.admins.as_slice()).unwrap_or_default() {
        let Some((member, reader)) = reach(context, name).await? else {
            absent.push(name.clone());
            continue;
        };
        let to = NoticeId::to_admin(id, name);
        let report = async |reply, _| failure::refused(context, &to, Some(member), reply, request_id).await;
        deliver(context, mailer, &to, &reader, &tell(Vec::new()), report).await?;
    }
    if absent.is_empty() {
        return Ok(());
    }
    let reader = Reader { address: mailer.settings.operators.clone(), language: None };
    let to = NoticeId::to_operators(id);
    let report = async |reply, _| Err(Error::OperatorsRefuse(reply));
    deliver(context, mailer, &to, &reader, &tell(absent), report).await.map(drop)
}

/// An admin who has signed in has an address here.
async fn reach(context: &Context, name: &LaunchpadName) -> Result<Option<(MemberId, Reader)>, Error> {
    let Some(member) = context.store.member_by_name(name).await? else { return Ok(None) };
    let Some(address) = context.opening(|sealer| member.sign_in_address(sealer)).await? else { return Ok(None) };
    Ok(Some((member.id, Reader { address, language: member.language })))
}
