//! The report of the checks, as text and as JSON.

use std::fmt;

use membermail_core::address::DomainName;
use membermail_core::member::TeamName;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Finding;
use crate::doctor::Verdict;

/// The result of all checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The root URL of the server.
    pub url: Url,
    /// One finding per assumption of the client.
    pub findings: Vec<Finding>,
    /// The groups that were read.
    pub groups: Vec<GroupReport>,
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
    /// The token is active and has the scope `read_api`.
    Token,
    /// The server answers 404 for a user who does not exist.
    UnknownUser,
    /// A user has all fields that the client reads.
    UserFields,
    /// Each group exists at its path.
    Group,
    /// Each group can be read to its end.
    Paging,
    /// No entry is malformed.
    Entries,
    /// No group has fewer or more entries than its total.
    Totals,
    /// Each user is listed once.
    Duplicates,
}

/// The pages of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupReport {
    /// The full path.
    pub group: TeamName,
    /// The community's domains whose members are in the group.
    pub domains: Vec<DomainName>,
    /// The id, for `group-id` in the community file.
    pub id: Option<i64>,
    /// Why it was not read completely.
    pub error: Option<String>,
    /// Number of pages.
    pub pages: u64,
    /// Number of people whose membership counts.
    pub people: u64,
    /// Number of all entries.
    pub shown: u64,
    /// Number of entries that the client cannot parse.
    pub malformed: u64,
    /// Number of rows according to the last page; none above 10,000.
    pub total: Option<u64>,
    /// Number of people who are listed more than once.
    pub duplicates: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.url)?;
        for Finding { check, verdict, detail } in &self.findings {
            writeln!(f, "{verdict:7}  {check:12}  {detail}")?;
        }
        for group in &self.groups {
            writeln!(f, "\n{group}")?;
        }
        let pinned: Vec<_> = self.groups.iter().filter_map(|group| Some((group, group.id?))).collect();
        if !pinned.is_empty() {
            writeln!(f, "\nFor the community file, in the table of each domain:")?;
        }
        for (group, id) in pinned {
            for domain in &group.domains {
                writeln!(f, "group-id = {id}  # {domain}: {}", group.group)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for GroupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pages, people, shown, malformed, .. } = self;
        let id = self.id.map_or_else(|| "not found".to_owned(), |id| format!("id {id}"));
        let total = self.total.map_or_else(|| "not counted".to_owned(), |total| total.to_string());
        write!(f, "{}: {id}", self.group)?;
        write!(f, "\n  total {total}: {shown} entries on {pages} pages, {people} people, {malformed} malformed")?;
        self.error.as_ref().map_or(Ok(()), |error| write!(f, "\n  stopped: {error}"))
    }
}
