//! "This was not me": the owner of an old mailbox reverts a change, with the code from the mail about it. It needs no session.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use membermail_core::audit::{Actor, Cause};
use membermail_core::code::Code;
use membermail_core::member::MemberId;
use membermail_pages::form;
use membermail_pages::layout::{Message, Next, Site};
use membermail_pages::public_url;
use membermail_pages::response;
use membermail_store::Reverted;
use tracing::{info, warn};
use ulid::Ulid;

use super::MAX_BODY;
use crate::context::Context;
use crate::error::{Error, with_newest_keys};

/// Reads `<member>.<change>`, as the link has it.
pub(crate) fn read_change(text: &str) -> Option<(MemberId, Ulid)> {
    let (member, change) = text.split_once('.')?;
    Some((MemberId::parse(member).ok()?, Ulid::from_string(change).ok()?))
}

/// `POST /undo`: reverts a change. The table counts wrong codes per change.
pub(crate) async fn revert(context: &Context, request: &Request, site: Site<'_>) -> Response<Body> {
    if request.body().len() > MAX_BODY {
        return response::page(StatusCode::PAYLOAD_TOO_LARGE, &Message::new(site, "form-too-large", Next::START));
    }
    let change = form::field(request, "change").and_then(|change| read_change(&change));
    let Some((member, change)) = change else { return invalid(site) };
    let Some(typed) = form::field(request, "code").and_then(|typed| Code::parse(&typed)) else {
        return refuse(site, "code-malformed");
    };
    match enter(context, request, (member, change), &typed).await {
        Ok(Reverted::Done { entry }) => {
            info!("a change of the destinations of member {member} was reverted");
            if let Some(entry) = entry {
                super::submission::announce(context, entry, public_url::request_id(request)).await;
            }
            response::page(StatusCode::OK, &Message::new(site, "undo-done", Next::SIGN_IN))
        }
        Ok(Reverted::Wrong) => {
            warn!("a wrong code for reverting a change of member {member}");
            refuse(site, "undo-wrong")
        }
        Ok(Reverted::Expired) => invalid(site),
        Err(cause) => super::unavailable(site, &cause),
    }
}

async fn enter(
    context: &Context,
    request: &Request,
    change: (MemberId, Ulid),
    typed: &Code,
) -> Result<Reverted, Error> {
    let (store, random) = (&context.store, &*context.random);
    let request_id = public_url::request_id(request);
    let cause = Cause { actor: Actor::Member, by: None, request_id, now: context.clock.now() };
    with_newest_keys(&context.secret, |sealer| async move {
        Ok(store.revert(&sealer, change, Some(typed), cause, random).await?)
    })
    .await
}

/// The answer to a link that leads to no change which can be reverted.
pub(crate) fn invalid(site: Site<'_>) -> Response<Body> {
    response::page(StatusCode::NOT_FOUND, &Message::new(site, "undo-invalid", Next::START))
}

fn refuse(site: Site<'_>, id: &str) -> Response<Body> {
    response::page(StatusCode::UNPROCESSABLE_ENTITY, &Message::new(site, id, Next::START))
}
