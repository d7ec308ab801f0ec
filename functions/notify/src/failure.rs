//! Failure reports to the operators: one mail per interval for the same error of the same member, with the number of
//! repetitions that were only counted.

use membermail_core::message::{Failure, REJECTED_NOTICE_STEP};
use membermail_core::notice::{NoticeId, ReportAction};
use membermail_notices::{FailureKind, FailureReport, Notice};
use membermail_runtime::batch::Worker;
use tracing::info;

use crate::deliver::{Recipient, deliver};
use crate::mailer::Mailer;
use crate::{Context, Error};

/// Mails a failure to the operators, or only counts it.
pub(crate) async fn report(context: &Context, failure: Failure) -> Result<(), Error> {
    let Worker { clock, random, .. } = &context.worker;
    let mailer = context.mail.mailer().await?;
    let counted = match context.store.register_failure(&failure, mailer.is_some(), clock.now(), &**random).await? {
        ReportAction::Mail { counted } => counted,
        ReportAction::Busy => return Err(Error::Busy),
        action @ (ReportAction::Counted | ReportAction::Known) => {
            info!(request_id = failure.request_id, step = failure.step, action = ?action, "failure is not mailed again");
            return Ok(());
        }
    };
    let Some(mailer) = mailer else { return Ok(()) };
    let mailed = mail_operators(context, &mailer, &failure, counted).await;
    let outcome = mailed.is_ok().then_some((counted, context.error_interval));
    context.store.record_failure_mail(&failure, outcome, clock.now(), &**random).await?;
    mailed
}

async fn mail_operators(context: &Context, mailer: &Mailer, failure: &Failure, counted: u64) -> Result<(), Error> {
    let Failure { id, member, step, error, cause, request_id } = failure.clone();
    let name = match member {
        Some(member) => context.store.member(member).await?.and_then(|member| member.name().cloned()),
        None => None,
    };
    let kind = match error.parse() {
        Ok(reply) if step == REJECTED_NOTICE_STEP => FailureKind::Notice(reply),
        _ => FailureKind::Message(error),
    };
    let quiet = context.error_interval;
    let notice = Notice::Failure(FailureReport { kind, name, step, cause, request_id, counted, quiet });
    let operators = Recipient::operators(mailer);
    deliver(context, mailer, &NoticeId::of_failure(&id), &operators, &notice, &failure.request_id).await.map(drop)
}
