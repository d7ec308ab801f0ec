//! The pages to which the links in mails lead. Opening them changes nothing.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use membermail_core::code::Code;
use membermail_core::destination::DestinationId;
use membermail_pages::form;
use membermail_pages::layout::{Message, Next, Site};
use membermail_pages::proofs::{Confirm, Undo};
use membermail_pages::public_url::PublicUrl;
use membermail_pages::response;

use crate::context::Context;
use crate::error::Error;
use crate::forms::{invalid_undo, read_change, unavailable};
use crate::mailboxes;
use crate::viewer::{self, Viewer};

/// `GET /confirm`: asks a signed-in member to confirm a mailbox.
pub(crate) async fn confirm(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    site: Site<'_>,
) -> Response<Body> {
    match viewer::find(context, request, public_url).await {
        Ok(Some(viewer)) => {
            let site = site.in_language(viewer.member.chosen_language());
            let result = confirm_as(context, request, &viewer, site.clone()).await;
            result.unwrap_or_else(|cause| unavailable(site, &cause))
        }
        Ok(None) => {
            let site = Site { csrf_token: None, ..site };
            response::page(StatusCode::FORBIDDEN, &Message::new(site, "confirm-sign-in", Next::SIGN_IN))
        }
        Err(cause) => unavailable(site, &cause.into()),
    }
}

async fn confirm_as(
    context: &Context,
    request: &Request,
    viewer: &Viewer,
    site: Site<'_>,
) -> Result<Response<Body>, Error> {
    let id = form::parameter(request, "destination").and_then(|id| DestinationId::parse(&id));
    let all = mailboxes::load(context, &viewer.member).await?;
    let found = all.into_iter().find(|mailbox| Some(mailbox.destination.id) == id && mailbox.is_own);
    let Some(mailbox) = found.filter(|mailbox| mailbox.destination.removed.is_none()) else {
        let page = Message::new(site, "mailbox-missing", Next::ADDRESSES);
        return Ok(response::page(StatusCode::NOT_FOUND, &page));
    };
    if mailbox.destination.is_usable() {
        let page = Message::new(site, "mailbox-already-confirmed", Next::ADDRESSES);
        return Ok(response::page(StatusCode::OK, &page));
    }
    let page = Confirm {
        site,
        destination: mailbox.destination.id.to_string(),
        mailbox: mailbox.address.expose().to_owned(),
        // Only a code is shown again, not any text of the link.
        code: form::parameter(request, "code")
            .and_then(|code| Code::parse(&code))
            .map(|code| code.expose())
            .unwrap_or_default(),
        replaces: mailbox.destination.pending.is_some_and(|pending| pending.replaces),
    };
    Ok(response::page(StatusCode::OK, &page))
}

/// `GET /undo`: asks for the code that reverts a change. It needs no session.
pub(crate) async fn undo(context: &Context, request: &Request, site: Site<'_>) -> Response<Body> {
    let text = form::parameter(request, "change").unwrap_or_default();
    let Some((member, change)) = read_change(&text) else { return invalid_undo(site) };
    match context.store.undo(member, change, context.clock.now()).await {
        Ok(Some(view)) if view.is_reverted => {
            response::page(StatusCode::OK, &Message::new(site, "undo-done", Next::SIGN_IN))
        }
        Ok(Some(view)) => response::page(StatusCode::OK, &Undo { site, change: format!("{member}.{change}"), view }),
        Ok(None) => invalid_undo(site),
        Err(cause) => unavailable(site, &cause.into()),
    }
}
