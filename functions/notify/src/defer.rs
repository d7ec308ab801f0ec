//! Keeps notices while the mail server rejects all our mail. Only an operator can end that, so quick retries would be useless
//! and would fill the dead-letter queue. The sweep sends the notices after the fix without manual work.

use membermail_core::message::{ChangeNotice, Digest, NotifyMessage};
use tracing::warn;

use crate::{Context, Error};

/// Delay of a message that is not in the table: about the interval of the sweep, and the maximum of SQS.
const DELAY_SECONDS: u16 = 900;

/// Leaves the message to the sweep if its content is in the table, and otherwise enqueues it again. A crash in between
/// repeats the message, which its handler expects.
pub(crate) async fn defer(context: &Context, message: NotifyMessage, cause: Error) -> Result<(), Error> {
    match &message {
        NotifyMessage::Change(ChangeNotice { entry, .. }) => {
            // Ends the lease of the attempts so far, so that the next sweep finds the entry.
            context.store.mark_in_flight(*entry, context.worker.clock.now()).await?;
        }
        NotifyMessage::Digest(Digest { domain, .. }) => context.store.release_digest(domain).await?,
        NotifyMessage::Failed(_) | NotifyMessage::Undeliverable(_) | NotifyMessage::Test(_) => {
            context.worker.queue.send_delayed(&message, DELAY_SECONDS).await?;
        }
        // Sends no mail.
        NotifyMessage::Sweep => return Err(cause),
    }
    warn!("mail server rejects all our mail, notice waits for the next sweep");
    Ok(())
}
