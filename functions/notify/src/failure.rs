//! Notices to the operators: once an interval for the same error of the same member, with the count of the others.

use membermail_core::member::MemberId;
use membermail_core::message::{Failure, ToNotify};
use membermail_core::notice::{Heard, NoticeId};
use membermail_notices::{Failed, Notice, Reply, What};
use tracing::{error, info};

use crate::deliver::{Reader, deliver};
use crate::mailer::Mailer;
use crate::{Context, Error};

/// The step of a notice that a mail server refused.
const STEP: &str = "notify";

/// Has the operators told that a notice was refused for good.
pub(crate) async fn refused(
    context: &Context,
    id: &NoticeId,
    member: Option<MemberId>,
    reply: Reply,
    request_id: &str,
) -> Result<(), Error> {
    let failure = Failure {
        id: id.to_string(),
        member,
        step: STEP.to_owned(),
        error: reply.to_string(),
        cause: "the mail server refuses a notice to this member, and does not want it again".to_owned(),
        request_id: request_id.to_owned(),
    };
    context.inbox.send(&ToNotify::Failed(failure)).await?;
    Ok(())
}

/// Mails a failure, or counts it.
pub(crate) async fn tell(context: &Context, failure: Failure) -> Result<(), Error> {
    let (now, random) = (context.clock.now(), &*context.random);
    let mailer = context.mail.mailer().await?;
    let counted = match context.store.hear(&failure, mailer.is_some(), now, random).await? {
        Heard::Mail { counted } => counted,
        Heard::Busy => return Err(Error::Busy),
        heard @ (Heard::Counted | Heard::Known) => {
            info!(request_id = failure.request_id, step = failure.step, ?heard, "an error that was mailed before");
            return Ok(());
        }
    };
    let Some(mailer) = mailer else { return Ok(()) };
    let mailed = mail(context, &mailer, &failure, counted).await;
    let outcome = mailed.is_ok().then_some((counted, context.error_interval));
    context.store.heard(&failure, outcome, context.clock.now(), random).await?;
    mailed
}

async fn mail(context: &Context, mailer: &Mailer, failure: &Failure, counted: u64) -> Result<(), Error> {
    let Failure { id, member, step, error, cause, request_id } = failure.clone();
    let name = match member {
        Some(member) => context.store.member(member).await?.and_then(|member| member.name().cloned()),
        None => None,
    };
    let what = match error.parse() {
        Ok(reply) if step == STEP => What::Notice(reply),
        _ => What::Message(error),
    };
    let quiet = context.error_interval;
    let notice = Notice::Failed(Failed { what, name, step, cause, request_id, counted, quiet });
    let reader = Reader { address: mailer.settings.operators.clone(), language: None };
    let refused = async |reply: Reply, _| {
        error!(reply = %reply, "the operators' own address refuses mail: look at the mail secret");
        Err(Error::OperatorsRefuse(reply))
    };
    deliver(context, mailer, &NoticeId::of_failure(&id), &reader, &notice, refused).await.map(drop)
}
