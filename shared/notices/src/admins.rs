//! Notices to the admins of a domain.

use fluent_bundle::FluentValue;
use jiff::Timestamp;
use membermail_core::address::{Address, DomainName};
use membermail_core::audit::DomainChange;
use membermail_core::digest::Tally;
use membermail_core::guard::HoldReason;
use membermail_core::member::LaunchpadName;
use membermail_core::notice::AdminNews;
use membermail_core::plan::Counts;
use ulid::Ulid;

use crate::Site;
use crate::content::{Content, Pair};
use crate::texts::Speaker;

/// Addresses that a digest names at most; a mail is to be read.
const NAMED: usize = 100;

/// No admin of a domain is bound and can act, so that its notices go to the operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithoutAdmin {
    /// Who should be bound, as the community file documents them. These names grant nothing.
    pub documented: Vec<LaunchpadName>,
}

/// What changed at a domain since the last digest.
#[derive(Clone, Debug)]
pub struct Digest {
    /// Where.
    pub domain: DomainName,
    /// What, in the order that it is told in.
    pub news: Vec<(Address, AdminNews)>,
    /// How many other changes there are, which it does not name.
    pub others: Tally,
    /// Set where it goes to the operators, since no admin can act.
    pub without_admin: Option<WithoutAdmin>,
}

/// A sync that takes too much to be done without a look.
#[derive(Clone, Debug)]
pub struct Held {
    /// Where.
    pub domain: DomainName,
    /// Which.
    pub run: Ulid,
    /// What it would do; nothing, if the table no longer has it.
    pub counts: Option<Counts>,
    /// Why it is held.
    pub held_for: Vec<HoldReason>,
    /// Whether it was released since, its message was lost, and a sync sent that again: there is nothing to decide.
    pub is_resent: bool,
    /// Set where it goes to the operators, since no admin can act.
    pub without_admin: Option<WithoutAdmin>,
}

/// What became of a domain's proof.
#[derive(Clone, Debug)]
pub struct DomainNews {
    /// Of which.
    pub domain: DomainName,
    /// What.
    pub did: DomainChange,
    /// Of one whose record is gone: until when it still gives new addresses.
    pub until: Option<Timestamp>,
    /// Set where it goes to the operators, since no admin can act.
    pub without_admin: Option<WithoutAdmin>,
}

impl Digest {
    pub(crate) fn content(&self, speaker: Speaker<'_>, site: &Site) -> Content {
        let Self { domain, news, others, without_admin } = self;
        let total = Tally::of(news.iter().map(|(_, news)| news)).plus(*others);
        let count = |count: u64| [("count", FluentValue::from(count)), ("number", speaker.number(count).into())];
        let args = count(total.total()).into_iter().chain([("domain", FluentValue::from(domain.as_str()))]);
        let args: Vec<_> = args.collect();
        let mut rows = Vec::new();
        // How many of which first, where there are too many to see it.
        if total.total() > 10 {
            let Tally { created, restored, loops, removed } = total;
            let counts = [
                ("count-created", created),
                ("count-restored", restored),
                ("count-loop", loops),
                ("count-removed", removed),
            ];
            let counts = counts.into_iter().filter(|(_, count)| *count > 0);
            rows.extend(counts.map(|(id, count)| Pair::new(speaker.say(id, &[]), speaker.number(count))));
        }
        rows.extend(news.iter().take(NAMED).map(|(address, news)| {
            let id = match news {
                AdminNews::Created => "news-created".to_owned(),
                AdminNews::Restored => "news-restored".to_owned(),
                AdminNews::Loop => "news-loop".to_owned(),
                AdminNews::Removed(reason) => format!("news-removed-{}", reason.as_str()),
            };
            Pair::new(address.to_string(), speaker.say(&id, &[]))
        }));
        let more = others.total() + news.len().saturating_sub(NAMED) as u64;
        let more = (more > 0).then(|| {
            Pair::new(speaker.say("digest-more", &count(more)), format!("membermail audit --domain {domain}"))
        });
        Content {
            subject: speaker.part("digest", "subject", &args),
            heading: speaker.part("digest", "heading", &args),
            paragraphs: speaker.paragraphs("digest", "body", &args),
            rows,
            commands: more.into_iter().chain(bind(domain, without_admin.as_ref(), speaker)).collect(),
            footer: footer(domain, without_admin.as_ref(), speaker, site),
            ..Content::default()
        }
    }
}

