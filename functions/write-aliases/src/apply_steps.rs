//! Applies the steps of a plan one by one. If a step fails, the message is redelivered; the steps that were applied are then
//! stale, so applying them is idempotent.

use membermail_core::address::Address;
use membermail_core::alias::{GrantRequest, Status};
use membermail_core::audit::{Actor, Cause};
use membermail_core::lifecycle::{Action, Step};
use membermail_core::message::ApplySteps;
use membermail_runtime::batch::Retryable;
use membermail_store::{Applied, Erasure, GrantOutcome, Terms};
use tracing::{info, warn};

use crate::grant::{self, outcome_label};
use crate::{Context, Error};

pub(crate) async fn apply_steps(context: &Context, message: ApplySteps) -> Result<(), Error> {
    let ApplySteps { run, steps, request_id, read_at } = message;
    let run = run.to_string();
    let terms = Terms { domains: &context.domains, rules: &context.rules, read_at };
    let mut failed = None;
    for step in &steps {
        let cause =
            Cause { actor: Actor::Sync, by: Some(&run), request_id: &request_id, now: context.worker.clock.now() };
        let applied = match &step.action {
            Action::Create => grant_address(context, step, None, cause).await,
            Action::Rename { from } => {
                let from = Address { local_part: from.clone(), domain: step.address.domain.clone() };
                grant_address(context, step, Some(&from), cause).await
            }
            Action::Restore | Action::Leave { .. } | Action::Suspend { .. } | Action::Retire | Action::Observe => {
                change_alias(context, step, terms, cause).await
            }
        };
        match applied {
            Ok(outcome) => info!(run, outcome, domain = %step.address.domain,
                "address of member {} {outcome}", step.member),
            // The other steps are applied anyway; the redelivered message retries this one.
            Err(cause) => {
                warn!(run, "step for member {} failed", step.member);
                let cause = Error::Step { member: step.member, cause: Box::new(cause) };
                failed = Some(prefer_retryable(failed, cause));
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

/// The error to return for two failed steps: a retryable one, if any, so that the message is retried.
fn prefer_retryable(earlier: Option<Error>, failure: Error) -> Error {
    match earlier {
        Some(earlier) if earlier.is_retryable() => earlier,
        _ => failure,
    }
}

async fn grant_address(
    context: &Context,
    step: &Step,
    renamed_from: Option<&Address>,
    cause: Cause<'_>,
) -> Result<&'static str, Error> {
    // A step without an observation was not verified by a look-up and grants nothing.
    let Some(known_as) = &step.known_as else { return Ok("unverified") };
    let limit = context.rules.addresses_per_domain;
    let request = GrantRequest { address: &step.address, existing: None, known_as, renamed_from, limit };
    let granted = grant::grant_address(context, step.member, request, cause).await?;
    // The old address gets the new name only after the decision on the new address. If the message is lost or expires before,
    // the next run plans the rename again.
    if let Some(from) = renamed_from.filter(|_| !matches!(granted, GrantOutcome::Expired(_))) {
        context.store.observe_alias(from, step.member, known_as, cause.now).await?;
    }
    Ok(outcome_label(&granted))
}

async fn change_alias(
    context: &Context,
    step: &Step,
    terms: Terms<'_>,
    cause: Cause<'_>,
) -> Result<&'static str, Error> {
    let random = &*context.worker.random;
    let applied = context.store.apply(step, terms, cause, random).await?;
    // Even if the step is stale: its first delivery may have crashed before the erasure.
    if step.action == Action::Retire {
        erase(context, step, cause).await?;
    }
    match applied {
        Applied::Done { alias, entry } => {
            if alias.status != Status::Retired {
                context.worker.enqueue_notice(entry, cause.request_id).await;
            }
            Ok(alias.status.into())
        }
        Applied::Stale => Ok("stale"),
        Applied::Early => {
            warn!("step for member {} is early: the clock of the run that planned it was ahead", step.member);
            Ok("early")
        }
        Applied::Expired(expired) => {
            info!(why = %expired, domain = %step.address.domain, "step for member {} expired", step.member);
            Ok("expired")
        }
        Applied::Observed => Ok("observed"),
    }
}

/// Erases the member's personal data (crypto-shredding) if their last alias is retired. The alias stays marked until this is
/// decided, so that a sync plans the erasure again if the message failed permanently.
async fn erase(context: &Context, step: &Step, cause: Cause<'_>) -> Result<(), Error> {
    match context.store.erase(step.member, cause, &*context.worker.random).await? {
        Erasure::Done | Erasure::NotDue => Ok(context.store.end_erasure(step).await?),
        Erasure::Postponed => {
            info!("erasure of member {} postponed: they signed in just now", step.member);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use membermail_core::member::MemberId;
    use membermail_store::StoreError;

    use super::*;

    fn step_error(cause: Error) -> Error {
        let member = MemberId::parse("01KATW4Y00ZZZZZZZZZZZZZZZZ").unwrap();
        Error::Step { member, cause: Box::new(cause) }
    }

    fn temporary() -> Error {
        step_error(StoreError::Conflict.into())
    }

    fn permanent() -> Error {
        step_error(Error::NoMember)
    }

    #[test]
    fn retryable_step_makes_message_retryable() {
        assert!(prefer_retryable(None, temporary()).is_retryable());
        assert!(prefer_retryable(Some(temporary()), permanent()).is_retryable());
        assert!(prefer_retryable(Some(permanent()), temporary()).is_retryable());
        assert!(!prefer_retryable(Some(permanent()), permanent()).is_retryable());
    }
}
