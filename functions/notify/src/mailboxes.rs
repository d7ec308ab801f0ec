//! Notices to the mailboxes of a member about changes of their destinations: the code to a new mailbox, and all changes to
//! the others, so that a member's mail cannot be diverted unnoticed.
//!
//! The codes are derived here, from the table as it is now. No message and no item contains one.

use membermail_core::audit::{Entry, IdentityChange};
use membermail_core::clock::later;
use membermail_core::destination::{CODE_LIFETIME, DestinationId};
use membermail_core::email::EmailAddress;
use membermail_core::member::MemberId;
use membermail_core::notice::{DestinationNews, NoticeId};
use membermail_core::relevance::{can_revert, hears_of_changes, open_request};
use membermail_notices::{MailboxCode, MailboxEvent, MailboxNotice, Notice, Undo};
use membermail_store::{Ended, Proof, UndoView};
use tracing::info;
use ulid::Ulid;

use crate::deliver::{Attempted, Recipient, attempt, deliver};
use crate::mailer::Mailer;
use crate::reach::{Mailbox, distinct, mailboxes, recipient};
use crate::{Context, Error};

/// Notifies the mailboxes of a member, unless a later change superseded this one.
pub(crate) async fn notify_mailboxes(
    context: &Context,
    mailer: &Mailer,
    entry: &Entry,
    (id, news): (MemberId, DestinationNews),
    request_id: &str,
) -> Result<(), Error> {
    let mut changed = None;
    if let DestinationNews::Requested(destination) = news {
        changed = send_code(context, mailer, entry, (id, destination)).await?;
        if changed.is_none() {
            info!(entry = %entry.id, "notice superseded: the code is no longer valid");
            return Ok(());
        }
    }
    let Some(member) = context.store.survivor(id).await? else { return Ok(()) };
    let now = context.worker.clock.now();
    let undo = find_undo(context, [member.id, id], entry.id).await?;
    if undo.is_some_and(|(_, undo)| undo.is_reverted) {
        info!(entry = %entry.id, "notice superseded: the change was reverted");
        return Ok(());
    }
    let known = mailboxes(context, &member).await?;
    if let DestinationNews::Confirmed(destination) = news {
        let added = known.iter().find(|mailbox| mailbox.destination.id == destination);
        changed = added.map(|mailbox| mailbox.address.clone());
    }
    // The owner of a removed mailbox can revert what happened, but has nothing to do with what may happen.
    let is_change = !matches!(news, DestinationNews::Requested(_) | DestinationNews::Reverted);
    let audience = distinct(known.into_iter().filter(|Mailbox { destination, address }| {
        let hears = if is_change { hears_of_changes(destination, now) } else { destination.is_usable() };
        hears && changed.as_ref() != Some(address)
    }));
    let event = match news {
        DestinationNews::Requested(_) => MailboxEvent::Requested,
        DestinationNews::Confirmed(_) => MailboxEvent::Confirmed,
        DestinationNews::Removed(_) => MailboxEvent::Removed,
        DestinationNews::Redirected(address) => MailboxEvent::Redirected(address),
        DestinationNews::Reverted => MailboxEvent::Reverted,
        DestinationNews::Identity(did, issuer) => {
            let account = context.community.provider_title(&issuer);
            match did {
                IdentityChange::Added => MailboxEvent::AccountAdded(account),
                IdentityChange::Removed => MailboxEvent::AccountRemoved(account),
            }
        }
    };
    let undo = undo_of(context, entry, undo).await?;
    let reverting = can_revert(audience.iter().map(|mailbox| &mailbox.destination), entry.at);
    for Mailbox { destination, address } in audience {
        let undo = undo.clone().filter(|_| reverting.contains(&destination.id));
        let event = event.clone();
        let notice = Notice::Mailbox(MailboxNotice { name: member.name().cloned(), event, at: entry.at, undo });
        let notice_id = NoticeId::to_destination(entry.id, destination.id);
        deliver(context, mailer, &notice_id, &recipient(&member, address), &notice, request_id).await?;
    }
    Ok(())
}

/// Sends the code of a requested confirmation to the new mailbox, and returns the address. None if the code is not valid any
/// more.
async fn send_code(
    context: &Context,
    mailer: &Mailer,
    entry: &Entry,
    (id, destination): (MemberId, DestinationId),
) -> Result<Option<EmailAddress>, Error> {
    // A member who was linked to another one has no page on which to enter the code.
    let member = context.store.member(id).await?.filter(|member| member.merged_into.is_none());
    let Some(member) = member else { return Ok(None) };
    let Some(stored) = context.store.destination(id, destination).await? else { return Ok(None) };
    let now = context.worker.clock.now();
    let Some(pending) = open_request(entry, &stored.destination, member.session_epoch, now) else { return Ok(None) };
    let unsealed = context.unseal(|sealer| {
        let address = stored.address(sealer, &member.key_context)?;
        let code = sealer.code(Proof::Mailbox { member: id, destination, pending, address: &address })?;
        Ok((address, code))
    });
    let (address, code) = unsealed.await?;
    let notice = Notice::Code(MailboxCode { destination, code, until: later(pending.requested_at, CODE_LIFETIME) });
    let notice_id = NoticeId::of_code(entry.id);
    // Without the member: a mailbox that does not exist is a slip of the member and no failure for the operators.
    let to = Recipient { address: address.clone(), language: member.language, member: None };
    let is_sent = match attempt(context, mailer, &notice_id, &to, &notice).await? {
        Attempted::Sent => true,
        Attempted::Rejected { .. } => false,
        Attempted::Before { .. } => return Ok(Some(address)),
    };
    context.store.settle_notice(&Ended { id: notice_id, is_sent }, now).await?;
    Ok(Some(address))
}

/// The record of a change, with the member that has it: the one whose page made the change, which is not the owner of a
/// changed address if the two are linked.
async fn find_undo(
    context: &Context,
    members: [MemberId; 2],
    change: Ulid,
) -> Result<Option<(MemberId, UndoView)>, Error> {
    let now = context.worker.clock.now();
    for member in members {
        if let Some(view) = context.store.undo(member, change, now).await? {
            return Ok(Some((member, view)));
        }
    }
    Ok(None)
}

/// The link and the code that revert the change.
async fn undo_of(context: &Context, entry: &Entry, found: Option<(MemberId, UndoView)>) -> Result<Option<Undo>, Error> {
    let Some((member, UndoView { until, .. })) = found else { return Ok(None) };
    let code = context.unseal(|sealer| sealer.code(Proof::Undo { member, undo: entry.id })).await?;
    Ok(Some(Undo { member, change: entry.id, code, until }))
}
