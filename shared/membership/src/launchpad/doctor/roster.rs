//! Checks the pages of teams.

use std::collections::HashMap;

use jiff::Timestamp;
use membermail_core::member::Fingerprint;
use serde::Deserialize;
use serde_json::Value;

use super::super::pages::PageResponse;
use super::super::response::{ParticipantResponse, REDACTED, TeamResponse};
use super::Finding;
use super::record::HttpResponse;
use super::report::{Check, Dates, PageReport, TeamReport};
use crate::error::Error;
use crate::http::decode;
use crate::source::PageCursor;

/// Maximum number of people who share a date by coincidence.
const MAX_COINCIDENCE: u64 = 5;

/// A leniently parsed entry, to see how it deviates.
#[derive(Default, Deserialize)]
#[serde(default)]
struct LooseEntry {
    id: Value,
    date_created: Value,
}

/// The number of people per creation date.
#[derive(Debug, Default)]
pub(crate) struct DateCounts(HashMap<i64, u64>);

impl DateCounts {
    /// Writes the totals into the report.
    pub(crate) fn summarize(&self, dates: &mut Dates) {
        dates.sharing = self.0.values().filter(|count| **count > 1).sum();
        let most = self.0.iter().filter(|(_, count)| **count > 1).max_by_key(|(date, count)| (**count, **date));
        if let Some((date, count)) = most {
            dates.most_common = Timestamp::from_microsecond(*date).ok();
            dates.most_common_people = *count;
        }
    }
}

/// Reads the creation date of a team.
pub(crate) fn read_created(team: &mut TeamReport, response: &HttpResponse) -> Result<(), Error> {
    let read: TeamResponse = decode(response.body()?, "a team")?;
    let group = read.into_group(&team.team).ok_or(Error::NoSuchTeam)?;
    team.created = Timestamp::from_microsecond(group.fingerprint.0).ok();
    Ok(())
}

/// Adds a page to the team's report, and returns its total and its link to the next page.
pub(crate) fn add_page(
    team: &mut TeamReport,
    counts: &mut DateCounts,
    at: PageCursor,
    response: &HttpResponse,
) -> Result<(u64, Option<String>), Error> {
    let malformed = Error::Malformed { what: "the participants of a team" };
    let page: PageResponse<'_> = serde_json::from_slice(response.body()?).map_err(|_| malformed)?;
    for entry in &page.entries {
        let loose: LooseEntry = serde_json::from_str(entry.get()).unwrap_or_default();
        team.visible_ids += u64::from(!matches!(&loose.id, Value::Null) && loose.id != REDACTED);
        let Ok(strict) = serde_json::from_str::<ParticipantResponse>(entry.get()) else {
            team.malformed += 1;
            continue;
        };
        let Some(person) = strict.into_entry() else {
            team.teams += 1;
            continue;
        };
        team.people += 1;
        team.dates.with_microseconds += u64::from(loose.date_created.as_str().is_some_and(has_microseconds));
        *counts.0.entry(person.fingerprint.0).or_default() += 1;
    }
    team.total = page.total_size;
    team.pages.push(PageReport {
        start: at.start,
        size: at.size,
        seconds: response.seconds,
        attempts: response.attempts,
        bytes: response.body.len() as u64,
        entries: page.entries.len() as u64,
    });
    Ok((page.total_size, page.next_collection_link))
}

/// Checks the response for one row more than the maximum page size.
pub(crate) fn check_page_size_limit(response: &HttpResponse) -> Finding {
    let detail = format!("301 rows return status {}", response.status);
    Finding::new(Check::PageSizeLimit, response.status == 400, detail)
}

/// Checks all teams. `is_shared` is the client's rule for shared dates.
pub(crate) fn check_teams(teams: &[TeamReport], is_shared: impl Fn(Fingerprint) -> bool) -> Vec<Finding> {
    let mut findings = vec![
        judge(
            teams,
            Check::Team,
            "each team exists and has a creation date",
            "not found or without a creation date",
            |team| team.created.is_none(),
        ),
        judge(teams, Check::Paging, "each team was read completely", "not read completely", |team| {
            team.created.is_some() && team.error.is_some()
        }),
    ];
    if teams.iter().all(|team| team.shown() == 0) {
        let rest = [Check::IdRedacted, Check::Entries, Check::Totals, Check::Microseconds, Check::SharedDates];
        findings.extend(rest.map(|check| Finding::skipped(check, "there are no entries")));
        return findings;
    }
    findings.extend([
        judge(teams, Check::IdRedacted, "id is redacted", "id is visible", |team| team.visible_ids > 0),
        judge(teams, Check::Entries, "no entry is malformed", "malformed entries", |team| team.malformed > 0),
        judge(teams, Check::Totals, "totals cover all entries", "more entries than the total", |team| {
            team.shown() > team.total
        }),
        judge(teams, Check::Microseconds, "dates have microseconds", "no date has microseconds", |team| {
            team.people > 0 && team.dates.with_microseconds == 0
        }),
        judge(
            teams,
            Check::SharedDates,
            "only dates from before July 2005 are widely shared",
            "a later date is shared",
            |team| {
                let date = team.dates.most_common.map(|date| Fingerprint(date.as_microsecond()));
                team.dates.most_common_people > MAX_COINCIDENCE && !date.is_some_and(&is_shared)
            },
        ),
    ]);
    findings
}

/// The finding of a check, which names the teams that break the assumption.
fn judge(
    teams: &[TeamReport],
    check: Check,
    good: &str,
    bad: &str,
    is_broken: impl Fn(&TeamReport) -> bool,
) -> Finding {
    let broken: Vec<_> = teams.iter().filter(|team| is_broken(team)).map(|team| format!("~{}", team.team)).collect();
    let detail = if broken.is_empty() { good.to_owned() } else { format!("{bad}: {}", broken.join(", ")) };
    Finding::new(check, broken.is_empty(), detail)
}

/// Whether the text has a fraction of six digits.
fn has_microseconds(date: &str) -> bool {
    let Some((_, fraction)) = date.split_once('.') else { return false };
    fraction.bytes().take_while(u8::is_ascii_digit).count() == 6
}
