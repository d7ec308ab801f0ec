//! The public status of the service: whether its components work now, and how they worked in the last 90 days.
//!
//! Each component is sampled regularly. A sample says only whether it worked: no member, no address and no cause.

pub mod probes;

use std::fmt;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use strum::{AsRefStr, Display, EnumIter};

use crate::clock::later;
use crate::expiry::is_from_future;

/// Days of history, with the current one.
pub const DAYS: usize = 90;
/// How long the samples of a day are kept: longer than a page shows them, since a day begins and ends elsewhere too.
pub const RETENTION: SignedDuration = SignedDuration::from_hours(24 * 100);
/// The state of a component is unknown if it missed two samples.
const INTERVALS_TO_UNKNOWN: i32 = 3;
/// From this share of failed samples on, a day counts as an outage: one in two.
const OUTAGE: u32 = 2;

/// A part of the service that its users know.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, AsRefStr, Display, EnumIter,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Component {
    /// The site and the sign-in provider.
    SignIn,
    /// The syncs of the domains with their teams.
    Syncs,
    /// The DNS checks of the domains.
    DomainChecks,
    /// Mail to an address, from the mail host to the destination.
    Mail,
}

impl Component {
    /// How often it is sampled. Syncs and domains are read from the table, which costs more with each domain.
    pub fn interval(self) -> SignedDuration {
        match self {
            Self::SignIn => SignedDuration::from_mins(5),
            Self::Syncs | Self::DomainChecks | Self::Mail => SignedDuration::from_mins(15),
        }
    }

    /// The beginning of the interval of a time, which identifies the sample of that interval.
    pub fn slot(self, at: Timestamp) -> Timestamp {
        let seconds = self.interval().as_secs();
        Timestamp::from_second(at.as_second().div_euclid(seconds) * seconds).unwrap_or(at)
    }

    /// Whether a schedule with this period has to sample it at that time: once in each interval.
    pub fn is_due(self, at: Timestamp, period: SignedDuration) -> bool {
        at.duration_since(self.slot(at)) < period
    }

    fn max_age(self) -> SignedDuration {
        self.interval() * INTERVALS_TO_UNKNOWN
    }
}

/// Whether a component worked at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The component.
    pub component: Component,
    /// Whether it worked.
    pub is_ok: bool,
    /// When it was tried.
    pub at: Timestamp,
}

impl Sample {
    /// The day of the sample in UTC.
    pub fn date(&self) -> Date {
        date(self.at)
    }
}

/// The day of a time, in UTC.
pub fn date(at: Timestamp) -> Date {
    Offset::UTC.to_datetime(at).date()
}

/// The first of the days that a page shows at this time.
pub fn first_date(now: Timestamp) -> Date {
    let days = i64::try_from(DAYS).unwrap_or_default() - 1;
    date(now).saturating_sub(days.days())
}

/// The present state of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, AsRefStr, EnumIter)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum State {
    /// The newest sample worked.
    Operational,
    /// The newest sample failed.
    Failing,
    /// The newest sample is too old, or there is none.
    Unknown,
}

impl State {
    /// The state of several components together: failing if one fails, and operational if all are.
    pub fn overall(states: impl IntoIterator<Item = Self>) -> Self {
        let mut overall = Self::Operational;
        for state in states {
            overall = match (overall, state) {
                (Self::Failing, _) | (_, Self::Failing) => Self::Failing,
                (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
                (Self::Operational, Self::Operational) => Self::Operational,
            };
        }
        overall
    }
}

/// The samples of one day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Day {
    /// The day.
    pub date: Date,
    /// Samples that worked.
    pub good: u32,
    /// Samples that failed.
    pub failed: u32,
}

/// How well a component worked on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsRefStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Level {
    /// There is no sample.
    NoData,
    /// All samples worked.
    Good,
    /// Less than half of the samples failed.
    Problems,
    /// Half of the samples or more failed.
    Outage,
}

impl Day {
    /// A day without samples.
    pub fn empty(date: Date) -> Self {
        Self { date, good: 0, failed: 0 }
    }

    /// All samples.
    pub fn samples(&self) -> u32 {
        self.good.saturating_add(self.failed)
    }

    /// How well the component worked.
    pub fn level(&self) -> Level {
        match (self.samples(), self.failed) {
            (0, _) => Level::NoData,
            (_, 0) => Level::Good,
            (samples, failed) if failed.saturating_mul(OUTAGE) < samples => Level::Problems,
            _ => Level::Outage,
        }
    }
}

/// The share of samples that worked, in hundredths of a percent, rounded down: 100 % means that all worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uptime(u16);

impl Uptime {
    const ALL: u16 = 10_000;

    fn of<'a>(days: impl IntoIterator<Item = &'a Day>) -> Option<Self> {
        let (good, samples) = days.into_iter().fold((0_u64, 0_u64), |(good, samples), day| {
            (good + u64::from(day.good), samples + u64::from(day.good) + u64::from(day.failed))
        });
        let share = (good * u64::from(Self::ALL)).checked_div(samples)?;
        Some(Self(u16::try_from(share).unwrap_or(Self::ALL)))
    }

    /// The whole percent.
    pub fn percent(self) -> u16 {
        self.0 / 100
    }

    /// The two decimals of the percentage.
    pub fn hundredths(self) -> u16 {
        self.0 % 100
    }
}

/// With a decimal point: `99.95`.
impl fmt::Display for Uptime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.percent(), self.hundredths())
    }
}

/// What the samples of the last 90 days say about a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    component: Component,
    days: Vec<Day>,
    newest: Option<Sample>,
}

impl History {
    /// The history at this time. `recorded` can have gaps; days that are no longer shown are left out.
    pub fn new(
        component: Component,
        recorded: impl IntoIterator<Item = Day>,
        newest: Option<Sample>,
        now: Timestamp,
    ) -> Self {
        let first = first_date(now);
        let mut days: Vec<_> = first.series(1.day()).take(DAYS).map(Day::empty).collect();
        for recorded in recorded {
            if let Some(day) = days.iter_mut().find(|day| day.date == recorded.date) {
                *day = recorded;
            }
        }
        Self { component, days, newest }
    }

    /// The component.
    pub fn component(&self) -> Component {
        self.component
    }

    /// The last [`DAYS`] days, the oldest first.
    pub fn days(&self) -> &[Day] {
        &self.days
    }

    /// The time of the newest sample.
    pub fn sampled_at(&self) -> Option<Timestamp> {
        self.newest.map(|newest| newest.at)
    }

    /// The state at this time. A sample from the future, by a wrong clock, says nothing.
    pub fn state(&self, now: Timestamp) -> State {
        match self.newest {
            Some(newest) if is_from_future(newest.at, now) => State::Unknown,
            Some(newest) if later(newest.at, self.component.max_age()) < now => State::Unknown,
            Some(newest) if newest.is_ok => State::Operational,
            Some(_) => State::Failing,
            None => State::Unknown,
        }
    }

    /// The share of samples that worked; none without samples.
    pub fn uptime(&self) -> Option<Uptime> {
        Uptime::of(&self.days)
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
