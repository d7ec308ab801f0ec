//! Notices to a member: to where the address in question forwards; where that refuses mail, to where they sign in. A link
//! concerns no address, so it is told where both members sign in.

use membermail_core::address::Address;
use membermail_core::audit::Entry;
use membermail_core::email::EmailAddress;
use membermail_core::member::MemberId;
use membermail_core::message::Undeliverable;
use membermail_core::notice::{MemberNews, NoticeId, for_member};
use membermail_core::relevance::former_address;
use membermail_notices::{Linked, Member as MemberNotice, Notice, Reply, Said};
use membermail_store::{Ended, Member, Sealer, StoredAlias};
use tracing::{info, warn};
use ulid::Ulid;

use crate::deliver::{Delivered, Reader, deliver, send};
use crate::mailer::Mailer;
use crate::{Context, Error, failure};

/// Where a member can be reached.
struct Reached {
    member: Member,
    first: Reader,
    /// Another address than the first.
    second: Option<Reader>,
}

/// Tells a member what became of an address of theirs, given both as the table has them. The caller settles what ended last.
pub(crate) async fn tell(
    context: &Context,
    mailer: &Mailer,
    entry: &Entry,
    (member, stored): (Option<Member>, Option<StoredAlias>),
    news: MemberNews,
    request_id: &str,
) -> Result<Option<Ended>, Error> {
    let Some((id, address, _)) = for_member(entry) else { return Ok(None) };
    let Some(reached) = reached(context, member, stored).await? else {
        info!(entry = %entry.id, "member {id} has no address left to write to");
        return Ok(None);
    };
    let Reached { member, first, second } = reached;
    let news = match news {
        MemberNews::Renamed { .. } => MemberNews::Renamed { from: former(context, entry, &member).await? },
        news => news,
    };
    let (entry, name, said) = (entry.id, member.name().cloned(), Said::News(news));
    let notice = Notice::Member(MemberNotice { name, address: address.clone(), said });
    let to = NoticeId::to_member(entry);
    let report = async |reply, _| failure::refused(context, &to, Some(id), reply, request_id).await;
    let (delivered, ended) = send(context, mailer, &to, &first, &notice, report).await?;
    let (Some(second), Delivered::Refused { .. } | Delivered::RefusedBefore) = (second, &delivered) else {
        return Ok(ended);
    };
    if let Some(ended) = ended {
        context.store.settle_notice(&ended, context.clock.now()).await?;
    }
    // Why it went there: said first, and on its own, since it is no passing thing.
    if let Delivered::Refused { reply, mailbox: true } = delivered {
        destination_fails(context, mailer, id, address, reply, request_id).await?;
    }
    let to = NoticeId::to_sign_in_address(entry);
    let report = async |reply, _| failure::refused(context, &to, Some(id), reply, request_id).await;
    send(context, mailer, &to, &second, &notice, report).await.map(|(_, ended)| ended)
}

/// The former address that a rename notice mentions. What the plan of the sync said may have changed since.
async fn former(context: &Context, entry: &Entry, member: &Member) -> Result<Option<Address>, Error> {
    let mut aliases = Vec::new();
    for id in member.ids() {
        aliases.extend(context.store.aliases_of(id).await?.into_iter().map(|stored| stored.alias));
    }
    Ok(former_address(entry, &aliases).cloned())
}

/// Tells both of two members that they are one from now on, each where they sign in: if the link is a mistake, either of
/// them can say so. A sign-in since the link may have replaced the first address by the second; then the first notice goes
/// where an address of the first member forwards.
pub(crate) async fn tell_linked(
    context: &Context,
    mailer: &Mailer,
    entry: Ulid,
    (member, other): (MemberId, MemberId),
    request_id: &str,
) -> Result<(), Error> {
    let Some(survivor) = context.store.member(member).await? else { return Ok(()) };
    let notice = Notice::Linked(Linked { name: survivor.name().cloned() });
    let first = context.opening(|sealer| survivor.sign_in_address(sealer)).await?;
    let second = match context.store.member(other).await? {
        Some(other) if other.merged_into.is_none() => {
            info!(%entry, "the link was taken back: its notice is superseded");
            return Ok(());
        }
        Some(other) => context.opening(|sealer| other.sign_in_address(sealer)).await?.map(|to| (to, other.language)),
        None => None,
    };
    let same = second.as_ref().map(|(to, _)| to).filter(|to| first.as_ref() == Some(to));
    let first = match same {
        Some(same) => forwards_elsewhere(context, &survivor, same).await?,
        None => first,
    };
    let second = second.map(|(to, language)| (other, to, language));
    let first = first.map(|to| (member, to, survivor.language));
    for (id, address, language) in first.into_iter().chain(second) {
        let to = NoticeId::of_link(entry, id);
        let report = async |reply, _| failure::refused(context, &to, Some(id), reply, request_id).await;
        deliver(context, mailer, &to, &Reader { address, language }, &notice, report).await?;
    }
    Ok(())
}

