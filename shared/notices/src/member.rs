//! Notices to members: about one of their addresses, or about two sign-ins that were linked.

use jiff::Timestamp;
use membermail_core::address::Address;
use membermail_core::audit::Comment;
use membermail_core::member::PersonName;
use membermail_core::notice::MemberNews;
use membermail_core::status_code::{FailureKind, StatusCode};
use membermail_texts::{Args, FluentValue, Translator};

use crate::content::{Content, Labeled};
use crate::{Site, SmtpReply};

/// A notice to a member about one of their addresses.
#[derive(Clone, Debug)]
pub struct MemberNotice {
    /// Their name at the membership source.
    pub name: Option<PersonName>,
    /// The address that the notice is about.
    pub address: Address,
    /// The reason for the notice.
    pub event: MemberEvent,
    /// What an admin or operator told the member about it.
    pub comment: Option<Comment>,
}

/// What happened to an address.
#[derive(Clone, Debug)]
pub enum MemberEvent {
    /// It was created, changed or ended.
    AddressChanged(MemberNews),
    /// The member has it, but none of its mailboxes is confirmed.
    Unconfirmed,
    /// The mail server of its mailbox rejects mail.
    DestinationRejectsMail(SmtpReply),
    /// The mail server of one of its mailboxes rejects mail.
    OneDestinationRejectsMail(SmtpReply),
    /// One of its mailboxes has rejected mail for a day, or a test message.
    DestinationFails {
        /// The first rejection.
        since: Timestamp,
        /// The status of the last one.
        reply: StatusCode,
    },
}

impl MemberNotice {
    pub(crate) fn content(&self, translator: Translator<'_>, site: &Site) -> Content {
        let Self { name, address, event, comment } = self;
        let mut args = site_args(site).to_vec();
        args.extend([("address", address.to_string().into()), ("domain", address.domain.as_str().into())]);
        let (id, reason) = match event {
            MemberEvent::AddressChanged(MemberNews::Created) => ("member-created", None),
            MemberEvent::AddressChanged(MemberNews::Renamed { from }) => {
                args.extend(from.as_ref().map(|from| ("from", from.to_string().into())));
                ("member-renamed", None)
            }
            MemberEvent::AddressChanged(MemberNews::Leaving { reason, until }) => {
                args.push(("until", translator.date(*until).into()));
                ("member-leaving", Some(*reason))
            }
            MemberEvent::AddressChanged(MemberNews::Restored) => ("member-restored", None),
            MemberEvent::AddressChanged(MemberNews::Returned) => ("member-returned", None),
            MemberEvent::AddressChanged(MemberNews::Suspended { reason }) => ("member-suspended", Some(*reason)),
            MemberEvent::AddressChanged(MemberNews::Deleted { until }) => {
                args.push(("until", translator.date(*until).into()));
                ("member-deleted", None)
            }
            MemberEvent::Unconfirmed => ("member-unconfirmed", None),
            MemberEvent::OneDestinationRejectsMail(reply) => {
                args.push(("reply", reply.to_string().into()));
                ("member-one-destination", None)
            }
            MemberEvent::DestinationFails { since, reply } => {
                args.extend([("since", translator.date(*since).into()), ("reply", reply.to_string().into())]);
                ("member-failing", None)
            }
            MemberEvent::DestinationRejectsMail(reply) => {
                args.push(("reply", reply.to_string().into()));
                match StatusCode::parse(&reply.to_string()).map(|code| code.kind()) {
                    Ok(FailureKind::Message) => ("member-refused-message", None),
                    _ => ("member-destination", None),
                }
            }
        };
        if let Some(reason) = reason {
            let why = translator.text(&format!("reason-{reason}"), &args);
            args.push(("reason", why.into()));
        }
        let mut content = content(id, &args, name.as_ref(), translator, site);
        if let MemberEvent::AddressChanged(MemberNews::Renamed { from: Some(_) }) = event {
            content.paragraphs.extend(translator.paragraphs(id, "former", &args));
        }
        if let Some(comment) = comment {
            content.paragraphs.push(translator.text("ban-reason", &[("comment", comment.as_str().into())]));
        }
        if let Some(reason) = reason {
            content.paragraphs.push(translator.text(&format!("next-{reason}"), &args));
            content.paragraphs.push(translator.text("stays-yours", &[]));
        }
        content
    }
}

/// Two sign-ins were linked to one account; both sign-in addresses get this notice.
#[derive(Clone, Debug)]
pub struct LinkedSignIns {
    /// The name of the account at the membership source.
    pub name: Option<PersonName>,
}

impl LinkedSignIns {
    pub(crate) fn content(&self, translator: Translator<'_>, site: &Site) -> Content {
        content("member-linked", &site_args(site), self.name.as_ref(), translator, site)
    }
}

/// The names of community, sign-in provider and membership source.
pub(crate) fn site_args(site: &Site) -> [(&'static str, FluentValue<'_>); 3] {
    [
        ("community", site.community.as_str().into()),
        ("provider", site.provider.as_str().into()),
        ("source", site.source.as_str().into()),
    ]
}

/// Adds the parts that all notices to members share.
pub(crate) fn content(
    id: &str,
    args: Args<'_>,
    name: Option<&PersonName>,
    translator: Translator<'_>,
    site: &Site,
) -> Content {
    let about = [("community", FluentValue::from(site.community.as_str())), ("help", site.help.as_str().into())];
    Content {
        greeting: name.map(|name| translator.text("greeting", &[("name", name.as_str().into())])),
        button: Some(Labeled::new(translator.text("addresses-button", &[]), site.url.as_str())),
        footer: vec![translator.text("footer-member", &about)],
        ..Content::new(id, args, translator)
    }
}