impl Held {
    pub(crate) fn content(&self, speaker: Speaker<'_>, site: &Site) -> Content {
        let Self { domain, run, counts, held_for, is_resent, without_admin } = self;
        let args = [("domain", FluentValue::from(domain.as_str()))];
        let Counts { active, create, rename, restore, leave, suspend, retire, unverified, .. } =
            counts.unwrap_or_default();
        let reasons = held_for.iter().filter_map(|reason| because(reason, speaker));
        let rows = [
            ("held-active", active),
            ("held-create", create),
            ("held-rename", rename),
            ("held-restore", restore),
            ("held-leave", leave),
            ("held-suspend", suspend),
            ("held-retire", retire),
        ];
        let unverified = (unverified > 0).then_some(("held-unverified", unverified));
        let rows =
            rows.into_iter().chain(unverified).map(|(id, count)| Pair::new(speaker.say(id, &[]), count.to_string()));
        let command = |id: &str, verb: &str| Pair::new(speaker.say(id, &[]), format!("membermail sync {verb} {run}"));
        let mut commands = vec![command("held-show", "show")];
        if !is_resent {
            commands.extend([command("held-release", "release"), command("held-reject", "reject")]);
        }
        let id = if *is_resent { "release-resent" } else { "held" };
        Content {
            subject: speaker.part(id, "subject", &args),
            heading: speaker.part(id, "heading", &args),
            paragraphs: speaker.paragraphs(id, "body", &args),
            rows: reasons.chain(rows).collect(),
            commands: commands.into_iter().chain(bind(domain, without_admin.as_ref(), speaker)).collect(),
            footer: footer(domain, without_admin.as_ref(), speaker, site),
            ..Content::default()
        }
    }
}

/// A reason why a plan is held; none for one that the counts show.
fn because(reason: &HoldReason, speaker: Speaker<'_>) -> Option<Pair> {
    let HoldReason::Bound { kind, count, of, .. } = reason else { return None };
    let args = [("count", FluentValue::from(*count)), ("of", (*of).into())];
    Some(Pair::new(speaker.say(&format!("held-many-{}", kind.as_str()), &[]), speaker.say("held-of", &args)))
}

impl DomainNews {
    pub(crate) fn content(&self, speaker: Speaker<'_>, site: &Site) -> Content {
        let Self { domain, did, until, without_admin } = self;
        let (id, shows) = match did {
            DomainChange::Verified => ("domain-verified", false),
            DomainChange::RecordGone => ("domain-record-gone", true),
            DomainChange::Lapsed => ("domain-lapsed", true),
            DomainChange::Restored => ("domain-restored", false),
            DomainChange::Unverified => ("domain-unverified", true),
            DomainChange::Unlisted => ("domain-unlisted", false),
            DomainChange::Retiring => ("domain-retiring", false),
            DomainChange::RetirementCancelled => ("domain-retirement-cancelled", false),
        };
        let args = [
            ("domain", FluentValue::from(domain.as_str())),
            ("community", site.community.as_str().into()),
            ("until", until.map(|until| speaker.day(until)).unwrap_or_default().into()),
        ];
        let retire = || Pair::new(speaker.say("domain-retire", &[]), format!("membermail domain retire {domain}"));
        let retires = *did == DomainChange::Unlisted;
        let show = || Pair::new(speaker.say("domain-show", &[]), format!("membermail domain show {domain}"));
        Content {
            subject: speaker.part(id, "subject", &args),
            heading: speaker.part(id, "heading", &args),
            paragraphs: speaker.paragraphs(id, "body", &args),
            commands: (shows.then(show).into_iter())
                .chain(retires.then(retire))
                .chain(bind(domain, without_admin.as_ref(), speaker))
                .collect(),
            footer: footer(domain, without_admin.as_ref(), speaker, site),
            ..Content::default()
        }
    }
}

/// How operators give the domain an admin, where it has none.
fn bind(domain: &DomainName, without_admin: Option<&WithoutAdmin>, speaker: Speaker<'_>) -> Option<Pair> {
    without_admin?;
    Some(Pair::new(speaker.say("no-admin-bind", &[]), format!("membermail domain admin add {domain} MEMBER")))
}

fn footer(domain: &DomainName, without_admin: Option<&WithoutAdmin>, speaker: Speaker<'_>, site: &Site) -> Vec<String> {
    let mut args = vec![("domain", FluentValue::from(domain.as_str())), ("community", site.community.as_str().into())];
    let Some(WithoutAdmin { documented }) = without_admin else { return vec![speaker.say("footer-admin", &args)] };
    let mut footer = vec![speaker.say("no-admin", &args)];
    if !documented.is_empty() {
        let names = documented.iter().map(LaunchpadName::as_str).collect::<Vec<_>>().join(", ");
        args.push(("names", names.into()));
        footer.push(speaker.say("no-admin-documented", &args));
    }
    footer
}
