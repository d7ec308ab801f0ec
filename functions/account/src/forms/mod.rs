//! The forms of the account page. Each is checked in the same way, then decided on, stored, and answered with a redirect, so that
//! a reload does not submit it again. A refusal is a page.

mod addresses;
mod confirm;
mod data;
mod destinations;
mod identities;
mod sessions;
mod submission;
mod undo;

use jiff::SignedDuration;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use membermail_core::destination::FRESH_SIGN_IN;
use membermail_pages::form::has_csrf_token;
use membermail_pages::layout::{Message, Next, Site};
use membermail_pages::public_url::PublicUrl;
use membermail_pages::response;
use membermail_pages::signed_in::{SignedIn, authenticate, find_owner};
use membermail_runtime::batch::chain;
use membermail_store::RateLimit;
use tracing::{error, info, warn};

pub(crate) use self::undo::{invalid as invalid_undo, read_change, revert};

use self::submission::Submission;
use crate::context::Context;
use crate::error::Error;

/// Octets of a submitted form at most.
pub(crate) const MAX_BODY: usize = 8 * 1024;
/// Forms per member.
const FORMS: RateLimit = RateLimit { name: "forms", uses: 30, window: SignedDuration::from_mins(10) };

/// A form of a signed-in member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    AddDestination,
    ResendCode,
    RemoveDestination,
    Confirm,
    ChooseDestinations,
    Pause,
    Delete,
    Restore,
    Test,
    RemoveIdentity,
    EndSession,
    EndAllSessions,
    Export,
    Erase,
}

impl Form {
    /// Whether a stolen session must not be enough.
    fn needs_fresh_sign_in(self) -> bool {
        match self {
            Self::AddDestination
            | Self::RemoveDestination
            | Self::ChooseDestinations
            | Self::Delete
            | Self::RemoveIdentity
            | Self::Export
            | Self::Erase => true,
            Self::ResendCode
            | Self::Confirm
            | Self::Pause
            | Self::Restore
            | Self::Test
            | Self::EndSession
            | Self::EndAllSessions => false,
        }
    }
}

/// Handles a submitted form.
pub(crate) async fn submit(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    site: Site<'_>,
    form: Form,
) -> Response<Body> {
    let result = match check(context, request, public_url, site.clone(), form).await {
        Ok(Checked::Accepted(submission)) => handle(&submission, form).await,
        Ok(Checked::Refused(response)) => Ok(response),
        Err(cause) => Err(cause),
    };
    result.unwrap_or_else(|cause| unavailable(site, &cause))
}

async fn handle(submission: &Submission<'_>, form: Form) -> Result<Response<Body>, Error> {
    match form {
        Form::AddDestination => destinations::add(submission).await,
        Form::ResendCode => destinations::resend(submission).await,
        Form::RemoveDestination => destinations::remove(submission).await,
        Form::Confirm => confirm::confirm(submission).await,
        Form::ChooseDestinations => addresses::choose_destinations(submission).await,
        Form::Pause => addresses::pause(submission).await,
        Form::Delete => addresses::delete(submission).await,
        Form::Restore => addresses::restore(submission).await,
        Form::Test => addresses::test(submission).await,
        Form::RemoveIdentity => identities::remove(submission).await,
        Form::EndSession => sessions::end(submission).await,
        Form::EndAllSessions => sessions::end_all(submission).await,
        Form::Export => data::download(submission).await,
        Form::Erase => data::erase(submission).await,
    }
}

enum Checked<'a> {
    Accepted(Box<Submission<'a>>),
    Refused(Response<Body>),
}

/// The checks that every form has in common.
async fn check<'a>(
    context: &'a Context,
    request: &'a Request,
    public_url: &'a PublicUrl,
    site: Site<'a>,
    form: Form,
) -> Result<Checked<'a>, Error> {
    let refuse =
        |site: Site<'_>, status, id, next| Ok(Checked::Refused(response::page(status, &Message::new(site, id, next))));
    if request.body().len() > MAX_BODY {
        return refuse(site, StatusCode::PAYLOAD_TOO_LARGE, "form-too-large", Next::ADDRESSES);
    }
    // Without a session, this page offers to sign in.
    let home = || Ok(Checked::Refused(response::see_other(public_url.join("/").as_str())));
    let now = context.clock.now();
    let signed_in = authenticate(&context.store, request.headers(), public_url.is_https(), now).await?;
    let Some(SignedIn { session, created, member, .. }) = signed_in else { return home() };
    if !has_csrf_token(request, &session) {
        warn!("refused a form without a valid CSRF token");
        return refuse(site, StatusCode::FORBIDDEN, "invalid-form", Next::ADDRESSES);
    }
    let Some(member) = find_owner(&context.store, member).await? else { return home() };
    let site = site.in_language(member.chosen_language());
    if member.is_banned() {
        return refuse(site, StatusCode::FORBIDDEN, "outcome-banned", Next::START);
    }
    if member.is_erased() {
        return refuse(site, StatusCode::FORBIDDEN, "erased-account", Next::SIGN_IN);
    }
    if !context.store.count_use(FORMS, &member.id.to_string(), now).await? {
        info!("member {} submits forms too often", member.id);
        return refuse(site, StatusCode::TOO_MANY_REQUESTS, "too-many-requests", Next::ADDRESSES);
    }
    if form.needs_fresh_sign_in() && now.duration_since(created) >= FRESH_SIGN_IN {
        return refuse(site, StatusCode::FORBIDDEN, "sign-in-first", Next::SIGN_IN);
    }
    Ok(Checked::Accepted(Box::new(Submission { context, request, public_url, site, session, member, now })))
}

/// The page for a failure of ours.
pub(crate) fn unavailable(site: Site<'_>, cause: &Error) -> Response<Body> {
    error!(cause = chain(cause), "handling a form or a page failed");
    response::page(StatusCode::SERVICE_UNAVAILABLE, &Message::new(site, "failed", Next::ADDRESSES))
}
