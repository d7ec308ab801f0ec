//! An address for a member who signed in and is eligible.

use membermail_core::address::{Address, LocalPart};
use membermail_core::alias::Refusal;
use membermail_core::audit::{Actor, Cause};
use membermail_core::message::WriteAlias;
use membermail_store::{Asked, Grant, Sealer};
use tracing::info;

use crate::{Context, Error};

pub(crate) async fn grant(context: &Context, wish: WriteAlias) -> Result<(), Error> {
    let WriteAlias { member: id, known_as, domain, request_id } = wish;
    let now = context.clock.now();
    let outcome = match LocalPart::of(&known_as.name) {
        Err(why) => Grant::Refused(Refusal::Name(why)),
        Ok(local_part) => {
            let address = Address { local_part, domain: domain.clone() };
            let (member, existing) = context.store.survivor_with_alias(id, &address).await?;
            let member = member.ok_or(Error::NoMember)?;
            let (existing, limit) = (existing.as_ref().map(|stored| &stored.alias), context.rules.addresses_per_domain);
            let asked = Asked { address: &address, existing, known_as: &known_as, renamed_from: None, limit };
            let cause = Cause { actor: Actor::Member, by: None, request_id: &request_id, now };
            let give = async |sealer: &Sealer| {
                context.store.grant(sealer, &member, asked, &context.domains, cause, &*context.random).await
            };
            context.sealing(give).await?
        }
    };
    if let Grant::Refused(refusal) = &outcome {
        context.store.refuse(id, &domain, refusal, now).await?;
    }
    let word = word(&outcome);
    info!(outcome = word, %domain, "address of member {id} {word}");
    if let Grant::Created { entry, .. } | Grant::Changed { entry, .. } = outcome {
        context.tell(entry, &request_id).await;
    }
    Ok(())
}

/// What a log says of it.
pub(crate) fn word(grant: &Grant) -> &'static str {
    match grant {
        Grant::Created { .. } => "created",
        Grant::Changed { .. } => "changed",
        Grant::Unchanged => "unchanged",
        Grant::Refused(_) => "refused",
        Grant::Banned => "banned",
        Grant::Shredded => "shredded",
    }
}
