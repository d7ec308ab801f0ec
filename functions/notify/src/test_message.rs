//! Test messages that members request, and what the mail server says to them. A test message goes to the address itself, so
//! that it takes the way of all other mail. If it fails later, the mail host reports that as a failed delivery.

use jiff::SignedDuration;
use membermail_core::clock::later;
use membermail_core::destination::{Route, route};
use membermail_core::email::EmailAddress;
use membermail_core::message::TestRequest;
use membermail_core::notice::NoticeId;
use membermail_core::status_code::StatusCode;
use membermail_notices::{ComposeError, Notice, TestMessage};
use membermail_store::{Ended, Member, StoredAlias};
use tracing::{info, warn};

use crate::deliver::{Attempted, Recipient, attempt};
use crate::{Context, Error};

/// A test message that comes later would only confuse.
const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// Sends a test message once, if the address is the member's and forwards.
pub(crate) async fn send_test(context: &Context, message: TestRequest) -> Result<(), Error> {
    let TestRequest { member: id, address, id: test, .. } = message;
    let Some(mailer) = context.mail.mailer().await? else {
        warn!("no mail server is configured, the test message is not sent");
        return Ok(());
    };
    let now = context.worker.clock.now();
    let request = context.store.test_message(id, &address).await?;
    let is_current = request.is_some_and(|request| request.id == test && now < later(request.requested, LIFETIME));
    let owned = context.store.survivor_with_alias(id, &address).await?;
    let (Some(member), Some(stored), true) = (owned.0, owned.1, is_current) else {
        info!(%test, "test message superseded");
        return Ok(());
    };
    if !is_forwarded(context, &member, stored).await? {
        info!(%test, "test message to an address that does not forward dropped");
        return Ok(());
    }
    let notice_id = NoticeId::of_test(test);
    let notice = Notice::Test(TestMessage { name: member.name().cloned(), address: address.clone() });
    let to = EmailAddress::parse(&address.to_string()).map_err(|_| ComposeError::Address)?;
    // Without the member, so that a failure is the result of the test and no report to the operators.
    let to = Recipient { address: to, language: member.language, member: None };
    match attempt(context, &mailer, &notice_id, &to, &notice).await? {
        Attempted::Sent => {
            // First, so that a retry after a crash sends no second one.
            context.store.settle_notice(&Ended { id: notice_id, is_sent: true }, now).await?;
            Ok(context.store.record_test(id, &address, test, Ok(now)).await?)
        }
        Attempted::Before { is_sent: true } => Ok(context.store.record_test(id, &address, test, Ok(now)).await?),
        Attempted::Before { is_sent: false } => Ok(()),
        Attempted::Rejected { reply, .. } => {
            if let Ok(status) = StatusCode::parse(&reply.to_string()) {
                context.store.record_test(id, &address, test, Err(&status)).await?;
            }
            Ok(context.store.settle_notice(&Ended { id: notice_id, is_sent: false }, now).await?)
        }
    }
}

/// Whether the address is the member's and mail to it goes to a mailbox.
async fn is_forwarded(context: &Context, member: &Member, stored: StoredAlias) -> Result<bool, Error> {
    if member.is_banned() || !stored.alias.status.forwards() || !member.ids().any(|id| id == stored.alias.member) {
        return Ok(false);
    }
    let forwarding = context.store.forwarding_of(stored).await?;
    let destinations = forwarding.destinations.iter().map(|known| &known.destination);
    Ok(matches!(route(forwarding.stored.paused, destinations), Route::To(_)))
}
