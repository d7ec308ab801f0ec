//! Notices to a member: on one of their addresses, and on two sign-ins that are one account now.

use fluent_bundle::FluentValue;
use membermail_core::address::Address;
use membermail_core::member::LaunchpadName;
use membermail_core::notice::MemberNews;

use crate::content::{Content, Pair};
use crate::texts::{Args, Speaker};
use crate::{Reply, Site};

/// A notice to a member, of one address.
#[derive(Clone, Debug)]
pub struct Member {
    /// What Launchpad calls them.
    pub name: Option<LaunchpadName>,
    /// Which address.
    pub address: Address,
    /// What there is to say.
    pub said: Said,
}

/// What is said of an address.
#[derive(Clone, Debug)]
pub enum Said {
    /// It changed.
    News(MemberNews),
    /// Mail to where it forwards comes back.
    DestinationFails(Reply),
}

impl Member {
    pub(crate) fn content(&self, speaker: Speaker<'_>, site: &Site) -> Content {
        let Self { name, address, said } = self;
        let text = |value: &str| FluentValue::from(value.to_owned());
        let mut args = vec![
            ("address", text(&address.to_string())),
            ("domain", text(address.domain.as_str())),
            ("community", text(&site.community)),
            ("provider", text(&site.provider)),
        ];
        let (id, reason) = match said {
            Said::News(MemberNews::Created) => ("member-created", None),
            Said::News(MemberNews::Renamed { from }) => {
                args.extend(from.as_ref().map(|from| ("from", text(&from.to_string()))));
                ("member-renamed", None)
            }
            Said::News(MemberNews::Leaving { reason, until }) => {
                args.push(("until", text(&speaker.day(*until))));
                ("member-leaving", Some(*reason))
            }
            Said::News(MemberNews::Restored) => ("member-restored", None),
            Said::News(MemberNews::Returned) => ("member-returned", None),
            Said::News(MemberNews::Suspended { reason }) => ("member-suspended", Some(*reason)),
            Said::DestinationFails(reply) => {
                args.push(("reply", text(&reply.to_string())));
                ("member-destination", None)
            }
        };
        if let Some(reason) = reason {
            let why = speaker.say(&format!("reason-{}", reason.as_str()), &args);
            args.push(("reason", why.into()));
        }
        let mut paragraphs = speaker.paragraphs(id, "body", &args);
        if let Said::News(MemberNews::Renamed { from: Some(_) }) = said {
            paragraphs.extend(speaker.paragraphs(id, "former", &args));
        }
        if let Some(reason) = reason {
            paragraphs.push(speaker.say(&format!("next-{}", reason.as_str()), &args));
            paragraphs.push(speaker.say("stays-yours", &[]));
        }
        content(id, &args, name.as_ref(), paragraphs, speaker, site)
    }
}

/// A notice that two sign-ins are one account from now on; each of the two gets one.
#[derive(Clone, Debug)]
pub struct Linked {
    /// What Launchpad calls the person.
    pub name: Option<LaunchpadName>,
}

impl Linked {
    pub(crate) fn content(&self, speaker: Speaker<'_>, site: &Site) -> Content {
        let id = "member-linked";
        let args =
            [("community", FluentValue::from(site.community.as_str())), ("provider", site.provider.as_str().into())];
        let paragraphs = speaker.paragraphs(id, "body", &args);
        content(id, &args, self.name.as_ref(), paragraphs, speaker, site)
    }
}

/// The parts that all notices to members share.
fn content(
    id: &str,
    args: Args<'_>,
    name: Option<&LaunchpadName>,
    paragraphs: Vec<String>,
    speaker: Speaker<'_>,
    site: &Site,
) -> Content {
    let about = [("community", FluentValue::from(site.community.as_str())), ("help", site.help.as_str().into())];
    Content {
        subject: speaker.part(id, "subject", args),
        heading: speaker.part(id, "heading", args),
        greeting: name.map(|name| speaker.say("greeting", &[("name", name.as_str().into())])),
        paragraphs,
        button: Some(Pair::new(speaker.say("addresses-button", &[]), site.url.as_str())),
        footer: vec![speaker.say("footer-member", &about)],
        ..Content::default()
    }
}
