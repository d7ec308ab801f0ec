//! The pages of a sign-in that did not work: each says what to do next; the log has the cause.

use std::error::Error as StdError;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_identity::openid2::{ConfirmError, Refusal};
use membermail_identity::state::StateError;
use membermail_pages::answer;
use membermail_pages::layout::{Message, Next, Site};
use membermail_pages::place::Place;
use membermail_runtime::batch::chain;
use tracing::{error, info, warn};

use crate::callback::Error;
use crate::context::Context;

/// The page for a callback that failed.
pub(crate) fn callback(context: &Context, place: &Place, cause: &Error) -> Response<Body> {
    let (status, heading, text) = match cause {
        Error::Refused(Refusal::Cancelled) => {
            info!("a sign-in was cancelled");
            (StatusCode::OK, "You cancelled the login", "Nothing was changed. You can log in whenever you like.")
        }
        Error::Refused(refusal @ Refusal::SetupNeeded) => {
            info!(code = refusal.code(), "the provider wants to ask the person first");
            (
                StatusCode::BAD_REQUEST,
                "The login service wants to ask you first",
                "It would not say who you are without a word from you, so nothing was changed. \
                 Please log in again, and answer what it asks.",
            )
        }
        Error::Refused(refusal @ Refusal::ProviderError(_)) => {
            warn!(code = refusal.code(), "the provider reports an error");
            (
                StatusCode::BAD_REQUEST,
                "The login service reports an error",
                "It could not log you in, so nothing was changed. Please log in again in a few minutes. \
                 If it stays so, ask for help below.",
            )
        }
        Error::Refused(refusal) => {
            warn!(code = refusal.code(), cause = chain(refusal), "an assertion was refused");
            (
                StatusCode::BAD_REQUEST,
                "The login could not be accepted",
                "The answer of the login service was not as it must be, so nothing was changed. Please log in again.",
            )
        }
        Error::State(StateError::Expired) => {
            info!("a sign-in took too long");
            (StatusCode::BAD_REQUEST, "The login took too long", "Nothing was changed. Please log in again.")
        }
        Error::State(refusal) => {
            warn!(cause = chain(refusal), "a sign-in came back to another browser");
            (
                StatusCode::BAD_REQUEST,
                "This login was not begun here",
                "It must end in the browser that it began in, with cookies allowed. Please log in again.",
            )
        }
        Error::Replayed => {
            warn!("an assertion was used a second time");
            (
                StatusCode::BAD_REQUEST,
                "This login was used already",
                "Perhaps the page was loaded twice. If you are not logged in, please log in again.",
            )
        }
        Error::Confirm(ConfirmError::Forged) => {
            warn!("the provider denies an assertion");
            (
                StatusCode::BAD_REQUEST,
                "The login could not be confirmed",
                "The login service says that this answer is not its own. Nothing was changed. Please log in again.",
            )
        }
        Error::Confirm(refusal) => {
            error!(cause = chain(refusal), "the provider could not be asked");
            (
                StatusCode::BAD_GATEWAY,
                "The login service is not answering",
                "Nothing was changed. Please log in again in a few minutes.",
            )
        }
        Error::Secret(_) | Error::Store(_) | Error::Queue(_) => return unavailable(context, place, cause),
    };
    page(context, place, status, heading, text)
}

/// The page for a failure of our own.
pub(crate) fn unavailable(context: &Context, place: &Place, cause: &dyn StdError) -> Response<Body> {
    error!(cause = chain(cause), "a sign-in or sign-out failed");
    let text = "The fault is ours, and nothing of yours is lost. Please try again in a minute.";
    page(context, place, StatusCode::SERVICE_UNAVAILABLE, "Something is out of order", text)
}

/// The page for a log-out that did not come from our own form.
pub(crate) fn foreign_form(context: &Context, place: &Place) -> Response<Body> {
    let text = "The form was too old, or not ours. Go back to your addresses and press “Log out” there.";
    page(context, place, StatusCode::FORBIDDEN, "You were not logged out", text)
}

/// The page for a path that is there, but not for this method: an old tab, or "Log out" typed as an address.
pub(crate) fn other_method(context: &Context, place: &Place, methods: &'static str) -> Response<Body> {
    let text = "Nothing was changed. Go back to the start and press the button there.";
    let page = page(context, place, StatusCode::METHOD_NOT_ALLOWED, "This step needs its button", text);
    answer::allow(page, methods)
}

fn page(context: &Context, place: &Place, status: StatusCode, heading: &str, text: &str) -> Response<Body> {
    let site = Site::new(place, &context.community);
    let next = Next { path: "/", label: "Back to the start" };
    answer::page(status, &Message { site, heading, text, next })
}
