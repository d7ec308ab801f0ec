//! `membermail domain show` and `check`: what proves a domain, and what DNS says of its mail.

use std::fmt;

use check_domains::{Checker, DomainReport, Outcome, Report, check as look_at};
use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::clock::SystemClock;
use membermail_core::community::Domain;
use membermail_core::domain_mail::{Dmarc, Mx, Spf};
use membermail_core::domain_proof::{DomainEvent, Proof, Seen};
use membermail_core::random::OsRandom;
use membermail_core::retirement::Retirement;
use membermail_dns::{NameServers, Resolver, Settings};
use membermail_store::{Checked, RecordSeen};
use serde::Serialize;

use crate::Context;
use crate::domain::team::TeamView;
use crate::failure::Failure;
use crate::output::{facts, time, word};
use crate::place::domain;

/// `domain show`
pub(super) async fn show(context: &Context, name: &DomainName) -> Result<(), Failure> {
    let (store, community) = (context.place.store().await?, context.place.community().await?);
    let configured = domain(&community, name)?;
    let Domain { domain, .. } = configured.clone();
    let token = store.domain_token(&domain, context.operator.random()).await?;
    let stored = store.domain(&domain).await?;
    let record = Record { name: format!("{domain}."), kind: "TXT", value: token.record() };
    let (proof, record_seen) = (stored.proof(), stored.record_seen());
    let team = TeamView::new(configured, &stored);
    let bound_admins = store.admin_bindings(&domain).await?.len();
    let (verified, retirement) = (stored.verified, stored.retirement);
    let (mx, spf, dmarc) = (stored.mx, stored.spf, stored.dmarc);
    let shown = Shown { domain, team, bound_admins, verified, retirement, proof, record, record_seen, mx, spf, dmarc };
    context.output.show(&shown)
}

/// `domain check`
pub(super) async fn check(
    context: &Context,
    named: &[DomainName],
    servers: Option<NameServers>,
) -> Result<(), Failure> {
    let (store, community) = (context.place.store().await?, context.place.community().await?);
    let mut domains = Vec::new();
    for name in named {
        domains.push(domain(&community, name)?);
    }
    if domains.is_empty() {
        domains.extend(&community.domains);
    }
    let resolver = Resolver::new(&Settings { servers, ..Settings::default() });
    let checker = Checker {
        resolver: resolver.map_err(|cause| Failure::Other(cause.to_string()))?,
        store,
        clock: Box::new(SystemClock),
        random: Box::new(OsRandom),
        grace: community.rules.domain_grace(),
    };
    let bar = crate::progress::counting("asking DNS");
    let report = look_at(&checker, domains, context.operator.request_id()).await;
    bar.finish_and_clear();
    let (failed, all) = (report.failed(), report.domains.len());
    context.output.show(&Reported { report })?;
    match failed {
        0 => Ok(()),
        failed => Err(Failure::Other(format!("{failed} of {all} domains could not be checked"))),
    }
}

#[derive(Debug, Serialize)]
struct Shown {
    domain: DomainName,
    #[serde(flatten)]
    team: TeamView,
    /// Members that are bound as admins, whether they can act or not.
    bound_admins: usize,
    verified: Option<Timestamp>,
    /// An operator's decision to retire it.
    #[serde(skip_serializing_if = "Option::is_none")]
    retirement: Option<Retirement>,
    proof: Proof,
    /// What to add to the zone.
    record: Record,
    record_seen: Option<RecordSeen>,
    mx: Option<Checked<Mx>>,
    spf: Option<Checked<Spf>>,
    dmarc: Option<Checked<Dmarc>>,
}

#[derive(Debug, Serialize)]
struct Record {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    value: String,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verified = self.verified.map_or_else(|| "no".to_owned(), |since| format!("since {}", time(since)));
        let seen = self.record_seen.map(|last| format!("{}, at {}", seen_in_words(last.seen), time(last.checked_at)));
        let at = |words: String, at: Timestamp| format!("{words}, at {}", time(at));
        let mut about = vec![("domain", Some(self.domain.to_string()))];
        about.extend(self.team.facts());
        about.extend([
            ("admins", Some(format!("{} bound (membermail domain admin list {})", self.bound_admins, self.domain))),
            ("verified", Some(verified)),
            ("retired", self.retirement.as_ref().map(retirement_in_words)),
            ("proof", Some(proof_in_words(&self.proof))),
            ("record", Some(seen.unwrap_or_else(|| "not looked for yet".to_owned()))),
            ("MX", self.mx.as_ref().map(|one| at(mx_in_words(&one.state), one.checked_at))),
            ("SPF", self.spf.as_ref().map(|one| at(spf_in_words(&one.state), one.checked_at))),
            ("DMARC", self.dmarc.as_ref().map(|one| at(dmarc_in_words(&one.state), one.checked_at))),
        ]);
        writeln!(f, "{}", facts(about))?;
        if let Some(line) = self.team.file_line() {
            writeln!(f, "\nThe line that pins the team in the community file:\n\n  {line}")?;
        }
        let Record { name, kind, value } = &self.record;
        writeln!(f, "\nThe record that proves the domain, to be added to its zone:\n\n  {name} IN {kind} \"{value}\"")
    }
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Reported {
    report: Report,
}

