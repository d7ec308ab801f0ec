//! Judges the pages of teams.

use std::collections::HashMap;

use jiff::Timestamp;
use membermail_core::member::Fingerprint;
use serde::Deserialize;
use serde_json::Value;

use super::super::answer::{ParticipantAnswer, REDACTED, TeamAnswer};
use super::super::client::decode;
use super::super::error::Error;
use super::super::pages::PageAnswer;
use super::record::Answer;
use super::report::{Check, Dates, Finding, PageReport, TeamReport};
use crate::source::PageCursor;

/// More people than this with one date are no coincidence.
const FEW: u64 = 5;

/// An entry without strictness, to see how it deviates.
#[derive(Default, Deserialize)]
#[serde(default)]
struct LooseEntry {
    id: Value,
    date_created: Value,
}

/// How often each date of a team's people comes.
#[derive(Debug, Default)]
pub(crate) struct DateCounts(HashMap<i64, u64>);

impl DateCounts {
    /// Adds the sums to those of the report.
    pub(crate) fn summarize(&self, dates: &mut Dates) {
        dates.sharing = self.0.values().filter(|count| **count > 1).sum();
        let most = self.0.iter().filter(|(_, count)| **count > 1).max_by_key(|(date, count)| (**count, **date));
        if let Some((date, count)) = most {
            dates.most_common = Timestamp::from_microsecond(*date).ok();
            dates.most_common_people = *count;
        }
    }
}

/// Reads when a team was created.
pub(crate) fn read_created(team: &mut TeamReport, answer: &Answer) -> Result<(), Error> {
    let read: TeamAnswer = decode(answer.body()?, "a team")?;
    let group = read.into_group(&team.team).ok_or(Error::NoSuchTeam)?;
    team.created = Timestamp::from_microsecond(group.fingerprint.0).ok();
    Ok(())
}

/// Adds a page to the team's report, and returns its total and its link to the next page.
pub(crate) fn add_page(
    team: &mut TeamReport,
    counts: &mut DateCounts,
    at: PageCursor,
    answer: &Answer,
) -> Result<(u64, Option<String>), Error> {
    let malformed = Error::Malformed { what: "the participants of a team" };
    let page: PageAnswer<'_> = serde_json::from_slice(answer.body()?).map_err(|_| malformed)?;
    for entry in &page.entries {
        let loose: LooseEntry = serde_json::from_str(entry.get()).unwrap_or_default();
        team.visible_ids += u64::from(!matches!(&loose.id, Value::Null) && loose.id != REDACTED);
        let Ok(strict) = serde_json::from_str::<ParticipantAnswer>(entry.get()) else {
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
        seconds: answer.seconds,
        attempts: answer.attempts,
        bytes: answer.body.len() as u64,
        entries: page.entries.len() as u64,
    });
    Ok((page.total_size, page.next_collection_link))
}

/// Judges the answer for one row more than the largest page.
pub(crate) fn check_page_size_limit(answer: &Answer) -> Finding {
    let detail = format!("301 rows answer status {}", answer.status);
    Finding::new(Check::PageSizeLimit, answer.status == 400, detail)
}

/// Judges all teams. `is_shared` is the client's own rule.
pub(crate) fn check_teams(teams: &[TeamReport], is_shared: impl Fn(Fingerprint) -> bool) -> Vec<Finding> {
    let names = |broken: &dyn Fn(&TeamReport) -> bool| -> Vec<_> {
        teams.iter().filter(|team| broken(team)).map(|team| format!("~{}", team.team)).collect()
    };
    let judge = |check, good: &str, bad: &str, broken: &dyn Fn(&TeamReport) -> bool| match names(broken) {
        names if names.is_empty() => Finding::new(check, true, good),
        names => Finding::new(check, false, format!("{bad}: {}", names.join(", "))),
    };
    let shares = |team: &TeamReport| {
        let is_known = |date: Timestamp| is_shared(Fingerprint(date.as_microsecond()));
        team.dates.most_common_people > FEW && !team.dates.most_common.is_some_and(is_known)
    };
    let mut findings = vec![
        judge(Check::Team, "each team exists and has a date", "not found or without a date", &|team| {
            team.created.is_none()
        }),
        judge(Check::Paging, "each team was read to its end", "not read to its end", &|team| {
            team.created.is_some() && team.error.is_some()
        }),
    ];
    if teams.iter().all(|team| team.shown() == 0) {
        let rest = [Check::IdRedacted, Check::Entries, Check::Totals, Check::Microseconds, Check::SharedDates];
        findings.extend(rest.map(|check| Finding::skipped(check, "no entry to judge by")));
        return findings;
    }
    findings.extend([
        judge(Check::IdRedacted, "id is redacted", "id is visible", &|team| team.visible_ids > 0),
        judge(Check::Entries, "no entry is malformed", "malformed entries", &|team| team.malformed > 0),
        judge(Check::Totals, "totals cover all entries", "more entries than the total", &|team| {
            team.shown() > team.total
        }),
        judge(Check::Microseconds, "dates have microseconds", "no date has microseconds", &|team| {
            team.people > 0 && team.dates.with_microseconds == 0
        }),
        judge(Check::SharedDates, "widely shared dates are of before July 2005", "a later date is shared", &shares),
    ]);
    findings
}

/// Whether the text has a fraction of six digits.
fn has_microseconds(date: &str) -> bool {
    let Some((_, fraction)) = date.split_once('.') else { return false };
    fraction.bytes().take_while(u8::is_ascii_digit).count() == 6
}
