//! Notices about a destination that rejects mail, at the member's other addresses.

use jiff::SignedDuration;
use membermail_core::address::Address;
use membermail_core::alias::is_loop;
use membermail_core::clock::earlier;
use membermail_core::destination::{DestinationId, DestinationState, Failures};
use membermail_core::email::EmailAddress;
use membermail_core::member::MemberId;
use membermail_core::message::Undeliverable;
use membermail_core::notice::{FAILING_INTERVAL, NoticeId};
use membermail_notices::{MemberEvent, MemberNotice, Notice, SmtpReply};
use membermail_store::{Member, StoredAlias, StoredDestination};
use tracing::{info, warn};

use crate::deliver::{Recipient, deliver};
use crate::mailer::Mailer;
use crate::reach::{Mailbox, Recipients, distinct, mailboxes, recipient, recipients};
use crate::{Context, Error, rejection};

/// Handles a bounce of forwarded mail, as reported by the bounce processor.
pub(crate) async fn handle_undeliverable(context: &Context, message: Undeliverable) -> Result<(), Error> {
    let Undeliverable { address, destination, reply, request_id } = message;
    let Some(mailer) = context.mail.mailer().await? else {
        warn!(reply, "no mail server is configured, the bounce is not reported");
        return Ok(());
    };
    let Some(stored) = context.store.alias(&address).await? else { return Ok(()) };
    let id = stored.alias.member;
    // The sender of the message may have sent an invalid reply code; the member is notified anyway.
    let reply = reply.parse().unwrap_or(SmtpReply { code: 550, enhanced: None });
    let rejecting = match destination {
        Some(destination) => {
            let rejecting = forwarded_to(context, &stored, destination).await?;
            if rejecting.is_none() {
                info!("member {id} no longer forwards to that destination, no notice is sent");
                return Ok(());
            }
            rejecting
        }
        None => None,
    };
    let now = context.worker.clock.now();
    let notice_id = NoticeId::of_destination(id, &address.domain, now);
    let failures = rejecting.as_ref().and_then(|known| known.destination.failures.as_ref());
    // The report comes last, so that attempts at the notice do not repeat it.
    match (&rejecting, failures.filter(|failures| failures.is_failing(now))) {
        (Some(known), Some(failures)) => {
            notify_failing(context, &mailer, &address, (known, failures), &request_id).await?;
        }
        (known, _) => notify_rejecting(context, &mailer, (id, &address), known.as_ref(), reply, &request_id).await?,
    }
    rejection::report_rejection(context, &notice_id, Some(id), reply, &request_id).await
}

/// The destination, if mail to the alias goes there.
async fn forwarded_to(
    context: &Context,
    stored: &StoredAlias,
    destination: DestinationId,
) -> Result<Option<StoredDestination>, Error> {
    if !stored.destinations.contains(&destination) {
        return Ok(None);
    }
    let known = context.store.destination(stored.alias.member, destination).await?;
    Ok(known.filter(|known| known.destination.is_usable()))
}

/// Notifies a member at another address that a destination rejects mail, unless such a notice was sent in the last 24 hours.
/// Without another address, the member cannot be reached by mail, and the account page is the only notice. Without
/// `rejecting`, it is the first destination of the address.
pub(crate) async fn notify_rejecting(
    context: &Context,
    mailer: &Mailer,
    (id, address): (MemberId, &Address),
    rejecting: Option<&StoredDestination>,
    reply: SmtpReply,
    request_id: &str,
) -> Result<(), Error> {
    let (member, stored) = context.store.member_with_alias(id, address).await?;
    let Some(Recipients { member, primary, usable, .. }) = recipients(context, member, stored).await? else {
        return Ok(());
    };
    let rejecting = match rejecting {
        Some(known) => context.unseal(|sealer| known.address(sealer, &member.key_context)).await?,
        None => primary.address,
    };
    let Some(other) = other_address(context, &member, &rejecting).await? else {
        info!("member {id} has no other address, only the operators are notified");
        return Ok(());
    };
    let event = match usable {
        Some(2..) => MemberEvent::OneDestinationRejectsMail(reply),
        _ => MemberEvent::DestinationRejectsMail(reply),
    };
    let name = member.name().cloned();
    let notice = Notice::Member(MemberNotice { name, address: address.clone(), event, comment: None });
    let now = context.worker.clock.now();
    let day_ago = earlier(now, SignedDuration::from_hours(24));
    let notice_id = |at| NoticeId::of_destination(id, &address.domain, at);
    if context.store.is_notice_settled_since(&notice_id(day_ago), day_ago).await? {
        return Ok(());
    }
    deliver(context, mailer, &notice_id(now), &other, &notice, request_id).await.map(drop)
}

