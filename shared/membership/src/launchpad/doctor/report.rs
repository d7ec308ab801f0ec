//! The report of the checks, as text and as JSON.

use std::fmt;

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::member::TeamName;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Finding;
use crate::doctor::Verdict;

/// The result of all checks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The root URL of the web service.
    pub api: Url,
    /// One finding per assumption of the client.
    pub findings: Vec<Finding>,
    /// The teams that were read.
    pub teams: Vec<TeamReport>,
}

impl Report {
    /// The assumptions that do not hold.
    pub fn broken(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.verdict == Verdict::Broken)
    }
}

/// An assumption of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Check {
    /// The response for an identifier without an account is `null`.
    UnknownIdentifier,
    /// The identity is known under its own root or under the other one.
    Identifier,
    /// The person has all fields that the client reads.
    PersonFields,
    /// The person's teams fit on one page.
    Groups,
    /// More than 300 rows are refused.
    PageSizeLimit,
    /// Each team exists and has a creation date.
    Team,
    /// Each team can be read to its end.
    Paging,
    /// `id` is redacted, so that no rule can use it.
    IdRedacted,
    /// No entry is malformed.
    Entries,
    /// No team has more entries than its total.
    Totals,
    /// Dates have microseconds.
    Microseconds,
    /// Only dates from before July 2005 are widely shared.
    SharedDates,
}

/// The pages of a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeamReport {
    /// The team.
    pub team: TeamName,
    /// The community's domains whose members are in the team.
    pub domains: Vec<DomainName>,
    /// Creation date, for `team-created` in the community file.
    pub created: Option<Timestamp>,
    /// Why it was not read completely.
    pub error: Option<String>,
    /// The pages in the order of reading.
    pub pages: Vec<PageReport>,
    /// Number of people.
    pub people: u64,
    /// Number of teams within the team.
    pub teams: u64,
    /// Number of entries that the client cannot parse.
    pub malformed: u64,
    /// Number of rows according to the last page.
    pub total: u64,
    /// Number of entries with a visible `id`.
    pub visible_ids: u64,
    /// The creation dates of the people.
    pub dates: Dates,
}

impl TeamReport {
    /// Number of entries on all pages.
    pub fn shown(&self) -> u64 {
        self.people + self.teams + self.malformed
    }

    /// Number of rows without an entry: private teams, or a list that shifted during the read.
    pub fn hidden(&self) -> u64 {
        self.total.saturating_sub(self.shown())
    }
}

/// One page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageReport {
    /// Number of rows before the page.
    pub start: u64,
    /// Number of requested rows.
    pub size: u32,
    /// Duration of the last attempt, to the end of the body.
    pub seconds: f64,
    /// Number of attempts.
    pub attempts: u32,
    /// Size of the decompressed body.
    pub bytes: u64,
    /// Number of entries on the page.
    pub entries: u64,
}

/// How unique the creation dates are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dates {
    /// Number of people whose date has microseconds.
    pub with_microseconds: u64,
    /// Number of people who share their date with another member of the team.
    pub sharing: u64,
    /// The most frequent shared date.
    pub most_common: Option<Timestamp>,
    /// Number of people with that date.
    pub most_common_people: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.api)?;
        for Finding { check, verdict, detail } in &self.findings {
            writeln!(f, "{verdict:7}  {check:18}  {detail}")?;
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
