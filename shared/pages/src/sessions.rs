//! The page with the member's sessions.

use askama::Template;
use membermail_store::ListedSession;

use crate::layout::Site;
use crate::wording::Wording;

/// The page.
#[derive(Template)]
#[template(path = "sessions.html")]
pub struct Sessions<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The sessions, newest first.
    pub rows: Vec<SessionRow>,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// The hash of its id, which opens no session.
    pub hash: String,
    /// Whether it is that of this browser.
    pub is_this_browser: bool,
    /// Which session it is.
    pub title: String,
    /// When it was last used.
    pub last_seen: String,
}

impl SessionRow {
    /// Describes a session; `own` is the hash of this browser's session.
    pub fn new(listed: &ListedSession, own: &str, wording: Wording<'_>) -> Self {
        let args = [("moment", wording.moment(listed.session.created).into())];
        let last_seen = [("moment", wording.moment(listed.session.last_seen).into())];
        Self {
            is_this_browser: listed.hash == own,
            title: wording.text_with("session-created", &args),
            last_seen: wording.text_with("session-last-seen", &last_seen),
            hash: listed.hash.clone(),
        }
    }
}
