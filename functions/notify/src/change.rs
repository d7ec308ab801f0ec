//! A change that lies in the outbox: told to its member and to the admins of its domain.

use membermail_core::audit::Entry;
use membermail_core::message::Notify;
use membermail_core::notice;
use tracing::{info, warn};

use crate::mailer::Mailer;
use crate::{Context, Error, admins, member};

pub(crate) async fn tell(context: &Context, message: Notify) -> Result<(), Error> {
    let Notify { entry: id, request_id } = message;
    let Some(entry) = context.store.untold(id).await? else {
        info!(entry = %id, "told before");
        return Ok(());
    };
    let Some(mailer) = context.mail.mailer().await? else {
        info!(entry = %id, "no mail server is configured: the notice waits in the outbox");
        return Ok(());
    };
    let told = everybody(context, &mailer, &entry, &request_id).await;
    match &told {
        Ok(()) => context.store.told(id).await?,
        // The queue brings the message back; the sweep need not send another.
        Err(_) => {
            if context.store.is_on_its_way(id, context.trying_until()).await.is_err() {
                warn!(entry = %id, "that it is tried again could not be noted");
            }
        }
    }
    told
}

async fn everybody(context: &Context, mailer: &Mailer, entry: &Entry, request_id: &str) -> Result<(), Error> {
    if let Some((member, address, news)) = notice::for_member(entry) {
        member::tell(context, mailer, entry.id, member, address, news, request_id).await?;
    }
    if let Some((address, _)) = notice::for_admins(entry) {
        admins::gather(context, &address.domain, entry, request_id).await?;
    }
    if let Some((domain, run)) = notice::held_run(entry) {
        admins::tell_held(context, mailer, entry.id, domain, run, request_id).await?;
    }
    if let Some((domain, did, until)) = notice::domain_change(entry) {
        admins::tell_domain(context, mailer, entry.id, (domain, did, until), request_id).await?;
    }
    Ok(())
}
