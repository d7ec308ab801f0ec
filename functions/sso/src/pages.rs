//! Error pages. Each says what happened and what to do next; the cause goes to the log.

use std::error::Error;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use membermail_core::email::EmailError;
use membermail_identity::openid_connect::{self, ProviderError, RedeemError};
use membermail_identity::openid2::{ConfirmError, Refusal};
use membermail_identity::state::StateError;
use membermail_pages::layout::{Message, Next, Site};
use membermail_pages::public_url::PublicUrl;
use membermail_pages::response;
use membermail_runtime::batch::chain;
use tracing::{error, info, warn};

use crate::context::Context;
use crate::error::SignInError;
use crate::providers::CodeError;

/// The page for a failed sign-in.
pub(crate) fn sign_in_failed(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    cause: &SignInError,
) -> Response<Body> {
    log(cause);
    let Some((status, id)) = explain(cause) else { return unavailable(context, request, public_url, cause) };
    let site = site(context, request, public_url);
    let next = if status == StatusCode::OK { Next::START } else { Next::SIGN_IN };
    let page = match bad_email(cause) {
        Some(reason) => {
            let reason = site.wording.text(explain_email(reason));
            Message::with(site, id, &[("reason", reason.into())], next)
        }
        None => Message::new(site, id, next),
    };
    response::page(status, &page)
}

fn bad_email(cause: &SignInError) -> Option<EmailError> {
    match (cause, cause.refusal()) {
        (SignInError::Refused(Refusal::BadEmail(reason)), _) | (_, Some(openid_connect::Refusal::BadEmail(reason))) => {
            Some(*reason)
        }
        _ => None,
    }
}

/// The status and the id of the text for a failure of the browser or the provider; none for an internal failure. Only a
/// cancelled sign-in is no error.
fn explain(cause: &SignInError) -> Option<(StatusCode, &'static str)> {
    let explained = match cause {
        SignInError::Refused(Refusal::Cancelled) => (StatusCode::OK, "sign-in-cancelled"),
        SignInError::Refused(Refusal::SetupNeeded) => (StatusCode::BAD_REQUEST, "sign-in-setup-needed"),
        SignInError::Refused(Refusal::ProviderError(_)) => (StatusCode::BAD_REQUEST, "sign-in-provider-error"),
        SignInError::Refused(Refusal::NoEmail) => (StatusCode::BAD_REQUEST, "sign-in-no-email"),
        SignInError::Refused(Refusal::BadEmail(_)) => (StatusCode::BAD_REQUEST, "sign-in-bad-email"),
        SignInError::Refused(Refusal::NonceOld) | SignInError::State(StateError::Expired) => {
            (StatusCode::BAD_REQUEST, "sign-in-too-late")
        }
        SignInError::Refused(_) => (StatusCode::BAD_REQUEST, "sign-in-refused"),
        SignInError::State(StateError::Malformed | StateError::OtherBrowser) => {
            (StatusCode::BAD_REQUEST, "sign-in-other-browser")
        }
        SignInError::Replayed => (StatusCode::BAD_REQUEST, "sign-in-replayed"),
        SignInError::Confirm(ConfirmError::Forged) => (StatusCode::BAD_REQUEST, "sign-in-forged"),
        SignInError::Confirm(ConfirmError::Rejected) => (StatusCode::BAD_REQUEST, "sign-in-rejected"),
        SignInError::Confirm(ConfirmError::TimedOut) => (StatusCode::GATEWAY_TIMEOUT, "sign-in-timed-out"),
        SignInError::Confirm(ConfirmError::Unavailable(_) | ConfirmError::Malformed(_)) => {
            (StatusCode::BAD_GATEWAY, "sign-in-unavailable")
        }
        SignInError::Response(refusal) => explain_response(refusal),
        SignInError::NoEmail => (StatusCode::BAD_REQUEST, "sign-in-no-email"),
        SignInError::SessionEnded => (StatusCode::BAD_REQUEST, "link-session-ended"),
        SignInError::OldSession => (StatusCode::FORBIDDEN, "sign-in-first"),
        SignInError::Provider(cause) => explain_provider(cause),
        SignInError::Code(CodeError::Redeem(cause)) => match cause {
            RedeemError::Refused(refusal) => explain_response(refusal),
            RedeemError::Provider(cause) => explain_provider(cause),
            RedeemError::Code => (StatusCode::BAD_REQUEST, "sign-in-forged"),
            RedeemError::Client | RedeemError::Request => (StatusCode::BAD_GATEWAY, "sign-in-unavailable"),
        },
        SignInError::Secret(_)
        | SignInError::Store(_)
        | SignInError::Queue(_)
        | SignInError::Code(CodeError::Secret(_) | CodeError::Credential(_)) => return None,
    };
    Some(explained)
}

fn explain_response(refusal: &openid_connect::Refusal) -> (StatusCode, &'static str) {
    match refusal {
        openid_connect::Refusal::Cancelled => (StatusCode::OK, "sign-in-cancelled"),
        openid_connect::Refusal::ProviderError(_) => (StatusCode::BAD_REQUEST, "sign-in-provider-error"),
        openid_connect::Refusal::BadEmail(_) => (StatusCode::BAD_REQUEST, "sign-in-bad-email"),
        openid_connect::Refusal::Expired | openid_connect::Refusal::IssuedLongAgo => {
            (StatusCode::BAD_REQUEST, "sign-in-too-late")
        }
        _ => (StatusCode::BAD_REQUEST, "sign-in-refused"),
    }
}

