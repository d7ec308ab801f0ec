//! Notices to the admins of a domain, or to the operators if no admin can act.

use jiff::Timestamp;
use membermail_core::address::{Address, DomainName};
use membermail_core::audit::DomainChange;
use membermail_core::digest::Tally;
use membermail_core::guard::HoldReason;
use membermail_core::member::PersonName;
use membermail_core::notice::AdminNews;
use membermail_core::plan::Counts;
use membermail_texts::{FluentValue, Translator};
use ulid::Ulid;

use crate::Site;
use crate::content::{Content, Labeled};

/// Maximum addresses that a digest lists, to keep the mail readable.
const MAX_LISTED: usize = 100;

/// No bound admin of the domain can act, so the notice goes to the operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingAdmin {
    /// The admins that the community file documents. Names grant nothing; an operator must bind the members.
    pub documented: Vec<PersonName>,
}

/// A notice to the admins of a domain.
#[derive(Clone, Debug)]
pub struct AdminNotice {
    /// The domain.
    pub domain: DomainName,
    /// The reason for the notice.
    pub news: DomainNews,
    /// Set if the notice goes to the operators.
    pub missing_admin: Option<MissingAdmin>,
}

/// What happened at a domain.
#[derive(Clone, Debug)]
pub enum DomainNews {
    /// The changes of its addresses since the last digest.
    Digest {
        /// The changes that the digest lists, in this order.
        changes: Vec<(Address, AdminNews)>,
        /// Counts of further changes that it does not list.
        others: Tally,
        /// The number of addresses with failed deliveries in the last two weeks.
        failing: u64,
    },
    /// A sync exceeds a limit and needs a decision.
    Held {
        /// The held run.
        run: Ulid,
        /// The planned changes; `None` if the table no longer has the plan.
        counts: Option<Counts>,
        /// The exceeded limits.
        held_for: Vec<HoldReason>,
        /// Whether the run was already released and its lost message was sent again, so that there is nothing to decide.
        is_resent: bool,
    },
    /// Its verification or retirement changed.
    Changed {
        /// The change.
        change: DomainChange,
        /// After `RecordGone`: until when members still get new addresses. After `Retiring`: when the addresses end.
        until: Option<Timestamp>,
    },
}

impl AdminNotice {
    pub(crate) fn content(&self, translator: Translator<'_>, site: &Site) -> Content {
        let Self { domain, news, missing_admin } = self;
        let mut content = match news {
            DomainNews::Digest { changes, others, failing } => {
                let mut content = describe_digest(domain, changes, *others, translator, site);
                if *failing > 0 {
                    let row = Labeled::new(translator.text("count-failing", &[]), translator.number(*failing));
                    content.rows.insert(0, row);
                }
                content
            }
            DomainNews::Held { run, counts, held_for, is_resent } => {
                let rows = list_held_changes(counts.unwrap_or_default(), held_for, translator);
                Content { rows, ..describe_held_run(domain, *run, *is_resent, translator, site) }
            }
            DomainNews::Changed { change, until } => describe_change(domain, *change, *until, translator, site),
        };
        let mut args = vec![
            ("domain", FluentValue::from(domain.as_str())),
            ("community", site.community.as_str().into()),
            ("source", site.source.as_str().into()),
        ];
        let Some(MissingAdmin { documented }) = missing_admin else {
            // An admin has the console, and no command line.
            if content.button.is_some() {
                content.commands.clear();
            }
            content.footer.push(translator.text("footer-admin", &args));
            return content;
        };
        let bind = format!("membermail domain admin add {domain} MEMBER");
        content.commands.push(Labeled::new(translator.text("no-admin-bind", &[]), bind));
        content.footer.push(translator.text("no-admin", &args));
        if !documented.is_empty() {
            let names = documented.iter().map(PersonName::as_str).collect::<Vec<_>>().join(", ");
            args.push(("names", names.into()));
            content.footer.push(translator.text("no-admin-documented", &args));
        }
        content
    }
}

