//! Who a request comes from: the session of its cookie and the member that it belongs to.

use jiff::Timestamp;
use lambda_http::http::HeaderMap;
use membermail_identity::session::{self, SessionId};
use membermail_store::{Member, Store, StoreError};

/// A member who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session of the browser.
    pub session: SessionId,
    /// Whose it is, as the table has them now.
    pub member: Member,
    /// Whether the use of the session is to be noted ([`Store::touch_session`]).
    pub touch_due: bool,
}

/// The session of this browser and its member, if the session is still good. Reads only.
pub async fn signed_in(
    store: &Store,
    headers: &HeaderMap,
    https: bool,
    now: Timestamp,
) -> Result<Option<SignedIn>, StoreError> {
    let Some(id) = session::read_cookie(headers, https) else { return Ok(None) };
    let Some(session) = store.session(id.hash().as_str(), now).await? else { return Ok(None) };
    if !session::is_live(session.created, session.last_seen, now) {
        return Ok(None);
    }
    let Some(member) = store.member(session.member).await? else { return Ok(None) };
    // A ban, or anything else that ends every session of a member, counts the epoch up.
    if session.epoch != member.session_epoch {
        return Ok(None);
    }
    Ok(Some(SignedIn { session: id, member, touch_due: session::touch_due(session.last_seen, now) }))
}
