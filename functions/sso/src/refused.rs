//! The pages of a sign-in that did not work. Each says what happened and what to do next; the log has the cause.

use std::error::Error as StdError;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::email::EmailError;
use membermail_identity::openid2::{ConfirmError, Refusal};
use membermail_identity::state::StateError;
use membermail_pages::answer;
use membermail_pages::layout::{Message, Next, Site};
use membermail_pages::place::Place;
use membermail_runtime::batch::chain;
use tracing::{error, info, warn};

use crate::callback::Error;
use crate::context::Context;

/// To the provider and back again, with a new state.
const SIGN_IN: Next<'_> = Next { path: "/sign-in", label: "Sign in again" };
const START: Next<'_> = Next { path: "/", label: "Back to the start" };

/// The page for a callback that failed.
pub(crate) fn callback(context: &Context, place: &Place, cause: &Error) -> Response<Body> {
    log(cause);
    let Some(words) = words(cause, Site::new(place, &context.community).provider) else {
        return unavailable(context, place, cause);
    };
    page(context, place, words.status, &words.heading, &words.text, words.next)
}

/// What a page says.
struct Words {
    status: StatusCode,
    heading: String,
    text: String,
    next: Next<'static>,
}

/// The words for a failure at the member's or the provider's side; none for one of our own.
fn words(cause: &Error, provider: &str) -> Option<Words> {
    let bad =
        |heading: String, text: String| Some(Words { status: StatusCode::BAD_REQUEST, heading, text, next: SIGN_IN });
    match cause {
        Error::Refused(Refusal::Cancelled) => Some(Words {
            status: StatusCode::OK,
            heading: "You cancelled the sign-in".into(),
            text: "Nothing was changed. You can sign in whenever you like.".into(),
            next: START,
        }),
        Error::Refused(Refusal::SetupNeeded) => bad(
            format!("Please confirm the sign-in at {provider}"),
            format!("{provider} asks for your confirmation first. Please sign in again and confirm it there."),
        ),
        Error::Refused(Refusal::ProviderError(_)) => bad(
            format!("{provider} reports an error"),
            "Nothing was changed. Please sign in again in a few minutes. If it happens again, ask for help below."
                .into(),
        ),
        Error::Refused(Refusal::NoEmail) => bad(
            format!("{provider} did not share your e-mail address"),
            format!(
                "We forward your mail to that address, so we cannot do without it. \
                 Please sign in again, and tick “Email address” on the page where {provider} asks what to share."
            ),
        ),
        Error::Refused(Refusal::BadEmail(reason)) => bad(
            "Mail cannot be forwarded to your e-mail address".into(),
            format!(
                "{} Please choose another e-mail address in your {provider} account, then sign in again.",
                fault(*reason, provider)
            ),
        ),
        Error::Refused(Refusal::NonceOld) | Error::State(StateError::Expired) => bad(
            "The sign-in took too long".into(),
            "It has to be completed within a few minutes. Nothing was changed. Please sign in again.".into(),
        ),
        Error::Refused(_) => bad(
            "The sign-in could not be accepted".into(),
            format!(
                "The answer from {provider} was incomplete or altered, so nothing was changed. Please sign in again. \
                 If it happens again, ask for help below."
            ),
        ),
        Error::State(StateError::Malformed | StateError::OtherBrowser) => bad(
            "This sign-in did not start in this browser".into(),
            "A sign-in has to start and end in the same browser, with cookies allowed. Please sign in again.".into(),
        ),
        Error::Replayed => bad(
            "This sign-in was used already".into(),
            "Perhaps the page was loaded twice. If you are not signed in, please sign in again.".into(),
        ),
        Error::Confirm(ConfirmError::Forged) => bad(
            format!("{provider} did not confirm the sign-in"),
            format!("{provider} says that this answer is not its own. Nothing was changed. Please sign in again."),
        ),
        Error::Confirm(ConfirmError::Rejected) => bad(
            format!("{provider} could not check the sign-in"),
            "The answer may have been damaged on its way. Nothing was changed. Please sign in again.".into(),
        ),
        Error::Confirm(ConfirmError::TimedOut) => Some(Words {
            status: StatusCode::GATEWAY_TIMEOUT,
            heading: format!("{provider} did not answer in time"),
            text: "Nothing was changed. Please sign in again.".into(),
            next: SIGN_IN,
        }),
        Error::Confirm(ConfirmError::Unavailable(_) | ConfirmError::Malformed(_)) => Some(Words {
            status: StatusCode::BAD_GATEWAY,
            heading: format!("{provider} is not available"),
            text: "Nothing was changed. Please sign in again in a few minutes.".into(),
            next: SIGN_IN,
        }),
        Error::Secret(_) | Error::Store(_) | Error::Queue(_) => None,
    }
}