/// Where an address of this member forwards, other than there.
async fn forwards_elsewhere(
    context: &Context,
    member: &Member,
    there: &EmailAddress,
) -> Result<Option<EmailAddress>, Error> {
    for stored in context.store.aliases_of(member.id).await? {
        let to = context.opening(|sealer| stored.destination(sealer, &member.salt)).await?;
        if let Some(to) = to.filter(|to| to != there) {
            return Ok(Some(to));
        }
    }
    Ok(None)
}

/// Mail to where an address forwards comes back: whoever handles bounces says so by this message.
pub(crate) async fn tell_undeliverable(context: &Context, message: Undeliverable) -> Result<(), Error> {
    let Undeliverable { address, reply, request_id } = message;
    let Some(mailer) = context.mail.mailer().await? else {
        warn!(reply, "no mail server is configured: nobody is told that a destination fails");
        return Ok(());
    };
    let Some(stored) = context.store.alias(&address).await? else { return Ok(()) };
    let id = stored.alias.member;
    // A code that is none comes from whoever wrote the message; the member is told all the same.
    let reply = reply.parse().unwrap_or(Reply { code: 550, enhanced: None });
    let notice = NoticeId::of_destination(id, &address.domain, context.clock.now());
    failure::refused(context, &notice, Some(id), reply, &request_id).await?;
    destination_fails(context, &mailer, id, &address, reply, &request_id).await
}

/// Tells a member, where they sign in, that mail does not reach them; where that is the same mailbox, nobody can.
async fn destination_fails(
    context: &Context,
    mailer: &Mailer,
    id: MemberId,
    address: &Address,
    reply: Reply,
    request_id: &str,
) -> Result<(), Error> {
    let reached = reach(context, id, address).await?;
    let Some(Reached { member, second: Some(second), .. }) = reached else {
        info!("member {id} has no other address: only the operators are told");
        return Ok(());
    };
    let said = Said::DestinationFails(reply);
    let notice = Notice::Member(MemberNotice { name: member.name().cloned(), address: address.clone(), said });
    let to = NoticeId::of_destination(id, &address.domain, context.clock.now());
    let report = async |reply, _| failure::refused(context, &to, Some(id), reply, request_id).await;
    deliver(context, mailer, &to, &second, &notice, report).await.map(drop)
}

async fn reach(context: &Context, id: MemberId, address: &Address) -> Result<Option<Reached>, Error> {
    let (member, stored) = context.store.member_with_alias(id, address).await?;
    reached(context, member, stored).await
}

async fn reached(
    context: &Context,
    member: Option<Member>,
    stored: Option<StoredAlias>,
) -> Result<Option<Reached>, Error> {
    let Some(member) = member else { return Ok(None) };
    let stored = stored.filter(|stored| stored.alias.member == member.id);
    let open = |sealer: &Sealer| {
        let destination = stored.as_ref().map(|stored| stored.destination(sealer, &member.salt)).transpose()?;
        Ok((destination.flatten(), member.sign_in_address(sealer)?))
    };
    let (destination, sign_in) = context.opening(open).await?;
    let reader = |address| Reader { address, language: member.language.clone() };
    Ok(match (destination, sign_in) {
        (Some(first), second) => {
            let second = second.filter(|second| *second != first).map(reader);
            Some(Reached { first: reader(first), second, member })
        }
        (None, Some(only)) => Some(Reached { first: reader(only), second: None, member }),
        (None, None) => None,
    })
}
