//! Delivers one notice to one address: claim, send, settle.

use jiff::Timestamp;
use membermail_core::email::EmailAddress;
use membermail_core::language::Language;
use membermail_core::member::MemberId;
use membermail_core::notice::NoticeId;
use membermail_notices::{Addressing, ComposeError, Notice, SendError, SmtpReply, compose};
use membermail_return_path::ReturnPath;
use membermail_runtime::batch::chain;
use membermail_runtime::metrics::Measure;
use membermail_store::{Claim, Ended};
use tracing::{error, info, warn};

use crate::mailer::Mailer;
use crate::{Context, Error, rejection};

/// The outcome of a delivery.
pub(crate) enum Delivered {
    /// The mail server accepted the notice, now or in an earlier delivery.
    Accepted,
    /// The mail server rejected the notice permanently.
    Rejected {
        /// The server's reply.
        reply: SmtpReply,
        /// Whether the reply is about the mailbox rather than the message.
        mailbox: bool,
    },
    /// An earlier delivery was rejected permanently.
    AlreadyRejected,
}

/// The recipient of a notice.
pub(crate) struct Recipient {
    pub(crate) address: EmailAddress,
    pub(crate) language: Option<Language>,
    /// Whose notice it is, for reports about it and for its return path. None for the operators, and if a rejection needs no
    /// report.
    pub(crate) member: Option<MemberId>,
}

impl Recipient {
    pub(crate) fn operators(mailer: &Mailer) -> Self {
        Self { address: mailer.settings.operators.clone(), language: None, member: None }
    }
}

/// Sends a notice and settles it.
pub(crate) async fn deliver(
    context: &Context,
    mailer: &Mailer,
    id: &NoticeId,
    recipient: &Recipient,
    notice: &Notice,
    request_id: &str,
) -> Result<Delivered, Error> {
    let (delivered, ended) = send(context, mailer, id, recipient, notice, request_id).await?;
    if let Some(ended) = ended {
        context.store.settle_notice(&ended, context.worker.clock.now()).await?;
    }
    Ok(delivered)
}

/// Sends a notice unless it was sent before or another delivery holds its claim. A permanent rejection is reported before the
/// notice is settled, so that a crash in between repeats the report instead of losing it.
///
/// The caller must settle the returned notice at once: after a crash, the notice is sent again when its claim expires.
pub(crate) async fn send(
    context: &Context,
    mailer: &Mailer,
    id: &NoticeId,
    recipient: &Recipient,
    notice: &Notice,
    request_id: &str,
) -> Result<(Delivered, Option<Ended>), Error> {
    let (reply, mailbox) = match attempt(context, mailer, id, recipient, notice).await? {
        Attempted::Sent => return Ok((Delivered::Accepted, Some(Ended { id: id.clone(), is_sent: true }))),
        Attempted::Before { is_sent: true } => return Ok((Delivered::Accepted, None)),
        Attempted::Before { is_sent: false } => return Ok((Delivered::AlreadyRejected, None)),
        Attempted::Rejected { reply, mailbox } => (reply, mailbox),
    };
    if let Err(cause) = rejection::report_rejection(context, id, recipient.member, reply, request_id).await {
        return Err(release_claim(context, id, cause).await);
    }
    Ok((Delivered::Rejected { reply, mailbox }, Some(Ended { id: id.clone(), is_sent: false })))
}

/// The outcome of an attempt.
pub(crate) enum Attempted {
    /// The mail server accepted the notice now. The caller must settle it at once.
    Sent,
    /// The mail server rejected the notice permanently. The caller must settle it.
    Rejected {
        /// The server's reply.
        reply: SmtpReply,
        /// Whether the reply is about the mailbox rather than the message.
        mailbox: bool,
    },
    /// The notice was settled before.
    Before {
        /// Whether the mail server accepted it.
        is_sent: bool,
    },
}

/// Sends a notice unless it was sent before or another delivery holds its claim. Reports no rejection.
pub(crate) async fn attempt(
    context: &Context,
    mailer: &Mailer,
    id: &NoticeId,
    recipient: &Recipient,
    notice: &Notice,
) -> Result<Attempted, Error> {
    let now = context.worker.clock.now();
    let bounces_to = bounces_to(context, mailer, recipient, now).await?;
    match context.store.claim_notice(id, now).await? {
        Claim::Mine => {}
        Claim::Busy => return Err(Error::Busy),
        Claim::Sent => return Ok(Attempted::Before { is_sent: true }),
        Claim::Refused => return Ok(Attempted::Before { is_sent: false }),
    }
    let Recipient { address: to, language, .. } = recipient;
    let addressing = Addressing { id, to, bounces_to: bounces_to.as_ref(), language: language.as_ref(), now };
    let sent = match compose(notice, addressing, &context.texts, &context.site, &mailer.settings) {
        Ok(mail) => mailer.relay.send(&mail).await,
        Err(cause) => return Err(release_claim(context, id, cause.into()).await),
    };
    let outcome = sent.as_ref().map_or_else(Into::into, |()| "sent");
    context.worker.metrics.record(&Measure::Mail { outcome });
    log_relay_state(context, outcome, sent.as_ref().err()).await;
    let (reply, mailbox) = match sent {
        Ok(()) => {
            info!(notice = id.as_str(), "notice sent");
            return Ok(Attempted::Sent);
        }
        Err(SendError::MailboxUnavailable(reply)) => (reply, true),
        Err(SendError::Rejected(reply)) => (reply, false),
        Err(cause) => {
            context.mail.mark_stale().await;
            return Err(release_claim(context, id, cause.into()).await);
        }
    };
    warn!(notice = id.as_str(), reply = %reply, mailbox, "notice rejected");
    Ok(Attempted::Rejected { reply, mailbox })
}

/// The envelope sender of a notice to a member: an address that the mail host opens when the notice bounces.
async fn bounces_to(
    context: &Context,
    mailer: &Mailer,
    recipient: &Recipient,
    now: Timestamp,
) -> Result<Option<EmailAddress>, Error> {
    let Some((domain, member)) = mailer.settings.return_path_domain.clone().zip(recipient.member) else {
        return Ok(None);
    };
    let return_path = ReturnPath::new(&context.secret.keys().await?, domain);
    let address = return_path.for_notice(member, now);
    Ok(Some(EmailAddress::parse(address.expose()).map_err(|_| ComposeError::Address)?))
}

/// Logs when the mail server begins to reject all our mail, and when it accepts mail again. The alarm goes by the metric.
async fn log_relay_state(context: &Context, outcome: &'static str, error: Option<&SendError>) {
    match error {
        Some(SendError::NotAuthorized(reply)) if context.mail.record_rejected(true).await => {
            error!(outcome, reply = %reply, "mail server rejects all our mail, check the mail secret and the relay");
        }
        // Every other final reply shows that the server serves us.
        None | Some(SendError::MailboxUnavailable(_) | SendError::Rejected(_))
            if context.mail.record_rejected(false).await =>
        {
            info!("mail server no longer rejects all our mail");
        }
        _ => {}
    }
}

/// Releases the claim of a notice that was not sent, so that a retry need not wait until the claim expires.
async fn release_claim(context: &Context, id: &NoticeId, cause: Error) -> Error {
    if let Err(error) = context.store.release_notice(id).await {
        warn!(notice = id.as_str(), cause = chain(&error), "claim could not be released and will expire");
    }
    cause
}