impl fmt::Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for DomainReport { domain, outcome } in &self.report.domains {
            writeln!(f, "{domain}")?;
            match outcome {
                Outcome::Checked { proof, record, event, mx, spf, dmarc } => {
                    let about = [
                        ("  proof", Some(proof_in_words(proof))),
                        ("  record", Some(seen_in_words(*record))),
                        ("  MX", Some(mx_in_words(mx))),
                        ("  SPF", Some(spf_in_words(spf))),
                        ("  DMARC", Some(dmarc_in_words(dmarc))),
                        ("  new", event.as_ref().map(event_in_words)),
                    ];
                    writeln!(f, "{}", facts(about))?;
                }
                Outcome::Superseded => writeln!(f, "  a later look is in the table already")?,
                Outcome::NoAdmin => writeln!(f, "  it has no admin in the community's file, so it is not looked at")?,
                Outcome::Failed { reason, .. } => writeln!(f, "  it could not be checked: {reason}")?,
            }
        }
        Ok(())
    }
}

fn retirement_in_words(retirement: &Retirement) -> String {
    let by = retirement.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    match retirement.cancelled {
        Some(at) => format!("cancelled {}: its addresses come back", time(at)),
        None => format!("{}{by}; its addresses end {}", time(retirement.since), time(retirement.until)),
    }
}

fn proof_in_words(proof: &Proof) -> String {
    match proof {
        Proof::Pending => "none yet".to_owned(),
        Proof::Operator { since } => format!("the word of an operator, since {}", time(*since)),
        Proof::Verified { since } => format!("its record, since {}", time(*since)),
        Proof::Lapsing { gone_since, .. } => {
            format!("its record is gone since {}; it counts for a while yet", time(*gone_since))
        }
        Proof::Lapsed { gone_since } => format!("its record is gone since {}: no new addresses", time(*gone_since)),
    }
}

fn seen_in_words(seen: Seen) -> String {
    match seen {
        Seen::Found => "found".to_owned(),
        Seen::OtherToken => "there is one with another token".to_owned(),
        Seen::Missing => "missing".to_owned(),
        Seen::Unanswered(why) => format!("DNS gave no answer ({})", word(&why)),
    }
}

fn mx_in_words(mx: &Mx) -> String {
    match mx {
        Mx::Present { servers: 1 } => "1 server".to_owned(),
        Mx::Present { servers } => format!("{servers} servers"),
        Mx::None => "none".to_owned(),
        Mx::Null => "it takes no mail (null MX)".to_owned(),
        Mx::Unanswered { why } => format!("DNS gave no answer ({})", word(why)),
    }
}

fn spf_in_words(spf: &Spf) -> String {
    match spf {
        Spf::Present => "there is one".to_owned(),
        Spf::None => "none".to_owned(),
        Spf::Several { records } => format!("{records} records, which count as none"),
        Spf::TooManyLookups { lookups } => format!("{lookups} look-ups, which are too many"),
        Spf::Unanswered { why } => format!("DNS gave no answer ({})", word(why)),
    }
}

fn dmarc_in_words(dmarc: &Dmarc) -> String {
    match dmarc {
        Dmarc::Present { policy, of } => format!("{}, by {of}", word(policy)),
        Dmarc::None => "none".to_owned(),
        Dmarc::Several { records } => format!("{records} records, which count as none"),
        Dmarc::Broken => "there is one without a policy".to_owned(),
        Dmarc::Unanswered { why } => format!("DNS gave no answer ({})", word(why)),
    }
}

fn event_in_words(event: &DomainEvent) -> String {
    match event {
        DomainEvent::Verified => "it gives addresses from now on".to_owned(),
        DomainEvent::RecordGone { until } => format!("its record is gone: no new addresses after {}", time(*until)),
        DomainEvent::Lapsed => "no new addresses from now on".to_owned(),
        DomainEvent::Restored => "its record is back".to_owned(),
    }
}
