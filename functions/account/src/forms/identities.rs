//! Removing an account that the member can sign in with.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_pages::response;
use membermail_runtime::checks;
use membermail_store::RemoveIdentity;
use tracing::info;

use super::submission::Submission;
use crate::error::Error;

/// Characters of a handle: a SHA-256 in hexadecimal digits.
const HANDLE_LENGTH: usize = 64;

/// `POST /identities/remove`: removes one of the member's own accounts. This session stays, all others end. The check that
/// follows finds out who the member is at the membership source without the account.
pub(super) async fn remove(form: &Submission<'_>) -> Result<Response<Body>, Error> {
    let handle = form.field("identity").unwrap_or_default();
    if handle.len() != HANDLE_LENGTH {
        return Ok(form.invalid());
    }
    let store = &form.context.store;
    let own = store.identities_of(&form.member).await?;
    // Removed before, or never theirs: the page shows what is left.
    let Some(own) = own.into_iter().find(|own| own.handle() == handle) else { return Ok(form.see("/identities")) };
    let hash = form.session.hash();
    let random = &*form.context.random;
    match store.remove_identity(&form.member, &own.identity, hash.as_str(), form.cause(), random).await? {
        RemoveIdentity::Removed(entry) => {
            info!("member {} removed an identity", form.member.id);
            form.announce(entry).await;
            let queue = &form.context.verify_queue;
            checks::request_check(store, queue, form.member.id, form.now, form.request_id()).await?;
            let page = format!("{}?removed", form.public_url.join("/identities"));
            Ok(response::see_other(&page))
        }
        RemoveIdentity::NotYours | RemoveIdentity::Changed => Ok(form.see("/identities")),
        RemoveIdentity::LastOne => Ok(form.refuse(StatusCode::CONFLICT, "identity-last")),
    }
}
