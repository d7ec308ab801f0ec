//! Times on the command line.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use membermail_core::clock::{end_of_day, midnight};

/// A time, a day, or an age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    At(Timestamp),
    Day(Date),
    Ago(SignedDuration),
}

impl FromStr for When {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        // A date-time without a time zone parses as a date too, and would mean the whole day.
        if text.len() == "2026-11-24".len()
            && let Ok(day) = text.parse()
        {
            return Ok(Self::Day(day));
        }
        let span = text.parse::<Span>().and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
        match span {
            Ok(ago) if !ago.is_negative() => Ok(Self::Ago(ago)),
            _ => Err("expected a time such as 2026-11-24, 2026-11-24T10:00:00Z, 36h or 7d".to_owned()),
        }
    }
}

impl When {
    /// The start of the period.
    pub(super) fn start(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Day(day) => midnight(day),
            Self::Ago(ago) => now.saturating_sub(ago).unwrap_or(Timestamp::MIN),
        }
    }

    /// The end of the period: for a day, the start of the next one.
    pub(super) fn end(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Day(day) => end_of_day(day),
            other => other.start(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("2026-11-24", "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z")]
    #[case("2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z")]
    #[case("2026-11-24T10:00:00+01:00", "2026-11-24T09:00:00Z", "2026-11-24T09:00:00Z")]
    #[case("36h", "2026-11-22T22:00:00Z", "2026-11-22T22:00:00Z")]
    #[case("7d", "2026-11-17T10:00:00Z", "2026-11-17T10:00:00Z")]
    fn time_has_start_and_end(#[case] text: &str, #[case] start: &str, #[case] end: &str) {
        let when = text.parse::<When>().unwrap();
        let now = "2026-11-24T10:00:00Z".parse().unwrap();
        assert_eq!((when.start(now).to_string(), when.end(now).to_string()), (start.to_owned(), end.to_owned()));
    }

    #[rstest::rstest]
    #[case("")]
    #[case("yesterday")]
    #[case("2026-13-01")]
    #[case("2026-11-24T10:00:00")]
    #[case("-7d")]
    #[case("1mo")]
    fn invalid_time_is_rejected(#[case] text: &str) {
        assert!(text.parse::<When>().is_err(), "{:?}", text.parse::<When>());
    }
}
