//! `POST /check`: a member who is signed in asks for another check of their membership.

use jiff::{SignedDuration, Timestamp};
use lambda_http::{Body, Request, Response};
use membermail_core::member::{Identity, MemberId};
use membermail_core::message::VerifyMember;
use membermail_pages::answer;
use membermail_pages::place::{self, Place};
use membermail_pages::signed_in::{SignedIn, signed_in};
use membermail_runtime::queue::QueueError;
use membermail_store::CheckState;
use tracing::{info, warn};

use crate::context::Context;
use crate::{is_own_form, refused};

/// A check that was asked for this short a time ago is on its way: a second press of the button asks for none.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(1);

/// Asks for the check, if the form is ours, and shows the member's page.
pub(crate) async fn check(context: &Context, request: &Request, place: &Place) -> Response<Body> {
    // Without a session this page offers to sign in.
    let home = answer::see_other(place.join("/").as_str());
    let now = context.clock.now();
    let found = match signed_in(&context.store, request.headers(), place.is_https(), now).await {
        Ok(Some(found)) => found,
        Ok(None) => return home,
        Err(cause) => return refused::unavailable(context, place, &cause),
    };
    let SignedIn { session, member, .. } = found;
    if !is_own_form(request, &session) {
        warn!("a request for a check without the token of its session");
        return refused::foreign_form(context, place, "No check was started");
    }
    // A session from before a link is of the member that was linked; the other one has the identities.
    let member = match context.store.survivor_of(member).await {
        Ok(Some(survivor)) => survivor,
        Ok(None) => return home,
        Err(cause) => return refused::unavailable(context, place, &cause),
    };
    let age = now.duration_since(member.check.requested_at);
    if member.check.state_at(now) == CheckState::Pending && age < ON_ITS_WAY {
        info!("a check of member {} is on its way", member.id);
        return home;
    }
    // Recorded first: the page says that the check is pending, and an earlier message counts as stale.
    if let Err(cause) = context.store.request_check(member.id, now).await {
        return refused::unavailable(context, place, &cause);
    }
    match enqueue(context, member.id, None, now, place::request_id(request)).await {
        Ok(()) => home,
        Err(cause) => refused::unavailable(context, place, &cause),
    }
}

/// Puts a check of this member on the queue. Without an identity `verify-member` asks for all of the member's.
pub(crate) async fn enqueue(
    context: &Context,
    member: MemberId,
    identity: Option<Identity>,
    requested_at: Timestamp,
    request_id: &str,
) -> Result<(), QueueError> {
    let message = VerifyMember { member, identity, requested_at, request_id: request_id.to_owned() };
    context.outbox.send(&message).await?;
    info!(%requested_at, "a check of member {member} was asked for");
    Ok(())
}
