//! The report: what holds and what does not, for people and for programs.

use std::fmt;

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::member::TeamName;
use serde::{Deserialize, Serialize};
use url::Url;

/// What was asked, and what the answers say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The root of the web service.
    pub api: Url,
    /// Each assumption of the client.
    pub findings: Vec<Finding>,
    /// Each team that was read.
    pub teams: Vec<TeamReport>,
}

impl Report {
    /// The findings against the client's assumptions.
    pub fn broken(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.verdict == Verdict::Broken)
    }
}

/// One assumption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which assumption.
    pub check: Check,
    /// Whether it holds.
    pub verdict: Verdict,
    /// The evidence.
    pub detail: String,
}

impl Finding {
    /// A finding that holds if `holds`.
    pub(crate) fn new(check: Check, holds: bool, detail: impl Into<String>) -> Self {
        Self { check, verdict: if holds { Verdict::Holds } else { Verdict::Broken }, detail: detail.into() }
    }

    /// A check without an answer to judge.
    pub(crate) fn skipped(check: Check, detail: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Skipped, detail: detail.into() }
    }
}

/// Whether an assumption holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The answers agree with it.
    Holds,
    /// An answer contradicts it.
    Broken,
    /// No answer to judge it by.
    Skipped,
}

/// An assumption of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// `null` is the answer for an identifier without an account.
    UnknownIdentifier,
    /// The identity is known under its own root or under the other one.
    Identifier,
    /// The person has all fields that the client reads.
    PersonFields,
    /// The person's teams are one page.
    Groups,
    /// More than 300 rows are refused.
    PageSizeLimit,
    /// Each team exists and has a date.
    Team,
    /// Each team can be read to its end.
    Paging,
    /// `id` is redacted, so that no rule can rely on it.
    IdRedacted,
    /// No entry is malformed.
    Entries,
    /// No page shows more entries than the total counts.
    Totals,
    /// Dates have microseconds.
    Microseconds,
    /// Widely shared dates are those of before July 2005.
    SharedDates,
}

/// A team as its pages show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeamReport {
    /// The team.
    pub team: TeamName,
    /// The community's domains whose members it has.
    pub domains: Vec<DomainName>,
    /// When it was created, for `team-created` in the community file.
    pub created: Option<Timestamp>,
    /// Why it was not read to its end.
    pub error: Option<String>,
    /// Its pages in the order of reading.
    pub pages: Vec<PageReport>,
    /// Entries of people.
    pub people: u64,
    /// Entries of teams within it.
    pub teams: u64,
    /// Entries that the client cannot read.
    pub malformed: u64,
    /// Rows by the last page.
    pub total: u64,
    /// Entries whose `id` is there and not redacted.
    pub visible_ids: u64,
    /// The dates of its people.
    pub dates: Dates,
}

impl TeamReport {
    /// Entries on all pages.
    pub fn shown(&self) -> u64 {
        self.people + self.teams + self.malformed
    }

    /// Rows without an entry: private teams within it, or a list that shifted while it was read.
    pub fn hidden(&self) -> u64 {
        self.total.saturating_sub(self.shown())
    }
}

/// One page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageReport {
    /// Rows before it.
    pub start: u64,
    /// Rows asked for.
    pub size: u32,
    /// From the request to the end of the body, of the last attempt.
    pub seconds: f64,
    /// Requests that it took.
    pub attempts: u32,
    /// Bytes after decompression.
    pub bytes: u64,
    /// Entries on it.
    pub entries: u64,
}

/// How well dates tell people apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dates {
    /// People whose date has a fraction of six digits.
    pub with_microseconds: u64,
    /// People who share their date with another one of the team.
    pub sharing: u64,
    /// The date that most of them share.
    pub most_common: Option<Timestamp>,
    /// How many have that one.
    pub most_common_people: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.api)?;
        for Finding { check, verdict, detail } in &self.findings {
            writeln!(f, "{:7}  {:18}  {detail}", word(verdict), word(check))?;
        }
        for team in &self.teams {
            writeln!(f, "\n{team}")?;
        }
        let pinned: Vec<_> = self.teams.iter().filter_map(|team| Some((team, team.created?))).collect();
        if !pinned.is_empty() {
            writeln!(f, "\nFor the community file, in the table of each domain:")?;
        }
        for (team, created) in pinned {
            for domain in &team.domains {
                writeln!(f, "team-created = \"{created}\"  # {domain}: ~{}", team.team)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for TeamReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let created = self.created.map_or_else(|| "not found".to_owned(), |at| format!("created {at}"));
        write!(f, "~{}: {created}", self.team)?;
        let Self { people, teams, malformed, total, .. } = self;
        let hidden = self.hidden();
        write!(f, "\n  rows {total}: {people} people, {teams} teams, {malformed} malformed, {hidden} hidden")?;
        let Dates { sharing, most_common_people, .. } = self.dates;
        if let Some(date) = self.dates.most_common {
            write!(f, "\n  dates: {sharing} people share theirs, {most_common_people} of them {date}")?;
        }
        for page in &self.pages {
            let PageReport { start, size, seconds, attempts, bytes, entries } = page;
            let kib = bytes / 1024;
            write!(f, "\n  page {start}+{size}: {entries} entries, {seconds:.2} s, {kib} KiB, attempts {attempts}")?;
        }
        self.error.as_ref().map_or(Ok(()), |error| write!(f, "\n  stopped: {error}"))
    }
}

/// The word of an enumeration as it is serialized.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
