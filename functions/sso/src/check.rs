//! `POST /check`: a signed-in member requests another check of their membership.

use std::error::Error;

use jiff::SignedDuration;
use lambda_http::{Body, Request, Response};
use membermail_core::eligibility::CheckState;
use membermail_pages::form::has_csrf_token;
use membermail_pages::public_url::{self, PublicUrl};
use membermail_pages::response;
use membermail_pages::signed_in::{SignedIn, authenticate};
use membermail_runtime::checks;
use tracing::{info, warn};

use crate::context::Context;
use crate::pages;

/// A pending check that is younger than this makes another request a no-op.
const MIN_CHECK_INTERVAL: SignedDuration = SignedDuration::from_mins(1);

/// Requests the check, if the form is valid, and redirects to the account page.
pub(crate) async fn check(context: &Context, request: &Request, public_url: &PublicUrl) -> Response<Body> {
    let response = request_check(context, request, public_url).await;
    response.unwrap_or_else(|cause| pages::unavailable(context, request, public_url, &*cause))
}

async fn request_check(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
) -> Result<Response<Body>, Box<dyn Error + Send + Sync>> {
    // Without a session, this page offers to sign in.
    let home = response::see_other(public_url.join("/").as_str());
    let now = context.clock.now();
    let signed_in = authenticate(&context.store, request.headers(), public_url.is_https(), now).await?;
    let Some(SignedIn { session, member, .. }) = signed_in else { return Ok(home) };
    if !has_csrf_token(request, &session) {
        warn!("refused a request for a check without a valid CSRF token");
        return Ok(pages::invalid_form(context, request, public_url, "invalid-check"));
    }
    // A session that is older than a link belongs to the linked member; the survivor has the identities.
    let Some(member) = context.store.survivor_of(member).await? else { return Ok(home) };
    let age = now.duration_since(member.check.requested_at);
    if member.check.state_at(now) == CheckState::Pending && age < MIN_CHECK_INTERVAL {
        info!("a check of member {} is already pending", member.id);
        return Ok(home);
    }
    let request_id = public_url::request_id(request);
    checks::request_check(&context.store, &context.verify_queue, member.id, now, request_id).await?;
    Ok(home)
}