/// Notifies a member that a destination has failed for some time: at all their other mailboxes that work, else at the
/// sign-in address. At most once a week for each destination.
async fn notify_failing(
    context: &Context,
    mailer: &Mailer,
    address: &Address,
    (failing, failures): (&StoredDestination, &Failures),
    request_id: &str,
) -> Result<(), Error> {
    let Some(member) = context.store.survivor(failing.member).await? else { return Ok(()) };
    let now = context.worker.clock.now();
    let known = mailboxes(context, &member).await?;
    let id = failing.destination.id;
    let Some(failing) = known.iter().find(|mailbox| mailbox.destination.id == id) else { return Ok(()) };
    let failing = failing.address.clone();
    let works = |mailbox: &Mailbox| {
        let is_confirmed = mailbox.destination.state(now) == DestinationState::Confirmed;
        is_confirmed && mailbox.destination.is_usable() && is_elsewhere(context, &mailbox.address, &failing)
    };
    let others = distinct(known.into_iter().filter(works)).into_iter();
    let mut others: Vec<_> = others.map(|mailbox| (Some(mailbox.destination.id), mailbox.address)).collect();
    if others.is_empty() {
        others.extend(other_sign_in(context, &member, &failing).await?.map(|address| (None, address)));
    }
    let event = MemberEvent::DestinationFails { since: failures.since, reply: failures.reply.clone() };
    let name = member.name().cloned();
    let notice = Notice::Member(MemberNotice { name, address: address.clone(), event, comment: None });
    let since = earlier(now, FAILING_INTERVAL);
    for (to, address) in others {
        let notice_id = |at| NoticeId::of_failing(id, to, at);
        if !context.store.is_notice_settled_since(&notice_id(since), since).await? {
            deliver(context, mailer, &notice_id(now), &recipient(&member, address), &notice, request_id).await?;
        }
    }
    Ok(())
}

/// The sign-in address, else another destination, that is another mailbox than the rejecting one.
async fn other_address(
    context: &Context,
    member: &Member,
    rejecting: &EmailAddress,
) -> Result<Option<Recipient>, Error> {
    let other = match other_sign_in(context, member, rejecting).await? {
        Some(sign_in) => Some(sign_in),
        None => {
            let known = mailboxes(context, member).await?.into_iter();
            let mut usable = known.filter(|mailbox| mailbox.destination.is_usable()).map(|mailbox| mailbox.address);
            usable.find(|other| is_elsewhere(context, other, rejecting))
        }
    };
    Ok(other.map(|address| recipient(member, address)))
}

async fn other_sign_in(
    context: &Context,
    member: &Member,
    rejecting: &EmailAddress,
) -> Result<Option<EmailAddress>, Error> {
    let sign_in = context.unseal(|sealer| member.sign_in_address(sealer)).await?;
    Ok(sign_in.filter(|sign_in| is_elsewhere(context, sign_in, rejecting)))
}

/// Whether an address is another mailbox than the rejecting one. Mail to our own addresses could end in that very mailbox.
fn is_elsewhere(context: &Context, address: &EmailAddress, rejecting: &EmailAddress) -> bool {
    let own: Vec<_> = context.community.domain_names().cloned().collect();
    address != rejecting && !is_loop(address, &own)
}
