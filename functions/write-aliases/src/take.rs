//! A part of a plan. Each step is applied on its own: one that fails brings the message back, and those that were applied
//! are then stale.

use membermail_core::address::Address;
use membermail_core::alias::Status;
use membermail_core::audit::{Actor, Cause};
use membermail_core::lifecycle::{Action, Step};
use membermail_core::message::TakeSteps;
use membermail_runtime::batch::Retryable;
use membermail_store::{Applied, Erasure, Grant, Sealer, Terms};
use tracing::{info, warn};

use crate::grant::{self, Wanted, word};
use crate::{Context, Error};

pub(crate) async fn take(context: &Context, message: TakeSteps) -> Result<(), Error> {
    let TakeSteps { run, steps, request_id, read_at } = message;
    let run = run.to_string();
    let terms = Terms { domains: &context.domains, rules: &context.rules, read_at };
    let mut failed = None;
    for step in &steps {
        let cause = Cause { actor: Actor::Sync, by: Some(&run), request_id: &request_id, now: context.clock.now() };
        let taken = match &step.action {
            Action::Create => give(context, step, None, cause).await,
            Action::Rename { from } => {
                let from = Address { local_part: from.clone(), domain: step.address.domain.clone() };
                give(context, step, Some(&from), cause).await
            }
            Action::Restore | Action::Leave { .. } | Action::Suspend { .. } | Action::Retire | Action::Observe => {
                change(context, step, terms, cause).await
            }
        };
        match taken {
            Ok(word) => info!(run, outcome = word, domain = %step.address.domain,
                "address of member {} {word}", step.member),
            // The others are taken all the same; this one comes back with the message.
            Err(cause) => {
                warn!(run, "a step for member {} failed", step.member);
                let cause = Error::Step { member: step.member, cause: Box::new(cause) };
                failed = Some(worth_another_try(failed, cause));
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Of two failures the one that can pass: while there is one, the message is to come again.
fn worth_another_try(earlier: Option<Error>, failure: Error) -> Error {
    match earlier {
        Some(earlier) if earlier.is_retryable() => earlier,
        _ => failure,
    }
}

async fn give(
    context: &Context,
    step: &Step,
    renamed_from: Option<&Address>,
    cause: Cause<'_>,
) -> Result<&'static str, Error> {
    // A step without an observation was not looked up, and grants nothing.
    let Some(known_as) = &step.known_as else { return Ok("unverified") };
    let wanted = Wanted { member: step.member, address: &step.address, known_as, renamed_from };
    let granted = grant::give(context, wanted, cause).await?;
    // The old address is known by the new name once the new one is decided on: a message that is lost or expires before is
    // planned again by the next run.
    if let Some(from) = renamed_from.filter(|_| !matches!(granted, Grant::Expired(_))) {
        context.store.observe_alias(from, step.member, known_as, cause.now).await?;
    }
    Ok(word(&granted))
}

async fn change(context: &Context, step: &Step, terms: Terms<'_>, cause: Cause<'_>) -> Result<&'static str, Error> {
    let take = async |sealer: &Sealer| context.store.apply(sealer, step, terms, cause, &*context.random).await;
    let taken = context.sealing(take).await?;
    // Also where the step is an old one: its first delivery may have ended between the two.
    if step.action == Action::Retire {
        erase(context, step, cause).await?;
    }
    match taken {
        Applied::Done { alias, entry } => {
            if alias.status != Status::Retired {
                context.tell(entry, cause.request_id).await;
            }
            Ok(alias.status.as_str())
        }
        Applied::Stale => Ok("stale"),
        Applied::Early => {
            warn!("a step for member {} came before its time: the clock that planned it is ahead", step.member);
            Ok("early")
        }
        Applied::Expired(expired) => {
            info!(why = expired.as_str(), domain = %step.address.domain, "a step for member {} expired", step.member);
            Ok("expired")
        }
        Applied::Observed => Ok("observed"),
    }
}

/// Erases the member's personal data, if their last alias is retired. The alias is marked until that is decided, so that a
/// message which failed for good is planned again.
async fn erase(context: &Context, step: &Step, cause: Cause<'_>) -> Result<(), Error> {
    match context.store.shred(step.member, cause, &*context.random).await? {
        Erasure::Done | Erasure::NotDue => Ok(context.store.end_erasure(step).await?),
        Erasure::Postponed => {
            info!("member {} signed in a moment ago: the personal data stays for now", step.member);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use membermail_core::member::MemberId;
    use membermail_store::StoreError;

    use super::*;

    fn step(cause: Error) -> Error {
        let member = MemberId::parse("01KATW4Y00ZZZZZZZZZZZZZZZZ").unwrap();
        Error::Step { member, cause: Box::new(cause) }
    }

    #[test]
    fn a_message_comes_again_while_one_of_its_steps_can_succeed() {
        let (passes, stays) = (|| step(StoreError::Conflict.into()), || step(Error::NoMember));
        assert!(worth_another_try(None, passes()).is_retryable());
        assert!(worth_another_try(Some(passes()), stays()).is_retryable());
        assert!(worth_another_try(Some(stays()), passes()).is_retryable());
        assert!(!worth_another_try(Some(stays()), stays()).is_retryable());
    }
}
