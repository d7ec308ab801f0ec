//! The state of a domain: its verification with the DNS record to add, its mail records, its team and its last sync.

use askama::Template;
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::clock::later;
use membermail_core::community::Domain;
use membermail_core::domain_mail::{Dmarc, Mx, Spf};
use membermail_core::domain_proof::{Proof, Seen, Token, Unanswered};
use membermail_store::{Checked, Run, RunState, StoredDomain, TeamProblem};
use membermail_texts::FluentValue;

use super::Console;
use crate::layout::Site;
use crate::wording::Wording;

/// The page.
#[derive(Template)]
#[template(path = "admin/domain.html")]
pub struct DomainPage<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The frame.
    pub console: Console<'a>,
    /// Whether members get addresses.
    pub proof: Fact,
    /// The record that proves the domain.
    pub record: Record,
    /// MX, SPF and DMARC.
    pub mail: Vec<Fact>,
    /// Team, retirement and last sync.
    pub facts: Vec<Fact>,
    /// Addresses whose mail was not delivered.
    pub failing: u64,
}

/// A state in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about.
    pub title: String,
    /// `good`, `wait` or `bad`.
    pub mood: &'static str,
    /// The state.
    pub state: String,
    /// What it means, and what to do.
    pub advice: String,
    /// A DNS record that would improve it, as a line of a zone file.
    pub line: Option<String>,
    /// When it was observed.
    pub seen: String,
}

/// The TXT record that proves a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The name that owns it.
    pub name: String,
    /// Its text.
    pub value: String,
    /// What the last check found.
    pub seen: String,
}

impl Record {
    /// The record as a line of a zone file (RFC 1035, 5.1).
    pub fn line(&self) -> String {
        format!("{}. IN TXT \"{}\"", self.name, self.value)
    }
}

/// What the page is made from.
#[derive(Clone, Copy, Debug)]
pub struct DomainState<'a> {
    /// The domain in the community file.
    pub configured: &'a Domain,
    /// Its item.
    pub stored: &'a StoredDomain,
    /// The token of its record.
    pub token: &'a Token,
    /// How long members get addresses while the record is missing.
    pub grace: SignedDuration,
    /// The latest run.
    pub last_run: Option<&'a Run>,
    /// The number of addresses whose mail was not delivered.
    pub failing: u64,
}

impl<'a> DomainPage<'a> {
    /// Describes a domain.
    pub fn new(site: Site<'a>, console: Console<'a>, state: DomainState<'_>) -> Self {
        let DomainState { configured, stored, token, grace, last_run, failing } = state;
        let wording = site.wording;
        let domain = &configured.domain;
        let mut facts = vec![team(configured, stored, wording)];
        facts.extend(retirement(stored, wording));
        facts.push(last_sync(last_run, wording));
        Self {
            proof: proof(&stored.proof(), grace, wording),
            record: Record { name: domain.to_string(), value: token.record(), seen: record_seen(stored, wording) },
            mail: mail(domain, stored, wording),
            facts,
            failing,
            site,
            console,
        }
    }

    fn failing_in_words(&self) -> String {
        self.site.wording.part_with("domains-failing", "count", &[("count", self.failing.into())])
    }
}

fn proof(proof: &Proof, grace: SignedDuration, wording: Wording<'_>) -> Fact {
    let (id, mood, since, until) = match proof {
        Proof::Pending => ("domains-pending", "wait", None, None),
        Proof::Operator { since } => ("domains-operator", "good", Some(*since), None),
        Proof::Verified { since } => ("domains-verified", "good", Some(*since), None),
        Proof::Lapsing { gone_since, .. } => {
            ("domains-lapsing", "wait", Some(*gone_since), Some(later(*gone_since, grace)))
        }
        Proof::Lapsed { gone_since } => ("domains-lapsed", "bad", Some(*gone_since), None),
    };
    let date = |at: Option<Timestamp>| at.map(|at| wording.date(at)).unwrap_or_default();
    Fact::of(id, mood, &[("date", date(since).into()), ("until", date(until).into())], wording)
}

fn record_seen(stored: &StoredDomain, wording: Wording<'_>) -> String {
    let Some(last) = stored.record_seen() else { return wording.part("domains-seen", "never") };
    let part = match last.seen {
        Seen::Found => "found",
        Seen::OtherToken => "other",
        Seen::Missing => "missing",
        Seen::Unanswered(why) => unanswered_part(why),
    };
    wording.part_with("domains-seen", part, &[("moment", wording.moment(last.checked_at).into())])
}

/// The texts say what a missing answer means for whoever runs the zone.
fn unanswered_part(why: Unanswered) -> &'static str {
    match why {
        Unanswered::ServerFailure => "server-failure",
        Unanswered::Refused => "refused",
        Unanswered::TimedOut => "timed-out",
        Unanswered::Unusable => "unusable",
    }
}

