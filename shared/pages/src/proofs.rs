//! The pages to which the links in mails lead. Each shows what will happen and has a button: a link scanner that opens the
//! page changes nothing, and one that submits its form lacks the session or the code.

use askama::Template;
use membermail_store::UndoView;

use crate::layout::Site;

/// The page that confirms a mailbox, in the session of the member.
#[derive(Template)]
#[template(path = "confirm.html")]
pub struct Confirm<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The id of the destination.
    pub destination: String,
    /// Its address.
    pub mailbox: String,
    /// The code of the link; empty if it has none.
    pub code: String,
    /// Whether all addresses will forward there alone.
    pub replaces: bool,
}

impl Confirm<'_> {
    fn text(&self) -> String {
        let part = if self.replaces { "replaces" } else { "text" };
        self.site.wording.part_with("confirm", part, &[("mailbox", self.mailbox.as_str().into())])
    }
}

/// The page that reverts a change of destinations. It needs no session, because whoever made the change may have taken it over.
#[derive(Template)]
#[template(path = "undo.html")]
pub struct Undo<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The change, as in the link.
    pub change: String,
    /// When it was made, and until when it can be reverted.
    pub view: UndoView,
}

impl Undo<'_> {
    fn text(&self) -> String {
        let wording = self.site.wording;
        let args = [("at", wording.moment(self.view.at).into()), ("until", wording.moment(self.view.until).into())];
        wording.part_with("undo", "text", &args)
    }
}
