//! The addresses at which a member can be reached. A notice about an address goes to the first mailbox that it forwards to, or
//! to the sign-in address if that one rejects mail. A notice about the mailboxes goes to all of them.

use membermail_core::destination::Destination;
use membermail_core::email::EmailAddress;
use membermail_store::{Member, StoredAlias};

use crate::deliver::Recipient;
use crate::{Context, Error};

/// The addresses for notices about one address.
pub(crate) struct Recipients {
    pub(crate) member: Member,
    pub(crate) primary: Recipient,
    /// Set only if it differs from the primary address.
    pub(crate) fallback: Option<Recipient>,
    /// The number of mailboxes that mail to the address can go to; `None` for a missing alias.
    pub(crate) usable: Option<usize>,
}

/// A mailbox of a member, which they confirmed.
pub(crate) struct Mailbox {
    pub(crate) destination: Destination,
    pub(crate) address: EmailAddress,
}

pub(crate) async fn recipients(
    context: &Context,
    member: Option<Member>,
    stored: Option<StoredAlias>,
) -> Result<Option<Recipients>, Error> {
    let Some(member) = member else { return Ok(None) };
    let mut usable = None;
    // The first destination that mail goes to, or the one to be confirmed.
    let first = match stored.filter(|stored| stored.alias.member == member.id) {
        Some(stored) => {
            let destinations = context.store.forwarding_of(stored).await?.destinations;
            usable = Some(destinations.iter().filter(|known| known.destination.is_usable()).count());
            let kept = destinations.into_iter().filter(|known| known.destination.removed.is_none());
            kept.min_by_key(|known| known.destination.confirmed.is_none())
        }
        None => None,
    };
    let unsealed = context.unseal(|sealer| {
        let first = first.as_ref().map(|known| known.address(sealer, &member.key_context)).transpose()?;
        Ok([first, member.sign_in_address(sealer)?])
    });
    let mut addresses: Vec<_> = unsealed.await?.into_iter().flatten().collect();
    addresses.dedup();
    let mut recipients = addresses.into_iter().map(|address| recipient(&member, address));
    let Some(primary) = recipients.next() else { return Ok(None) };
    let fallback = recipients.next();
    Ok(Some(Recipients { primary, fallback, usable, member }))
}

pub(crate) fn recipient(member: &Member, address: EmailAddress) -> Recipient {
    Recipient { address, language: member.language.clone(), member: Some(member.id) }
}

/// The mailboxes of a member and of all members linked to them, also removed ones; the one that was confirmed first comes
/// first.
pub(crate) async fn mailboxes(context: &Context, member: &Member) -> Result<Vec<Mailbox>, Error> {
    let stored = context.store.all_destinations(member).await?;
    let mut all = Vec::new();
    for (key_context, stored) in stored.iter().filter(|(_, stored)| stored.destination.confirmed.is_some()) {
        let address = context.unseal(|sealer| stored.address(sealer, key_context)).await?;
        all.push(Mailbox { destination: stored.destination.clone(), address });
    }
    all.sort_by_key(|Mailbox { destination, .. }| {
        (destination.confirmed.map(|confirmation| confirmation.at), destination.id)
    });
    Ok(all)
}

/// Each address once, for linked members can have the same mailbox.
pub(crate) fn distinct(mailboxes: impl IntoIterator<Item = Mailbox>) -> Vec<Mailbox> {
    let mut all = Vec::<Mailbox>::new();
    for mailbox in mailboxes {
        if all.iter().all(|known| known.address != mailbox.address) {
            all.push(mailbox);
        }
    }
    all
}