fn explain_provider(cause: &ProviderError) -> (StatusCode, &'static str) {
    match cause {
        ProviderError::TimedOut => (StatusCode::GATEWAY_TIMEOUT, "sign-in-timed-out"),
        _ => (StatusCode::BAD_GATEWAY, "sign-in-unavailable"),
    }
}

/// The id of the text that says why an address is unusable, without showing it.
fn explain_email(reason: EmailError) -> &'static str {
    match reason {
        EmailError::Syntax => "bad-email-syntax",
        EmailError::LocalPart => "bad-email-local-part",
        EmailError::Domain => "bad-email-domain",
        EmailError::TooLong => "bad-email-too-long",
    }
}

/// Log levels: information for what people do often, a warning for a possible attack, an error for what an operator can fix.
/// Only our own codes and causes are logged, never input from the browser.
fn log(cause: &SignInError) {
    match cause {
        SignInError::Refused(refusal @ (Refusal::Cancelled | Refusal::SetupNeeded | Refusal::NoEmail)) => {
            info!(code = refusal.code(), "the sign-in ended at the provider");
        }
        SignInError::Refused(refusal @ Refusal::BadEmail(_)) => {
            info!(code = refusal.code(), cause = chain(refusal), "the provider sent an unusable e-mail address");
        }
        SignInError::Refused(refusal @ Refusal::ProviderError(_)) => {
            warn!(code = refusal.code(), "the provider reported an error");
        }
        SignInError::Response(refusal @ openid_connect::Refusal::Cancelled) => {
            info!(code = refusal.code(), "the sign-in ended at the provider");
        }
        SignInError::Response(refusal) | SignInError::Code(CodeError::Redeem(RedeemError::Refused(refusal))) => {
            warn!(code = refusal.code(), cause = chain(refusal), "refused a response of the provider");
        }
        SignInError::NoEmail => info!("the provider sent no e-mail address"),
        SignInError::SessionEnded => info!("the session of a request to add an identity has ended"),
        SignInError::OldSession => info!("the session of a request to add an identity is too old"),
        SignInError::Provider(cause) => error!(code = cause.code(), cause = chain(cause), "the provider failed"),
        SignInError::Code(CodeError::Redeem(cause)) => {
            error!(code = cause.code(), cause = chain(cause), "the provider did not exchange the code");
        }
        SignInError::Refused(refusal) => warn!(code = refusal.code(), cause = chain(refusal), "refused an assertion"),
        SignInError::State(StateError::Expired) => info!("the sign-in took too long"),
        SignInError::State(refusal) => warn!(cause = chain(refusal), "the sign-in was started in another browser"),
        SignInError::Replayed => warn!("refused a replayed assertion"),
        SignInError::Confirm(ConfirmError::Forged) => warn!("the provider denied the assertion"),
        SignInError::Confirm(ConfirmError::Rejected) => warn!("the provider rejected the assertion as malformed"),
        SignInError::Confirm(refusal) => error!(cause = chain(refusal), "the request to the provider failed"),
        // `unavailable` logs it.
        SignInError::Secret(_)
        | SignInError::Store(_)
        | SignInError::Queue(_)
        | SignInError::Code(CodeError::Secret(_) | CodeError::Credential(_)) => {}
    }
}

/// The page for a provider whose configuration cannot be read.
pub(crate) fn provider_unavailable(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    cause: &ProviderError,
) -> Response<Body> {
    error!(code = cause.code(), cause = chain(cause), "the provider failed");
    let (status, id) = explain_provider(cause);
    message(context, request, public_url, status, id)
}

/// A page with the text of this id.
pub(crate) fn message(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    status: StatusCode,
    id: &str,
) -> Response<Body> {
    response::page(status, &Message::new(site(context, request, public_url), id, Next::START))
}

/// The page for an internal failure.
pub(crate) fn unavailable(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    cause: &dyn Error,
) -> Response<Body> {
    error!(cause = chain(cause), "the request failed");
    let page = Message::new(site(context, request, public_url), "failed", Next::START);
    response::page(StatusCode::SERVICE_UNAVAILABLE, &page)
}

/// The page for a form without a valid CSRF token. The text with this id says what was not done.
pub(crate) fn invalid_form(context: &Context, request: &Request, public_url: &PublicUrl, id: &str) -> Response<Body> {
    let page = Message::new(site(context, request, public_url), id, Next::START);
    response::page(StatusCode::FORBIDDEN, &page)
}

/// The page for a wrong method: an old tab, or `/sign-out` typed into the address bar.
pub(crate) fn method_not_allowed(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    methods: &'static str,
) -> Response<Body> {
    let page = Message::new(site(context, request, public_url), "use-the-button", Next::START);
    response::allow(response::page(StatusCode::METHOD_NOT_ALLOWED, &page), methods)
}

pub(crate) fn site<'a>(context: &'a Context, request: &Request, public_url: &'a PublicUrl) -> Site<'a> {
    Site::new(public_url, &context.community, &context.texts, request.headers())
}
