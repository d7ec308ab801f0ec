//! An address for an eligible member: after a sign-in, and by a step of a plan.

use membermail_core::address::{Address, LocalPart};
use membermail_core::alias::Refusal;
use membermail_core::audit::{Actor, Cause};
use membermail_core::expiry::Present;
use membermail_core::member::{MemberId, ObservedName};
use membermail_core::message::WriteAlias;
use membermail_store::{Asked, Grant, Sealer};
use tracing::info;

use crate::{Context, Error};

/// Who is to get which address.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) member: MemberId,
    pub(crate) address: &'a Address,
    /// What the membership source called the member when it said that they are eligible.
    pub(crate) known_as: &'a ObservedName,
    /// The address that the member had before a rename.
    pub(crate) renamed_from: Option<&'a Address>,
}

pub(crate) async fn grant(context: &Context, wish: WriteAlias) -> Result<(), Error> {
    let WriteAlias { member: id, known_as, domain, request_id } = wish;
    let cause = Cause { actor: Actor::Member, by: None, request_id: &request_id, now: context.clock.now() };
    let granted = match LocalPart::of(&known_as.name) {
        Ok(local_part) => {
            let address = Address { local_part, domain: domain.clone() };
            give(context, Wanted { member: id, address: &address, known_as: &known_as, renamed_from: None }, cause)
                .await?
        }
        Err(why) => {
            let now = cause.now;
            let present = Present { domains: &context.domains, newest: None, ban_changed_at: None, now };
            let refusal = Refusal::Name(why);
            match present.check_grant(&known_as, &domain) {
                Ok(()) => context.store.refuse(id, &domain, &refusal, now).await?,
                Err(expired) => info!(why = expired.as_str(), %domain, "a refusal for member {id} expired"),
            }
            Grant::Refused(refusal)
        }
    };
    let word = word(&granted);
    info!(outcome = word, %domain, "address of member {id} {word}");
    Ok(())
}

/// Gives the address, or records why not, and asks for the change to be told.
pub(crate) async fn give(context: &Context, wanted: Wanted<'_>, cause: Cause<'_>) -> Result<Grant, Error> {
    let Wanted { member: id, address, known_as, renamed_from } = wanted;
    let (member, existing) = context.store.survivor_with_alias(id, address).await?;
    let member = member.ok_or(Error::NoMember)?;
    let (existing, limit) = (existing.as_ref().map(|stored| &stored.alias), context.rules.addresses_per_domain);
    let asked = Asked { address, existing, known_as, renamed_from, limit };
    let give = async |sealer: &Sealer| {
        context.store.grant(sealer, &member, asked, &context.domains, cause, &*context.random).await
    };
    let granted = context.sealing(give).await?;
    match &granted {
        Grant::Created { entry, .. } | Grant::Changed { entry, .. } => context.tell(*entry, cause.request_id).await,
        Grant::Refused(refusal) => context.store.refuse(member.id, &address.domain, refusal, cause.now).await?,
        Grant::Expired(expired) => {
            info!(why = expired.as_str(), domain = %address.domain, "a grant for member {id} expired");
            // No sync asks for a domain that was removed.
            if context.domains.contains(&address.domain) {
                context.store.note_expired_grant(&address.domain, member.id).await?;
            }
        }
        Grant::Unchanged | Grant::Banned | Grant::Shredded => {}
    }
    Ok(granted)
}

/// The word for logs.
pub(crate) fn word(grant: &Grant) -> &'static str {
    match grant {
        Grant::Created { .. } => "created",
        Grant::Changed { .. } => "changed",
        Grant::Unchanged => "unchanged",
        Grant::Refused(_) => "refused",
        Grant::Banned => "banned",
        Grant::Shredded => "shredded",
        Grant::Expired(_) => "expired",
    }
}
