//! Notices: what they say in each language, how they look, and the way to the mail server.
//!
//! A notice is typed ([`Member`], [`Linked`], [`Digest`], [`Held`], [`DomainNews`], [`Failed`]); its words are in
//! `languages/`, one file a language; [`compose`] makes a message of both, and [`Relay`] hands it to a mail server.

mod admins;
mod content;
mod letter;
mod member;
mod operators;
mod relay;
mod reply;
mod settings;
mod texts;

use membermail_core::community::{Community, SignIn};
use url::Url;

pub use admins::{Digest, DomainNews, Held, WithoutAdmin};
pub use letter::{Addressed, Letter, LetterError, compose};
pub use member::{Linked, Member, Said};
pub use operators::{Failed, What};
pub use relay::{Relay, SendError};
pub use reply::Reply;
pub use settings::{MailSettings, SettingsError};
pub use texts::{Texts, TextsError};

/// What all notices of a deployment have in common.
#[derive(Clone, Debug)]
pub struct Site {
    /// "Ubuntu".
    pub community: String,
    /// "Ubuntu One".
    pub provider: String,
    /// Where members see their addresses.
    pub url: Url,
    /// Where people help.
    pub help: Url,
}

impl Site {
    /// Of this community, at this public URL.
    pub fn new(community: &Community, url: Url) -> Self {
        let SignIn::OpenId2 { title, .. } = &community.sign_in;
        Self { community: community.title.clone(), provider: title.clone(), url, help: community.help.clone() }
    }
}

/// Something that can be told.
#[derive(Clone, Debug)]
pub enum Notice {
    /// To a member, of an address of theirs.
    Member(Member),
    /// To both of a member's sign-in addresses: two sign-ins are one account.
    Linked(Linked),
    /// To the admins of a domain: what changed there.
    Digest(Digest),
    /// To the admins of a domain: a sync waits.
    Held(Held),
    /// To the admins of a domain: what became of its proof.
    Domain(DomainNews),
    /// To the operators: something failed for good.
    Failed(Failed),
}