fn mail(domain: &DomainName, stored: &StoredDomain, wording: Wording<'_>) -> Vec<Fact> {
    let mx = stored.mx.as_ref().map(|Checked { state, checked_at }| {
        let fact = match state {
            Mx::Present { servers } => Fact::of("domains-mx-present", "good", &[("count", (*servers).into())], wording),
            Mx::None => Fact::of("domains-mx-none", "bad", &[], wording),
            Mx::Null => Fact::of("domains-mx-null", "bad", &[], wording),
            Mx::Unanswered { why } => unanswered(*why, wording),
        };
        fact.titled("MX").seen(*checked_at, wording)
    });
    let spf = stored.spf.as_ref().map(|Checked { state, checked_at }| {
        let fact = match state {
            Spf::Present => Fact::of("domains-spf-present", "good", &[], wording),
            Spf::None => Fact::of("domains-spf-none", "wait", &[], wording)
                .with_line(format!("{domain}. IN TXT \"v=spf1 mx ~all\"")),
            Spf::Several { records } => {
                Fact::of("domains-spf-several", "bad", &[("count", (*records).into())], wording)
            }
            Spf::TooManyLookups { lookups } => {
                Fact::of("domains-spf-lookups", "bad", &[("count", (*lookups).into())], wording)
            }
            Spf::Unanswered { why } => unanswered(*why, wording),
        };
        fact.titled("SPF").seen(*checked_at, wording)
    });
    let dmarc = stored.dmarc.as_ref().map(|Checked { state, checked_at }| {
        let line = || format!("_dmarc.{domain}. IN TXT \"v=DMARC1; p=none\"");
        let fact = match state {
            Dmarc::Present { policy, of } => {
                let args = [("policy", FluentValue::from(policy.to_string())), ("of", of.as_str().into())];
                Fact::of("domains-dmarc-present", "good", &args, wording)
            }
            Dmarc::None => Fact::of("domains-dmarc-none", "wait", &[], wording).with_line(line()),
            Dmarc::Several { records } => {
                Fact::of("domains-dmarc-several", "bad", &[("count", (*records).into())], wording)
            }
            Dmarc::Broken => Fact::of("domains-dmarc-broken", "bad", &[], wording).with_line(line()),
            Dmarc::Unanswered { why } => unanswered(*why, wording),
        };
        fact.titled("DMARC").seen(*checked_at, wording)
    });
    [("MX", mx), ("SPF", spf), ("DMARC", dmarc)]
        .into_iter()
        .map(|(title, fact)| fact.unwrap_or_else(|| Fact::of("domains-unchecked", "wait", &[], wording).titled(title)))
        .collect()
}

fn unanswered(why: Unanswered, wording: Wording<'_>) -> Fact {
    let state = wording.part("domains-unanswered", unanswered_part(why));
    Fact { state, advice: wording.part("domains-unanswered", "advice"), ..Fact::new("wait") }
}

fn team(configured: &Domain, stored: &StoredDomain, wording: Wording<'_>) -> Fact {
    let (id, mood) = match stored.team_problem {
        None => ("domains-team", "good"),
        Some(TeamProblem::Missing) => ("domains-team-missing", "bad"),
        Some(TeamProblem::Replaced) => ("domains-team-replaced", "bad"),
    };
    let fact = Fact::of(id, mood, &[("team", configured.team.as_str().into())], wording);
    fact.titled(&wording.part("domains-titles", "team"))
}

fn retirement(stored: &StoredDomain, wording: Wording<'_>) -> Option<Fact> {
    let retirement = stored.retirement.as_ref()?;
    let (id, mood) = match (retirement.cancelled, retirement.ended) {
        (Some(_), _) => ("domains-retirement-cancelled", "wait"),
        (None, Some(_)) => ("domains-retired", "bad"),
        (None, None) => ("domains-retiring", "bad"),
    };
    let fact = Fact::of(id, mood, &[("date", wording.date(retirement.until).into())], wording);
    Some(fact.titled(&wording.part("domains-titles", "retirement")))
}

fn last_sync(run: Option<&Run>, wording: Wording<'_>) -> Fact {
    let title = wording.part("domains-titles", "sync");
    let Some(run) = run else { return Fact::of("domains-sync-never", "wait", &[], wording).titled(&title) };
    let mood = match run.state {
        RunState::Unchanged | RunState::Applied | RunState::Released | RunState::Rejected => "good",
        RunState::Running | RunState::Paused | RunState::Held | RunState::Waiting => "wait",
        RunState::Failed | RunState::Died => "bad",
    };
    let state = wording.part("domains-runs", run.state.as_ref());
    let advice = run.counts.map(|counts| {
        let count = |count: u64| FluentValue::from(count);
        let args = [
            ("active", count(counts.active)),
            ("leaving", count(counts.leaving)),
            ("suspended", count(counts.suspended)),
        ];
        wording.text_with("domains-counts", &args)
    });
    Fact { title, state, advice: advice.unwrap_or_default(), ..Fact::new(mood) }.seen(run.started, wording)
}

impl Fact {
    fn new(mood: &'static str) -> Self {
        let empty = String::new;
        Self { title: empty(), mood, state: empty(), advice: empty(), line: None, seen: empty() }
    }

    /// The parts `state` and `advice` of a Fluent message.
    fn of(id: &str, mood: &'static str, args: &[(&'static str, FluentValue<'_>)], wording: Wording<'_>) -> Self {
        let [state, advice] = ["state", "advice"].map(|part| wording.part_with(id, part, args));
        Self { state, advice, ..Self::new(mood) }
    }

    fn titled(self, title: &str) -> Self {
        Self { title: title.to_owned(), ..self }
    }

    fn with_line(self, line: String) -> Self {
        Self { line: Some(line), ..self }
    }

    fn seen(self, at: Timestamp, wording: Wording<'_>) -> Self {
        Self { seen: wording.moment(at), ..self }
    }
}

#[cfg(test)]
#[path = "domain_tests.rs"]
mod tests;