/// What is wrong with an address, without the address.
fn fault(reason: EmailError, provider: &str) -> String {
    match reason {
        EmailError::Syntax => format!("The e-mail address from {provider} has no @."),
        EmailError::LocalPart => {
            format!(
                "The e-mail address from {provider} has characters before the @ that not every mail server accepts."
            )
        }
        EmailError::Domain => {
            format!("The e-mail address from {provider} does not end in a domain name such as example.org.")
        }
        EmailError::TooLong => format!("The e-mail address from {provider} is too long."),
    }
}

/// What a person does often is information, what may be an attack is a warning, and what an operator can mend is an
/// error. Only codes and causes of ours go to the log, never what the browser sent.
fn log(cause: &Error) {
    match cause {
        Error::Refused(refusal @ (Refusal::Cancelled | Refusal::SetupNeeded | Refusal::NoEmail)) => {
            info!(code = refusal.code(), "a sign-in ended at the provider");
        }
        Error::Refused(refusal @ Refusal::BadEmail(_)) => {
            info!(code = refusal.code(), cause = chain(refusal), "a sign-in with an unusable address");
        }
        Error::Refused(refusal @ Refusal::ProviderError(_)) => {
            warn!(code = refusal.code(), "the provider reports an error");
        }
        Error::Refused(refusal) => warn!(code = refusal.code(), cause = chain(refusal), "an assertion was refused"),
        Error::State(StateError::Expired) => info!("a sign-in took too long"),
        Error::State(refusal) => warn!(cause = chain(refusal), "a sign-in came back to another browser"),
        Error::Replayed => warn!("an assertion was used a second time"),
        Error::Confirm(ConfirmError::Forged) => warn!("the provider denies an assertion"),
        Error::Confirm(ConfirmError::Rejected) => warn!("the provider rejects an assertion as malformed"),
        Error::Confirm(refusal) => error!(cause = chain(refusal), "the provider could not be asked"),
        // `unavailable` logs it.
        Error::Secret(_) | Error::Store(_) | Error::Queue(_) => {}
    }
}

/// The page for a failure of our own.
pub(crate) fn unavailable(context: &Context, place: &Place, cause: &dyn StdError) -> Response<Body> {
    error!(cause = chain(cause), "a request of a browser failed");
    let text = "The fault is ours, and nothing of yours is lost. Please try again in a minute.";
    page(context, place, StatusCode::SERVICE_UNAVAILABLE, "Something is out of order", text, START)
}

/// The page for a form that is not a current one of ours.
pub(crate) fn foreign_form(context: &Context, place: &Place, heading: &str) -> Response<Body> {
    let text = "The form has expired or is not from this site. Please go back to your addresses and try again there.";
    page(context, place, StatusCode::FORBIDDEN, heading, text, START)
}

/// The page for a path that is there, but not for this method: an old tab, or `/sign-out` typed as an address.
pub(crate) fn other_method(context: &Context, place: &Place, methods: &'static str) -> Response<Body> {
    let text = "Nothing was changed. Go back to the start and press the button there.";
    let page = page(context, place, StatusCode::METHOD_NOT_ALLOWED, "This step needs its button", text, START);
    answer::allow(page, methods)
}

fn page(
    context: &Context,
    place: &Place,
    status: StatusCode,
    heading: &str,
    text: &str,
    next: Next<'_>,
) -> Response<Body> {
    let site = Site::new(place, &context.community);
    answer::page(status, &Message { site, heading, text, next })
}
