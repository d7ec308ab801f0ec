//! Reports of permanently rejected notices, as failures of the step that sends them.

use membermail_core::member::MemberId;
use membermail_core::message::{Failure, NotifyMessage, REJECTED_NOTICE_STEP};
use membermail_core::notice::NoticeId;
use membermail_notices::SmtpReply;
use tracing::error;

use crate::{Context, Error};

/// Enqueues a failure report about a notice to a member that was permanently rejected. If the operators' own address rejects
/// it, the message fails instead.
pub(crate) async fn report_rejection(
    context: &Context,
    id: &NoticeId,
    member: Option<MemberId>,
    reply: SmtpReply,
    request_id: &str,
) -> Result<(), Error> {
    if member.is_none() {
        error!(reply = %reply, "operators' address rejects mail, check the mail secret");
        return Err(Error::OperatorsReject(reply));
    }
    let failure = Failure {
        id: id.to_string(),
        member,
        step: REJECTED_NOTICE_STEP.to_owned(),
        error: reply.to_string(),
        cause: "the mail server permanently rejects a notice to this member".to_owned(),
        request_id: request_id.to_owned(),
    };
    context.worker.queue.send(&NotifyMessage::Failed(failure)).await?;
    Ok(())
}
