//! One notice to one address: once, or again later, or never.

use membermail_core::email::EmailAddress;
use membermail_core::language::Language;
use membermail_core::notice::NoticeId;
use membermail_notices::{Addressed, Notice, Reply, SendError, compose};
use membermail_runtime::batch::chain;
use membermail_runtime::metrics::Measure;
use membermail_store::{Claim, Ended};
use tracing::{error, info, warn};

use crate::mailer::Mailer;
use crate::{Context, Error};

/// What became of a notice.
pub(crate) enum Delivered {
    /// The mail server answers for it, now or since before.
    Taken,
    /// It was refused just now, and is not sent again.
    Refused {
        /// With this answer.
        reply: Reply,
        /// Whether it is the mailbox that takes nothing.
        mailbox: bool,
    },
    /// It was refused before.
    RefusedBefore,
}

/// Who reads it.
pub(crate) struct Reader {
    pub(crate) address: EmailAddress,
    pub(crate) language: Option<Language>,
}

/// Delivers a notice, and settles it.
pub(crate) async fn deliver(
    context: &Context,
    mailer: &Mailer,
    id: &NoticeId,
    reader: &Reader,
    notice: &Notice,
    refused: impl AsyncFnOnce(Reply, bool) -> Result<(), Error>,
) -> Result<Delivered, Error> {
    let (delivered, ended) = send(context, mailer, id, reader, notice, refused).await?;
    if let Some(ended) = ended {
        context.store.settle_notice(&ended, context.clock.now()).await?;
    }
    Ok(delivered)
}

/// Sends a notice, unless it was sent or another delivery is at it. A refusal is reported to the caller before it is
/// settled: `refused` makes it known, so that a crash in between repeats the question and loses nothing.
///
/// The caller settles what ended here, at once: until then a crash makes the notice go out again when the claim's lease is
/// over.
pub(crate) async fn send(
    context: &Context,
    mailer: &Mailer,
    id: &NoticeId,
    reader: &Reader,
    notice: &Notice,
    refused: impl AsyncFnOnce(Reply, bool) -> Result<(), Error>,
) -> Result<(Delivered, Option<Ended>), Error> {
    let now = context.clock.now();
    match context.store.claim_notice(id, now).await? {
        Claim::Mine => {}
        Claim::Busy => return Err(Error::Busy),
        Claim::Sent => return Ok((Delivered::Taken, None)),
        Claim::Refused => return Ok((Delivered::RefusedBefore, None)),
    }
    let Reader { address: to, language } = reader;
    let addressed = Addressed { id, to, language: language.as_ref(), now };
    let sent = match compose(notice, addressed, &context.texts, &context.site, &mailer.settings) {
        Ok(letter) => mailer.relay.send(&letter).await,
        Err(cause) => return Err(give_back(context, id, cause.into()).await),
    };
    context.metrics.record(&Measure::Mail { outcome: word(&sent) });
    let ended = |is_sent| Some(Ended { id: id.clone(), is_sent });
    let (reply, mailbox) = match sent {
        Ok(()) => {
            info!(notice = id.as_str(), "a notice is sent");
            return Ok((Delivered::Taken, ended(true)));
        }
        Err(SendError::NoMailbox(reply)) => (reply, true),
        Err(SendError::Refused(reply)) => (reply, false),
        Err(cause) => {
            if let SendError::NotAllowed(reply) = &cause {
                error!(reply = %reply, "the mail server does not let us: look at the mail secret");
            }
            context.mail.doubt().await;
            return Err(give_back(context, id, cause.into()).await);
        }
    };
    warn!(notice = id.as_str(), reply = %reply, mailbox, "a notice is refused");
    if let Err(cause) = refused(reply, mailbox).await {
        return Err(give_back(context, id, cause).await);
    }
    Ok((Delivered::Refused { reply, mailbox }, ended(false)))
}

/// What the metric says of it.
fn word(sent: &Result<(), SendError>) -> &'static str {
    match sent {
        Ok(()) => "sent",
        Err(SendError::Later(_)) => "later",
        Err(SendError::NotAllowed(_)) => "not-allowed",
        Err(SendError::NoMailbox(_)) => "no-mailbox",
        Err(SendError::Refused(_)) => "refused",
    }
}

/// Releases the claim of a notice that was not sent, so that the next try need not wait for its lease.
async fn give_back(context: &Context, id: &NoticeId, cause: Error) -> Error {
    if let Err(release) = context.store.release_notice(id).await {
        // The claim ends by itself.
        warn!(notice = id.as_str(), cause = chain(&release), "a claim could not be given back");
    }
    cause
}
