//! Records failed deliveries that the mail host reports, and has the member notified.
//!
//! The reports come from outside of AWS, so only what is plausible counts: a recent time, and an address that we forward.

use jiff::Timestamp;
use membermail_core::address::Address;
use membermail_core::destination::DestinationId;
use membermail_core::failing::{Failing, check_report};
use membermail_core::member::MemberId;
use membermail_core::message::{
    DeliveryFailure, Failure, ForwardFailure, NoticeFailure, NotifyMessage, REJECTED_NOTICE_STEP, Undeliverable,
};
use membermail_core::status_code::StatusCode;
use membermail_store::{FailedDestination, FailureRecord};
use tracing::{info, warn};

use crate::{Context, Error};

pub(crate) async fn handle_failure(context: &Context, message: DeliveryFailure) -> Result<(), Error> {
    let now = context.worker.clock.now();
    if let Err(why) = check_report(message.at(), now) {
        warn!(%why, "report of a failed delivery dropped");
        return Ok(());
    }
    match message {
        DeliveryFailure::Forwarded(failure) => record_forward_failure(context, failure).await,
        DeliveryFailure::Notice(failure) => report_notice_failure(context, failure).await,
    }
}

/// Records the failure at the address and at its destination. Requests a notice at most once a week, and another one when the
/// destination has failed for a day or a test message failed. The notice is requested before that is recorded, so a crash in
/// between repeats the request, and `notify` claims the notice.
async fn record_forward_failure(context: &Context, failure: ForwardFailure) -> Result<(), Error> {
    let ForwardFailure { address, destination, reply, at, request_id } = failure;
    let domain = &address.domain;
    if !context.domains.contains(domain) {
        warn!("report of a failed delivery at a foreign domain dropped");
        return Ok(());
    }
    let now = context.worker.clock.now();
    let failing = match context.store.record_failure(&address, &reply, at, &*context.worker.random).await? {
        FailureRecord::Recorded(failing) => {
            info!(%domain, %reply, count = failing.count, "failed delivery recorded");
            failing
        }
        FailureRecord::Known(failing) => {
            info!(%domain, %reply, "failed delivery was recorded before");
            failing
        }
        FailureRecord::NotForwarding => {
            info!(%domain, %reply, "failed delivery concerns no address that forwards now");
            return Ok(());
        }
    };
    let rejecting = find_destination(context, &address, destination).await?;
    if rejecting.is_none() && destination.is_some() {
        // The member has replaced it.
        return Ok(());
    }
    let is_failing_now = match rejecting {
        Some(id) => record_at_destination(context, id, &address, &reply, at).await?,
        None => false,
    };
    if !is_failing_now && !failing.is_notice_due(now) {
        return Ok(());
    }
    let Failing { last, .. } = failing;
    let reply = if is_failing_now { reply } else { failing.reply };
    let destination = rejecting.map(|(_, destination)| destination);
    let notice = Undeliverable { address: address.clone(), destination, reply: reply.to_string(), request_id };
    context.worker.notify_queue.send(&NotifyMessage::Undeliverable(notice)).await?;
    Ok(context.store.mark_failure_notified(&address, last, now).await?)
}

/// The destination that a report is about, with its member, if the address forwards to it now. A mail host that names none
/// means the only one.
async fn find_destination(
    context: &Context,
    address: &Address,
    named: Option<DestinationId>,
) -> Result<Option<(MemberId, DestinationId)>, Error> {
    let Some(stored) = context.store.alias(address).await? else { return Ok(None) };
    let found = match (named, &stored.destinations[..]) {
        (Some(named), all) => all.iter().find(|known| **known == named),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    if found.is_none() {
        info!(domain = %address.domain, "failed delivery concerns no known destination of the address");
    }
    Ok(found.map(|destination| (stored.alias.member, *destination)))
}

/// Records the failure at the destination. Returns whether the destination is failing since this report.
async fn record_at_destination(
    context: &Context,
    (member, destination): (MemberId, DestinationId),
    address: &Address,
    reply: &StatusCode,
    at: Timestamp,
) -> Result<bool, Error> {
    let random = &*context.worker.random;
    let id = (member, destination);
    match context.store.record_destination_failure(id, address, reply, at, random).await? {
        FailedDestination::Recorded { failures, fails_now } => {
            info!(%destination, count = failures.count, fails_now, "failed delivery recorded at its destination");
            Ok(fails_now)
        }
        FailedDestination::Unchanged => {
            // An earlier attempt at this report may have ended before it requested the notice.
            let known = context.store.destination(member, destination).await?;
            let failures = known.and_then(|known| known.destination.failures);
            Ok(failures.is_some_and(|failures| failures.last == at && failures.is_failing(at)))
        }
    }
}

/// Reports a bounced notice to the operators, as `notify` does if the mail server rejects it. The time makes the report's id,
/// so that a repeated message is counted once.
async fn report_notice_failure(context: &Context, failure: NoticeFailure) -> Result<(), Error> {
    let NoticeFailure { member, reply, at, request_id } = failure;
    if context.store.member(member).await?.is_none() {
        warn!("report of a bounced notice to an unknown member dropped");
        return Ok(());
    }
    info!(%reply, "notice to member {member} bounced");
    let report = Failure {
        id: format!("bounce.{member}.{}", at.as_second()),
        member: Some(member),
        step: REJECTED_NOTICE_STEP.to_owned(),
        error: reply.to_string(),
        cause: "a notice to this member bounced".to_owned(),
        request_id,
    };
    Ok(context.worker.notify_queue.send(&NotifyMessage::Failed(report)).await?)
}

#[cfg(test)]
#[path = "delivery_failure_tests.rs"]
mod tests;
