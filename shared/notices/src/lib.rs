//! Notices: their types and templates, and the SMTP client that sends them.
//!
//! [`compose`] renders a [`Notice`] with the texts of `membermail-texts` as a mail, and [`Relay`] sends it.

mod admins;
mod classify;
mod compose;
mod content;
mod destinations;
mod member;
mod operators;
mod relay;
mod reply;
mod role;
mod settings;

use membermail_core::address::DomainName;
use membermail_core::community::Community;
use url::Url;

pub use admins::{AdminNotice, DomainNews, MissingAdmin};
pub use compose::{Addressing, ComposeError, ComposedMail, compose};
pub use destinations::{MailboxCode, MailboxEvent, MailboxNotice, TestMessage, Undo};
pub use member::{LinkedSignIns, MemberEvent, MemberNotice};
pub use membermail_texts::{Texts, TextsError};
pub use operators::{FailureKind, FailureReport};
pub use relay::{Relay, SendError};
pub use reply::SmtpReply;
pub use role::RoleNotice;
pub use settings::{MailSettings, SettingsError};

/// The values that all notices of a deployment share.
#[derive(Clone, Debug)]
pub struct Site {
    /// The community's title, such as "Ubuntu".
    pub community: String,
    /// The sign-in provider's title, such as "Ubuntu One".
    pub provider: String,
    /// The membership source's title, such as "Launchpad".
    pub source: String,
    /// The page with a member's addresses.
    pub url: Url,
    /// The community's help page.
    pub help: Url,
}

impl Site {
    /// Combines a community with the public URL of its deployment.
    pub fn new(community: &Community, url: Url) -> Self {
        Self {
            community: community.title.clone(),
            provider: community.sign_in.title().to_owned(),
            source: community.members.title().to_owned(),
            url,
            help: community.help.clone(),
        }
    }

    /// The address of a page of a domain in the admin console.
    pub(crate) fn console(&self, domain: &DomainName, page: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/admin/domains/{domain}{page}", self.url.path().trim_end_matches('/')));
        url.set_query(None);
        url
    }

    /// The address of a page with these parameters.
    pub(crate) fn link(&self, page: &str, parameters: &[(&str, &str)]) -> Url {
        let mut url = self.url.clone();
        url.set_path(page);
        url.query_pairs_mut().extend_pairs(parameters);
        url
    }
}

/// A notice to members, admins or operators.
#[derive(Clone, Debug)]
pub enum Notice {
    /// To a member, about one of their addresses.
    Member(MemberNotice),
    /// To both sign-in addresses of a member: two sign-ins were linked.
    Linked(LinkedSignIns),
    /// To a member: their permissions in a domain changed.
    Role(RoleNotice),
    /// To a new mailbox: the code that confirms it.
    Code(MailboxCode),
    /// To a mailbox of a member: their mailboxes changed.
    Mailbox(MailboxNotice),
    /// To an address of a member: the test message that they requested.
    Test(TestMessage),
    /// To the admins of a domain.
    Admins(AdminNotice),
    /// To the operators: a permanent failure.
    Failure(FailureReport),
}
