//! `membermail domain show` and `check`: the verification of a domain and its DNS records for mail.

use std::fmt;

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::community::Domain;
use membermail_core::domain_mail::{Dmarc, Mx, Spf};
use membermail_core::domain_proof::{DomainEvent, Proof, Seen};
use membermail_core::random::OsRandom;
use membermail_core::retirement::Retirement;
use membermail_domains::{Checker, DomainReport, NameServers, Outcome, Report, Resolver, Settings, check as look_at};
use membermail_store::{Checked, RecordSeen};
use serde::Serialize;

use crate::context::Context;
use crate::deployment::find_domain;
use crate::domain::team::TeamView;
use crate::failure::Failure;
use crate::output::{facts, time, word};
use crate::progress;

/// `domain show`
pub(super) async fn show(context: &Context, name: &DomainName) -> Result<(), Failure> {
    let store = context.deployment.store().await?;
    let community = context.deployment.community().await?;
    let configured = find_domain(&community, name)?;
    let Domain { domain, .. } = configured.clone();
    let token = store.ensure_domain_token(&domain, context.operator.random()).await?;
    let stored = store.domain(&domain).await?;
    let record = Record { name: format!("{domain}."), kind: "TXT", value: token.record() };
    let failing_addresses = store.count_failing(&domain, SystemClock.now()).await?;
    let bound_admins = store.admin_bindings(&domain).await?.len();
    context.output.show(&DomainView {
        domain,
        team: TeamView::new(configured, &stored),
        bound_admins,
        failing_addresses,
        verified: stored.verified,
        proof: stored.proof(),
        record,
        record_seen: stored.record_seen(),
        retirement: stored.retirement,
        mx: stored.mx,
        spf: stored.spf,
        dmarc: stored.dmarc,
    })
}

/// `domain check`
pub(super) async fn check(
    context: &Context,
    names: &[DomainName],
    servers: Option<NameServers>,
) -> Result<(), Failure> {
    let store = context.deployment.store().await?;
    let community = context.deployment.community().await?;
    let mut domains = Vec::new();
    for name in names {
        domains.push(find_domain(&community, name)?);
    }
    if domains.is_empty() {
        domains.extend(&community.domains);
    }
    let resolver = Resolver::new(&Settings { servers, ..Settings::default() });
    let checker = Checker {
        resolver: resolver.map_err(Failure::other)?,
        store,
        clock: Box::new(SystemClock),
        random: Box::new(OsRandom),
        grace: community.rules.domain_grace(),
    };
    let bar = progress::counter("checking DNS");
    let report = look_at(&checker, domains, context.operator.request_id()).await;
    drop(bar);
    let failed = report.failed();
    let all = report.domains.len();
    context.output.show(&CheckView { report })?;
    match failed {
        0 => Ok(()),
        failed => Err(Failure::Other(format!("{failed} of {all} domains could not be checked"))),
    }
}

#[derive(Debug, Serialize)]
struct DomainView {
    domain: DomainName,
    #[serde(flatten)]
    team: TeamView,
    /// The number of members bound as admins, including those who cannot act.
    bound_admins: usize,
    /// The number of addresses with failed deliveries in the last two weeks.
    failing_addresses: u64,
    verified: Option<Timestamp>,
    /// The retirement, if an operator decided it.
    #[serde(skip_serializing_if = "Option::is_none")]
    retirement: Option<Retirement>,
    proof: Proof,
    /// The record that verifies the domain.
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

impl fmt::Display for DomainView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verified = self.verified.map_or_else(|| "no".to_owned(), |since| format!("since {}", time(since)));
        let seen =
            self.record_seen.map(|last| format!("{}, checked {}", seen_in_words(last.seen), time(last.checked_at)));
        let mut lines = vec![("domain", Some(self.domain.to_string()))];
        lines.extend(self.team.facts());
        lines.extend([
            ("admins", Some(format!("{} bound (membermail domain admin list {})", self.bound_admins, self.domain))),
            ("failing", Some(failing_in_words(self.failing_addresses))),
            ("verified", Some(verified)),
            ("retired", self.retirement.as_ref().map(retirement_in_words)),
            ("proof", Some(proof_in_words(&self.proof))),
            ("record", Some(seen.unwrap_or_else(|| "not checked yet".to_owned()))),
            ("MX", self.mx.as_ref().map(|mx| checked(mx, mx_in_words))),
            ("SPF", self.spf.as_ref().map(|spf| checked(spf, spf_in_words))),
            ("DMARC", self.dmarc.as_ref().map(|dmarc| checked(dmarc, dmarc_in_words))),
        ]);
        writeln!(f, "{}", facts(lines))?;
        if let Some(line) = self.team.file_line() {
            writeln!(f, "\nTo pin the team in the community file, add this line:\n\n  {line}")?;
        }
        let Record { name, kind, value } = &self.record;
        writeln!(f, "\nTo verify the domain, add this record to its zone:\n\n  {name} IN {kind} \"{value}\"")
    }
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct CheckView {
    report: Report,
}

