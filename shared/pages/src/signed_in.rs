//! Authenticates a request: the session of its cookie and its member.

use jiff::Timestamp;
use lambda_http::http::HeaderMap;
use membermail_identity::session::{self, SessionHash, SessionId};
use membermail_store::{Member, Session, Store, StoreError};

/// A member who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session of the browser.
    pub session: SessionId,
    /// When the member signed in.
    pub created: Timestamp,
    /// The member, read from the table just now.
    pub member: Member,
    /// Whether to record the use of the session with [`Store::touch_session`].
    pub touch_due: bool,
}

/// A session that has not ended.
#[derive(Clone, Debug)]
pub struct LiveSession {
    /// When the member signed in.
    pub created: Timestamp,
    /// When it was last used, to within a few minutes.
    pub last_seen: Timestamp,
    /// The member, read from the table just now.
    pub member: Member,
}

/// The session with this hash and its member; none if the session has ended. Writes nothing.
pub async fn live_session(
    store: &Store,
    hash: &SessionHash,
    now: Timestamp,
) -> Result<Option<LiveSession>, StoreError> {
    let Some(session) = store.session(hash.as_str(), now).await? else { return Ok(None) };
    let Session { created, last_seen, .. } = session;
    if !session::is_live(created, last_seen, now) {
        return Ok(None);
    }
    let Some(member) = store.member(session.member).await? else { return Ok(None) };
    // A ban, or anything else that ends all sessions of a member, increments the epoch.
    Ok((session.epoch == member.session_epoch).then_some(LiveSession { created, last_seen, member }))
}

/// The session of this browser and its member; none if the session has ended. Writes nothing.
pub async fn authenticate(
    store: &Store,
    headers: &HeaderMap,
    https: bool,
    now: Timestamp,
) -> Result<Option<SignedIn>, StoreError> {
    let Some(id) = session::read_cookie(headers, https) else { return Ok(None) };
    let live = live_session(store, &id.hash(), now).await?;
    Ok(live.map(|LiveSession { created, last_seen, member }| SignedIn {
        session: id,
        created,
        member,
        touch_due: session::is_touch_due(last_seen, now),
    }))
}

/// The member whose account page a session of this member shows: the member, or the survivor that they were linked to. None if
/// a ban has ended the session.
pub async fn find_owner(store: &Store, member: Member) -> Result<Option<Member>, StoreError> {
    let survivor = match member.merged_into {
        Some(survivor) => store.member(survivor).await?,
        None => None,
    };
    Ok(page_owner(member, survivor))
}

/// The member whose account page the session shows: its own, or the survivor of a link. None if the survivor is banned: a
/// ban before the link did not end the older sessions of the linked member.
fn page_owner(member: Member, survivor: Option<Member>) -> Option<Member> {
    match member.merged_into {
        None => Some(member),
        Some(_) => survivor.filter(|survivor| !survivor.is_banned()),
    }
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
