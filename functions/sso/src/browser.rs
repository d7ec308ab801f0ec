//! What a browser keeps of its sign-in.

use lambda_http::Request;
use membermail_identity::session::{self, SessionId};
use membermail_pages::public_url::PublicUrl;

/// The session id in the cookie; the session may have ended.
pub(crate) fn session_id(request: &Request, public_url: &PublicUrl) -> Option<SessionId> {
    session::read_cookie(request.headers(), public_url.is_https())
}
