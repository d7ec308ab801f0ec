//! Notices to the mailboxes of a member: the code that confirms a new one, changes for all others, and test messages.

use jiff::Timestamp;
use membermail_core::address::Address;
use membermail_core::code::Code;
use membermail_core::destination::DestinationId;
use membermail_core::member::{MemberId, PersonName};
use membermail_texts::{FluentValue, Translator};
use ulid::Ulid;

use crate::Site;
use crate::content::{Content, Labeled};
use crate::member::{content, site_args};

/// The code for a new mailbox. It can be the mailbox of a stranger, so it tells nothing about the member.
#[derive(Clone, Debug)]
pub struct MailboxCode {
    /// The destination to confirm.
    pub destination: DestinationId,
    /// The code.
    pub code: Code,
    /// Until when it is valid.
    pub until: Timestamp,
}

/// A change of a member's mailboxes, to one of the others.
#[derive(Clone, Debug)]
pub struct MailboxNotice {
    /// The member's name at the membership source.
    pub name: Option<PersonName>,
    /// What happened.
    pub event: MailboxEvent,
    /// When it happened.
    pub at: Timestamp,
    /// How the recipient can revert it.
    pub undo: Option<Undo>,
}

/// What happened to the mailboxes of a member.
#[derive(Clone, Debug)]
pub enum MailboxEvent {
    /// A code was requested for a new one.
    Requested,
    /// Another one was confirmed.
    Confirmed,
    /// One was removed.
    Removed,
    /// An address forwards to others.
    Redirected(Address),
    /// A change was reverted.
    Reverted,
    /// The member can sign in with another account at the provider of this name.
    AccountAdded(String),
    /// An account at the provider of this name no longer leads to the member.
    AccountRemoved(String),
}

/// The link and the code that revert a change. The link alone reverts nothing, so that a link scanner cannot.
#[derive(Clone, Debug)]
pub struct Undo {
    /// The member.
    pub member: MemberId,
    /// The change.
    pub change: Ulid,
    /// The code to type into the page of the link.
    pub code: Code,
    /// Until when the change can be reverted.
    pub until: Timestamp,
}

/// A test message, sent to an address of the member.
#[derive(Clone, Debug)]
pub struct TestMessage {
    /// The member's name at the membership source.
    pub name: Option<PersonName>,
    /// The address.
    pub address: Address,
}

impl MailboxCode {
    pub(crate) fn content(&self, translator: Translator<'_>, site: &Site) -> Content {
        let mut args = site_args(site).to_vec();
        args.push(("time", time(self.until).into()));
        let code = self.code.expose();
        let link = site.link("confirm", &[("destination", &self.destination.to_string()), ("code", &code)]);
        let text = |part| translator.attribute("destination-code", part, &args);
        Content {
            commands: vec![Labeled::new(text("label"), code)],
            after: vec![text("after")],
            button: Some(Labeled::new(text("button"), link.as_str())),
            footer: vec![text("footer")],
            ..Content::new("destination-code", &args, translator)
        }
    }
}

impl MailboxNotice {
    pub(crate) fn content(&self, translator: Translator<'_>, site: &Site) -> Content {
        let mut args = site_args(site).to_vec();
        args.extend([("date", translator.date(self.at).into()), ("time", FluentValue::from(time(self.at)))]);
        let id = match &self.event {
            MailboxEvent::Requested => "destination-requested",
            MailboxEvent::Confirmed => "destination-confirmed",
            MailboxEvent::Removed => "destination-removed",
            MailboxEvent::Redirected(address) => {
                args.push(("address", address.to_string().into()));
                "destination-redirected"
            }
            MailboxEvent::Reverted => "destination-reverted",
            MailboxEvent::AccountAdded(account) => {
                args.push(("account", account.as_str().into()));
                "account-added"
            }
            MailboxEvent::AccountRemoved(account) => {
                args.push(("account", account.as_str().into()));
                "account-removed"
            }
        };
        let mut content = content(id, &args, self.name.as_ref(), translator, site);
        match (&self.event, &self.undo) {
            // These say what to do.
            (MailboxEvent::Requested | MailboxEvent::Reverted, _)
            | (MailboxEvent::AccountAdded(_) | MailboxEvent::AccountRemoved(_), _) => {}
            (_, Some(undo)) => undo.add_to(&mut content, translator, site),
            (_, None) => content.paragraphs.push(translator.text("destination-no-undo", &args)),
        }
        content
    }
}

impl Undo {
    fn add_to(&self, content: &mut Content, translator: Translator<'_>, site: &Site) {
        let args = [("date", FluentValue::from(translator.date(self.until))), ("time", time(self.until).into())];
        let change = format!("{}.{}", self.member, self.change);
        let link = site.link("undo", &[("change", &change)]);
        let text = |part| translator.attribute("destination-undo", part, &args);
        content.paragraphs.extend(translator.paragraphs("destination-undo", "body", &args));
        content.commands.push(Labeled::new(text("label"), self.code.expose()));
        content.button = Some(Labeled::new(text("button"), link.as_str()));
    }
}

impl TestMessage {
    pub(crate) fn content(&self, translator: Translator<'_>, site: &Site) -> Content {
        let mut args = site_args(site).to_vec();
        args.push(("address", self.address.to_string().into()));
        content("member-test", &args, self.name.as_ref(), translator, site)
    }
}

/// The time of day in UTC.
fn time(at: Timestamp) -> String {
    at.strftime("%H:%M").to_string()
}

#[cfg(test)]
#[path = "destinations_tests.rs"]
mod tests;