fn describe_digest(
    domain: &DomainName,
    changes: &[(Address, AdminNews)],
    others: Tally,
    translator: Translator<'_>,
    site: &Site,
) -> Content {
    let total = Tally::of(changes.iter().map(|(_, news)| news)).plus(others);
    let mut args = count_args(total.total(), translator).to_vec();
    args.push(("domain", domain.as_str().into()));
    let source = [("source", FluentValue::from(site.source.as_str()))];
    let mut rows = Vec::new();
    // A long list starts with its totals.
    if total.total() > 10 {
        let Tally { created, restored, loops, removed } = total;
        let counts = [
            ("count-created", created),
            ("count-restored", restored),
            ("count-loop", loops),
            ("count-removed", removed),
        ];
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        rows.extend(counts.map(|(id, count)| Labeled::new(translator.text(id, &[]), translator.number(count))));
    }
    rows.extend(changes.iter().take(MAX_LISTED).map(|(address, news)| {
        let id = match news {
            AdminNews::Created => "news-created".to_owned(),
            AdminNews::Restored => "news-restored".to_owned(),
            AdminNews::Loop => "news-loop".to_owned(),
            AdminNews::Removed(reason) => format!("news-removed-{reason}"),
        };
        Labeled::new(address.to_string(), translator.text(&id, &source))
    }));
    let more = others.total() + changes.len().saturating_sub(MAX_LISTED) as u64;
    if more > 0 {
        rows.push(Labeled::new(translator.text("digest-others", &[]), translator.number(more)));
    }
    let button = Some(Labeled::new(translator.text("digest-show", &[]), site.console(domain, "/audit")));
    let command = format!("membermail audit --domain {domain}");
    let commands = (more > 0).then(|| Labeled::new(translator.text("digest-show", &[]), command));
    Content { rows, commands: commands.into_iter().collect(), button, ..Content::new("digest", &args, translator) }
}

/// The page and the commands of a held or resent run.
fn describe_held_run(
    domain: &DomainName,
    run: Ulid,
    is_resent: bool,
    translator: Translator<'_>,
    site: &Site,
) -> Content {
    let (id, verbs) = match is_resent {
        true => ("release-resent", &["show"][..]),
        false => ("held", &["show", "release", "reject"][..]),
    };
    let commands = verbs.iter().map(|verb| {
        Labeled::new(translator.text(&format!("held-{verb}"), &[]), format!("membermail sync {verb} {run}"))
    });
    let args = [("domain", FluentValue::from(domain.as_str()))];
    let page = site.console(domain, &format!("/plans/{run}"));
    let button = Some(Labeled::new(translator.text("held-show", &[]), page));
    Content { commands: commands.collect(), button, ..Content::new(id, &args, translator) }
}

/// The exceeded limits and the planned changes.
fn list_held_changes(counts: Counts, held_for: &[HoldReason], translator: Translator<'_>) -> Vec<Labeled> {
    let Counts { active, create, rename, restore, leave, suspend, retire, unverified, .. } = counts;
    let counts = [
        ("held-active", active),
        ("held-create", create),
        ("held-rename", rename),
        ("held-restore", restore),
        ("held-leave", leave),
        ("held-suspend", suspend),
        ("held-retire", retire),
    ];
    let unverified = (unverified > 0).then_some(("held-unverified", unverified));
    let counts = counts.into_iter().chain(unverified);
    let counts = counts.map(|(id, count)| Labeled::new(translator.text(id, &[]), count.to_string()));
    held_for.iter().filter_map(|reason| exceeded_limit(reason, translator)).chain(counts).collect()
}

fn count_args(count: u64, translator: Translator<'_>) -> [(&'static str, FluentValue<'static>); 2] {
    [("count", count.into()), ("number", translator.number(count).into())]
}

/// The row of an exceeded limit; `None` for a reason that the counts already show.
fn exceeded_limit(reason: &HoldReason, translator: Translator<'_>) -> Option<Labeled> {
    let HoldReason::Bound { kind, count, of, .. } = reason else { return None };
    let args = [("count", FluentValue::from(*count)), ("of", (*of).into())];
    Some(Labeled::new(translator.text(&format!("held-many-{kind}"), &[]), translator.text("held-of", &args)))
}

fn describe_change(
    domain: &DomainName,
    change: DomainChange,
    until: Option<Timestamp>,
    translator: Translator<'_>,
    site: &Site,
) -> Content {
    let (id, shows_record) = match change {
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
        ("until", until.map(|until| translator.date(until)).unwrap_or_default().into()),
    ];
    let mut commands = Vec::new();
    if shows_record {
        let show = format!("membermail domain show {domain}");
        commands.push(Labeled::new(translator.text("domain-show", &[]), show));
    }
    if change == DomainChange::Unlisted {
        let retire = format!("membermail domain retire {domain}");
        commands.push(Labeled::new(translator.text("domain-retire", &[]), retire));
    }
    // The console has the domains of the community file, and the file may lack one that is being retired.
    let has_page =
        !matches!(change, DomainChange::Unlisted | DomainChange::Retiring | DomainChange::RetirementCancelled);
    let label = if shows_record { "domain-show" } else { "domain-open" };
    let button = has_page.then(|| Labeled::new(translator.text(label, &[]), site.console(domain, "")));
    Content { commands, button, ..Content::new(id, &args, translator) }
}
