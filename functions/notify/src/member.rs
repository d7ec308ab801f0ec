//! Notices to members about one of their addresses, and about linked sign-ins.

use membermail_core::address::Address;
use membermail_core::alias::Reason;
use membermail_core::audit::Entry;
use membermail_core::email::EmailAddress;
use membermail_core::member::MemberId;
use membermail_core::notice::{MemberNews, NoticeId, for_member};
use membermail_core::relevance;
use membermail_notices::{LinkedSignIns, MemberEvent, MemberNotice, Notice};
use membermail_store::{Ended, Member, StoredAlias};
use tracing::info;
use ulid::Ulid;

use crate::deliver::{Delivered, deliver, send};
use crate::failing::notify_rejecting;
use crate::mailer::Mailer;
use crate::reach::{Recipients, recipient, recipients};
use crate::{Context, Error};

/// Notifies the owner of an alias, given member and alias as stored. The caller must settle the returned notice.
pub(crate) async fn notify_owner(
    context: &Context,
    mailer: &Mailer,
    entry: &Entry,
    (member, stored): (Option<Member>, Option<StoredAlias>),
    news: MemberNews,
    request_id: &str,
) -> Result<Option<Ended>, Error> {
    let Some((id, address, _)) = for_member(entry) else { return Ok(None) };
    let Some(recipients) = recipients(context, member, stored).await? else {
        info!(entry = %entry.id, "member {id} has no address for notices");
        return Ok(None);
    };
    let Recipients { member, primary, fallback, usable } = recipients;
    let event = match news {
        MemberNews::Created | MemberNews::Renamed { .. } | MemberNews::Returned | MemberNews::Restored
            if usable == Some(0) =>
        {
            MemberEvent::Unconfirmed
        }
        MemberNews::Renamed { .. } => {
            let from = former_address(context, entry, &member).await?;
            MemberEvent::AddressChanged(MemberNews::Renamed { from })
        }
        news => MemberEvent::AddressChanged(news),
    };
    let comment = match &event {
        MemberEvent::AddressChanged(MemberNews::Suspended { reason: Reason::Banned }) => {
            // A linked member is banned together with the surviving one. After the end of the ban, the reason is gone.
            let survivor = context.store.survivor_of(member.clone()).await?;
            survivor.and_then(|survivor| survivor.ban_reason)
        }
        _ => None,
    };
    let name = member.name().cloned();
    let notice = Notice::Member(MemberNotice { name, address: address.clone(), event, comment });
    let notice_id = NoticeId::to_member(entry.id);
    let (delivered, ended) = send(context, mailer, &notice_id, &primary, &notice, request_id).await?;
    let (Some(fallback), Delivered::Rejected { .. } | Delivered::AlreadyRejected) = (fallback, &delivered) else {
        return Ok(ended);
    };
    if let Some(ended) = ended {
        context.store.settle_notice(&ended, context.worker.clock.now()).await?;
    }
    // A separate notice comes first: it explains why the other one goes to the sign-in address.
    if let Delivered::Rejected { reply, mailbox: true } = delivered {
        notify_rejecting(context, mailer, (id, address), None, reply, request_id).await?;
    }
    let notice_id = NoticeId::to_sign_in_address(entry.id);
    send(context, mailer, &notice_id, &fallback, &notice, request_id).await.map(|(_, ended)| ended)
}

/// The former address that a rename notice mentions, as stored now: it may have changed since the sync planned the rename.
async fn former_address(context: &Context, entry: &Entry, member: &Member) -> Result<Option<Address>, Error> {
    let mut aliases = Vec::new();
    for id in member.ids() {
        aliases.extend(context.store.aliases_of(id).await?.into_iter().map(|stored| stored.alias));
    }
    Ok(relevance::former_address(entry, &aliases).cloned())
}

/// Notifies both sign-in addresses of linked members, so that the owner of either can object to a mistaken link. If a
/// sign-in since the link replaced the first address by the second, the first notice goes to a destination of the first
/// member instead.
pub(crate) async fn notify_linked(
    context: &Context,
    mailer: &Mailer,
    entry: Ulid,
    (member, other): (MemberId, MemberId),
    request_id: &str,
) -> Result<(), Error> {
    let Some(survivor) = context.store.member(member).await? else { return Ok(()) };
    let notice = Notice::Linked(LinkedSignIns { name: survivor.name().cloned() });
    let mut first = context.unseal(|sealer| survivor.sign_in_address(sealer)).await?;
    let second = match context.store.member(other).await? {
        Some(other) if other.merged_into.is_none() => {
            info!(%entry, "notice superseded: the link was undone");
            return Ok(());
        }
        Some(other) => context.unseal(|sealer| other.sign_in_address(sealer)).await?.map(|address| (other, address)),
        None => None,
    };
    if let Some((_, shared)) = second.as_ref().filter(|(_, second)| first.as_ref() == Some(second)) {
        first = other_destination(context, &survivor, shared).await?;
    }
    for (member, address) in first.map(|address| (survivor, address)).into_iter().chain(second) {
        let notice_id = NoticeId::of_link(entry, member.id);
        deliver(context, mailer, &notice_id, &recipient(&member, address), &notice, request_id).await?;
    }
    Ok(())
}

/// A destination of the member other than `excluded`.
async fn other_destination(
    context: &Context,
    member: &Member,
    excluded: &EmailAddress,
) -> Result<Option<EmailAddress>, Error> {
    let destinations = context.store.destinations_of(member.id).await?;
    for stored in destinations.iter().filter(|stored| stored.destination.is_usable()) {
        let address = context.unseal(|sealer| stored.address(sealer, &member.key_context)).await?;
        if address != *excluded {
            return Ok(Some(address));
        }
    }
    Ok(None)
}
