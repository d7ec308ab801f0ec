//! Grants an address to an eligible member, after a sign-in or as a step of a plan.

use membermail_core::address::{Address, LocalPart};
use membermail_core::alias::{GrantRequest, Refusal};
use membermail_core::audit::{Actor, Cause};
use membermail_core::expiry::Present;
use membermail_core::member::MemberId;
use membermail_core::message::AliasGrant;
use membermail_store::GrantOutcome;
use tracing::info;

use crate::{Context, Error};

pub(crate) async fn handle_grant(context: &Context, message: AliasGrant) -> Result<(), Error> {
    let AliasGrant { member: id, known_as, domain, request_id } = message;
    let cause = Cause { actor: Actor::Member, by: None, request_id: &request_id, now: context.worker.clock.now() };
    let granted = match LocalPart::of(&known_as.name) {
        Ok(local_part) => {
            let address = Address { local_part, domain: domain.clone() };
            let limit = context.rules.addresses_per_domain;
            let known_as = &known_as;
            let request = GrantRequest { address: &address, existing: None, known_as, renamed_from: None, limit };
            grant_address(context, id, request, cause).await?
        }
        Err(why) => {
            let now = cause.now;
            let present = Present { domains: &context.domains, newest: None, ban_changed_at: None, now };
            let refusal = Refusal::Name(why);
            match present.check_grant(&known_as, &domain) {
                Ok(()) => context.store.refuse(id, &domain, &refusal, now).await?,
                Err(expired) => info!(why = %expired, %domain, "refusal for member {id} expired"),
            }
            GrantOutcome::Refused(refusal)
        }
    };
    let outcome = outcome_label(&granted);
    info!(outcome, %domain, "address of member {id} {outcome}");
    Ok(())
}

/// Grants the address or records the refusal, and enqueues the notice.
pub(crate) async fn grant_address(
    context: &Context,
    id: MemberId,
    request: GrantRequest<'_>,
    cause: Cause<'_>,
) -> Result<GrantOutcome, Error> {
    let address = request.address;
    let (member, existing) = context.store.survivor_with_alias(id, address).await?;
    let member = member.ok_or(Error::NoMember)?;
    let request = GrantRequest { existing: existing.as_ref().map(|stored| &stored.alias), ..request };
    let Context { store, domains, worker, .. } = context;
    let granted = store.grant(&member, request, domains, cause, &*worker.random).await?;
    match &granted {
        GrantOutcome::Created { entry, .. } | GrantOutcome::Changed { entry, .. } => {
            context.worker.enqueue_notice(*entry, cause.request_id).await
        }
        GrantOutcome::Refused(refusal) => context.store.refuse(member.id, &address.domain, refusal, cause.now).await?,
        GrantOutcome::Expired(expired) => {
            info!(why = %expired, domain = %address.domain, "grant for member {id} expired");
            // A domain that left the community file has no sync to repeat the grant.
            if context.domains.contains(&address.domain) {
                context.store.note_expired_grant(&address.domain, member.id).await?;
            }
        }
        GrantOutcome::Unchanged | GrantOutcome::Banned | GrantOutcome::Erased => {}
    }
    Ok(granted)
}

/// The outcome for logs.
pub(crate) fn outcome_label(grant: &GrantOutcome) -> &'static str {
    match grant {
        GrantOutcome::Created { .. } => "created",
        GrantOutcome::Changed { .. } => "changed",
        GrantOutcome::Unchanged => "unchanged",
        GrantOutcome::Refused(_) => "refused",
        GrantOutcome::Banned => "banned",
        GrantOutcome::Erased => "erased",
        GrantOutcome::Expired(_) => "expired",
    }
}
