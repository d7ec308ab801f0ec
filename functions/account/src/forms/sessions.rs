//! Ending sessions.

use lambda_http::{Body, Response};
use membermail_identity::session;
use membermail_pages::response::with_cookie;
use tracing::info;

use super::submission::Submission;
use crate::error::Error;

/// Characters of the hash of a session id: 32 bytes as base64url.
const HASH_LENGTH: usize = 43;

/// `POST /sessions/end`: ends one session of the member. Ignores a session that has ended or belongs to
/// someone else.
pub(super) async fn end(form: &Submission<'_>) -> Result<Response<Body>, Error> {
    let hash = form.field("session").unwrap_or_default();
    if hash.len() != HASH_LENGTH || !hash.is_ascii() {
        return Ok(form.invalid());
    }
    if form.context.store.end_session_of(&form.member, &hash).await? {
        info!("member {} ended a session", form.member.id);
    }
    if hash == form.session.hash().as_str() {
        return Ok(signed_out(form));
    }
    Ok(form.see("/sessions"))
}

/// `POST /sessions/end-all`: ends all sessions of the member, also this one.
pub(super) async fn end_all(form: &Submission<'_>) -> Result<Response<Body>, Error> {
    // If the sessions ended meanwhile, there is nothing left to do.
    if form.context.store.end_all_sessions(&form.member, form.cause(), &*form.context.random).await? {
        info!("member {} ended all sessions", form.member.id);
    }
    Ok(signed_out(form))
}

fn signed_out(form: &Submission<'_>) -> Response<Body> {
    with_cookie(form.see("/"), &session::clearing_cookie(form.public_url.is_https()))
}
