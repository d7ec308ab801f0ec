//! Who looks at a page.

use lambda_http::{Body, Request, Response};
use membermail_core::destination::FRESH_SIGN_IN;
use membermail_identity::session::SessionId;
use membermail_pages::layout::Site;
use membermail_pages::public_url::PublicUrl;
use membermail_pages::response;
use membermail_pages::signed_in::{SignedIn, authenticate, find_owner};
use membermail_store::{Member, StoreError};

use crate::context::Context;
use crate::error::Error;
use crate::forms::unavailable;

/// A member who looks at a page.
pub(crate) struct Viewer {
    pub(crate) session: SessionId,
    /// Whether they signed in so recently that a stolen session is unlikely.
    pub(crate) is_fresh: bool,
    /// The member whose account page the session shows.
    pub(crate) member: Member,
}

/// The member whose pages this browser shows; none if no member is signed in. Records the use of the session.
pub(crate) async fn find(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
) -> Result<Option<Viewer>, StoreError> {
    let now = context.clock.now();
    let signed_in = authenticate(&context.store, request.headers(), public_url.is_https(), now).await?;
    let Some(SignedIn { session, created, member, touch_due }) = signed_in else { return Ok(None) };
    if touch_due {
        context.store.touch_session(session.hash().as_str(), now).await?;
    }
    let owner = find_owner(&context.store, member).await?;
    Ok(owner.map(|member| Viewer { session, is_fresh: now.duration_since(created) < FRESH_SIGN_IN, member }))
}

/// A page for members alone. Others are led to the start page, which offers to sign in.
pub(crate) async fn page<'a, F>(
    context: &'a Context,
    request: &Request,
    public_url: &PublicUrl,
    site: Site<'a>,
    show: impl FnOnce(Viewer, Site<'a>) -> F,
) -> Response<Body>
where
    F: Future<Output = Result<Response<Body>, Error>>,
{
    let result = match find(context, request, public_url).await {
        Ok(Some(viewer)) => {
            let site = site.clone().in_language(viewer.member.chosen_language());
            show(viewer, site).await
        }
        Ok(None) => Ok(response::see_other(public_url.join("/").as_str())),
        Err(cause) => Err(cause.into()),
    };
    result.unwrap_or_else(|cause| unavailable(site, &cause))
}
