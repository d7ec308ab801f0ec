//! Confirming a mailbox with the code from the mail: the page that the link opens, and the form.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::code::Code;
use membermail_core::destination::DestinationId;
use membermail_store::Confirmed;
use membermail_texts::FluentValue;
use tracing::info;

use super::submission::Submission;
use crate::error::{Error, with_keys, with_newest_keys};

/// `POST /confirm`: confirms a mailbox in the session of its member.
pub(super) async fn confirm(form: &Submission<'_>) -> Result<Response<Body>, Error> {
    let missing = || form.refuse(StatusCode::NOT_FOUND, "mailbox-missing");
    let Some(id) = form.field("destination").and_then(|id| DestinationId::parse(&id)) else { return Ok(missing()) };
    let Some(typed) = form.field("code").and_then(|typed| Code::parse(&typed)) else {
        return Ok(form.refuse(StatusCode::UNPROCESSABLE_ENTITY, "code-malformed"));
    };
    match enter(form, id, &typed).await? {
        Confirmed::Done { entry, replaces } => {
            info!("member {} confirmed a destination", form.member.id);
            // First: the old mailboxes are told, also if the addresses cannot be redirected now.
            form.announce(entry).await;
            if replaces {
                redirect_all(form, id).await?;
            }
            Ok(form.see("/"))
        }
        Confirmed::Already => Ok(form.see("/")),
        Confirmed::Wrong(left) => {
            info!("member {} entered a wrong code", form.member.id);
            let left = [("left", FluentValue::from(left))];
            Ok(form.refuse_with(StatusCode::UNPROCESSABLE_ENTITY, "code-wrong", &left))
        }
        Confirmed::Expired => Ok(form.refuse(StatusCode::UNPROCESSABLE_ENTITY, "code-expired")),
        Confirmed::Missing => Ok(missing()),
    }
}

async fn enter(form: &Submission<'_>, id: DestinationId, typed: &Code) -> Result<Confirmed, Error> {
    let random = &*form.context.random;
    let (store, member, cause) = (&form.context.store, &form.member, form.cause());
    with_newest_keys(&form.context.secret, |sealer| async move {
        Ok(store.confirm_destination(&sealer, member, (id, Some(typed)), cause, random).await?)
    })
    .await
}

async fn redirect_all(form: &Submission<'_>, id: DestinationId) -> Result<(), Error> {
    let random = &*form.context.random;
    let (store, member, cause) = (&form.context.store, &form.member, form.cause());
    with_keys(&form.context.secret, |sealer| async move {
        Ok(store.redirect_all(&sealer, member, id, cause, random).await?)
    })
    .await
}