impl fmt::Display for CheckView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for DomainReport { domain, outcome } in &self.report.domains {
            writeln!(f, "{domain}")?;
            match outcome {
                Outcome::Checked { proof, record, event, mx, spf, dmarc } => {
                    let lines = [
                        ("  proof", Some(proof_in_words(proof))),
                        ("  record", Some(seen_in_words(*record))),
                        ("  MX", Some(mx_in_words(mx))),
                        ("  SPF", Some(spf_in_words(spf))),
                        ("  DMARC", Some(dmarc_in_words(dmarc))),
                        ("  new", event.as_ref().map(event_in_words)),
                    ];
                    writeln!(f, "{}", facts(lines))?;
                }
                Outcome::Superseded => writeln!(f, "  a newer check is already stored")?,
                Outcome::NoAdmin => writeln!(f, "  not checked: it has no admin in the community file")?,
                Outcome::Failed { reason, .. } => writeln!(f, "  the check failed: {reason}")?,
            }
        }
        Ok(())
    }
}

fn failing_in_words(count: u64) -> String {
    match count {
        0 => "no address in the last 14 days".to_owned(),
        1 => "mail to 1 address was not delivered in the last 14 days".to_owned(),
        count => format!("mail to {count} addresses was not delivered in the last 14 days"),
    }
}

fn checked<T>(Checked { state, checked_at }: &Checked<T>, in_words: impl FnOnce(&T) -> String) -> String {
    format!("{}, checked {}", in_words(state), time(*checked_at))
}

fn retirement_in_words(retirement: &Retirement) -> String {
    let by = retirement.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    match retirement.cancelled {
        Some(at) => format!("cancelled {}; the next sync restores its addresses", time(at)),
        None => format!("{}{by}; its addresses end {}", time(retirement.since), time(retirement.until)),
    }
}

fn proof_in_words(proof: &Proof) -> String {
    match proof {
        Proof::Pending => "not verified yet".to_owned(),
        Proof::Operator { since } => format!("verified by an operator, since {}", time(*since)),
        Proof::Verified { since } => format!("DNS record, since {}", time(*since)),
        Proof::Lapsing { gone_since, .. } => {
            format!("DNS record missing since {}; still verified during the grace period", time(*gone_since))
        }
        Proof::Lapsed { gone_since } => format!("DNS record missing since {}: no new addresses", time(*gone_since)),
    }
}

fn seen_in_words(seen: Seen) -> String {
    match seen {
        Seen::Found => "found".to_owned(),
        Seen::OtherToken => "found with another token".to_owned(),
        Seen::Missing => "missing".to_owned(),
        Seen::Unanswered(why) => format!("no answer from DNS ({})", word(&why)),
    }
}

fn mx_in_words(mx: &Mx) -> String {
    match mx {
        Mx::Present { servers: 1 } => "1 server".to_owned(),
        Mx::Present { servers } => format!("{servers} servers"),
        Mx::None => "none".to_owned(),
        Mx::Null => "accepts no mail (null MX)".to_owned(),
        Mx::Unanswered { why } => format!("no answer from DNS ({})", word(why)),
    }
}

fn spf_in_words(spf: &Spf) -> String {
    match spf {
        Spf::Present => "present".to_owned(),
        Spf::None => "none".to_owned(),
        Spf::Several { records } => format!("{records} records, which makes them invalid"),
        Spf::TooManyLookups { lookups } => format!("{lookups} DNS lookups, more than SPF allows"),
        Spf::Unanswered { why } => format!("no answer from DNS ({})", word(why)),
    }
}

fn dmarc_in_words(dmarc: &Dmarc) -> String {
    match dmarc {
        Dmarc::Present { policy, of } => format!("{}, from {of}", word(policy)),
        Dmarc::None => "none".to_owned(),
        Dmarc::Several { records } => format!("{records} records, which makes them invalid"),
        Dmarc::Broken => "record without a policy".to_owned(),
        Dmarc::Unanswered { why } => format!("no answer from DNS ({})", word(why)),
    }
}

fn event_in_words(event: &DomainEvent) -> String {
    match event {
        DomainEvent::Verified => "the domain gives addresses now".to_owned(),
        DomainEvent::RecordGone { until } => format!("the record is missing: no new addresses after {}", time(*until)),
        DomainEvent::Lapsed => "the domain gives no new addresses now".to_owned(),
        DomainEvent::Restored => "the record is present again".to_owned(),
    }
}
