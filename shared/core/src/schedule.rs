//! Scheduled tasks: how often they run, and how late is too late.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

/// The period that a cron expression counts as.
const CRON_PERIOD: SignedDuration = SignedDuration::from_hours(24);

/// Whether the last run is older than two periods, with a tolerance of half a period for queueing and inexact schedules.
pub fn is_overdue(last: Timestamp, now: Timestamp, period: SignedDuration) -> bool {
    now.duration_since(last) > period * 2 + period / 2
}

/// The period of a schedule expression of EventBridge: `rate(1 hour)`. A cron expression counts as one day, which is the
/// longest usual one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period(pub SignedDuration);

/// The text is no schedule expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a schedule expression: rate(…) or cron(…)")]
pub struct PeriodError;

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(expression: &str) -> Result<Self, Self::Err> {
        let expression = expression.trim();
        if expression.starts_with("cron(") {
            return Ok(Self(CRON_PERIOD));
        }
        let rate = expression.strip_prefix("rate(").and_then(|rate| rate.strip_suffix(')'));
        let (count, unit) = rate.and_then(|rate| rate.trim().split_once(' ')).ok_or(PeriodError)?;
        let count: u32 = count.parse().ok().filter(|count| *count > 0).ok_or(PeriodError)?;
        let minutes = match unit.trim() {
            "minute" | "minutes" => 1,
            "hour" | "hours" => 60,
            "day" | "days" => 24 * 60,
            _ => return Err(PeriodError),
        };
        Ok(Self(SignedDuration::from_mins(i64::from(count) * minutes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::hour("rate(1 hour)", Some(60))]
    #[case::minutes("rate(15 minutes)", Some(15))]
    #[case::days("rate(2 days)", Some(2 * 24 * 60))]
    #[case::blanks(" rate(5  minutes) ", Some(5))]
    #[case::cron("cron(0 12 * * ? *)", Some(24 * 60))]
    #[case::zero("rate(0 minutes)", None)]
    #[case::negative("rate(-1 hours)", None)]
    #[case::huge("rate(99999999999 days)", None)]
    #[case::unit("rate(1 week)", None)]
    #[case::open("rate(1 hour", None)]
    #[case::empty("", None)]
    fn period_is_parsed(#[case] expression: &str, #[case] minutes: Option<i64>) {
        let expected = minutes.map(|minutes| Period(SignedDuration::from_mins(minutes))).ok_or(PeriodError);
        assert_eq!(expression.parse(), expected);
    }

    #[rstest::rstest]
    #[case::now(0, false)]
    #[case::two_and_a_half_periods(150, false)]
    #[case::later(151, true)]
    #[case::clock_behind(-10, false)]
    fn run_is_overdue_after_two_periods(#[case] minutes: i64, #[case] expected: bool) {
        let last: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let now = last + SignedDuration::from_mins(minutes);
        assert_eq!(is_overdue(last, now, SignedDuration::from_hours(1)), expected);
    }
}
