use proptest::prelude::*;
use rstest::rstest;
use strum::IntoEnumIterator;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-11-24T10:00:00Z")
}

fn day(date: &str, good: u32, failed: u32) -> Day {
    Day { date: date.parse().unwrap(), good, failed }
}

fn sampled(component: Component, is_ok: bool, at: Timestamp) -> History {
    History::new(component, [], Some(Sample { component, is_ok, at }), now())
}

#[rstest]
#[case::good(Component::SignIn, true, 4, State::Operational)]
#[case::failed(Component::SignIn, false, 4, State::Failing)]
#[case::two_missed(Component::SignIn, true, 15, State::Operational)]
#[case::three_missed(Component::SignIn, true, 16, State::Unknown)]
#[case::old_failure(Component::SignIn, false, 16, State::Unknown)]
#[case::canary(Component::Mail, false, 45, State::Failing)]
#[case::no_canary(Component::Mail, true, 46, State::Unknown)]
#[case::clock_ahead(Component::Mail, true, -5, State::Operational)]
#[case::clock_wrong(Component::Mail, true, -6, State::Unknown)]
fn state_follows_newest_sample(
    #[case] component: Component,
    #[case] is_ok: bool,
    #[case] minutes: i64,
    #[case] expected: State,
) {
    let history = sampled(component, is_ok, now() - SignedDuration::from_mins(minutes));
    assert_eq!(history.state(now()), expected);
}

#[test]
fn component_without_sample_is_unknown() {
    let history = History::new(Component::Mail, [], None, now());
    assert_eq!((history.state(now()), history.uptime(), history.sampled_at()), (State::Unknown, None, None));
}

#[rstest]
#[case(&[State::Operational; 4], State::Operational)]
#[case(&[State::Operational, State::Unknown], State::Unknown)]
#[case(&[State::Unknown, State::Failing, State::Operational], State::Failing)]
#[case(&[State::Failing, State::Unknown], State::Failing)]
fn worst_state_is_overall(#[case] states: &[State], #[case] expected: State) {
    assert_eq!(State::overall(states.iter().copied()), expected);
}

#[rstest]
#[case(0, 0, Level::NoData)]
#[case(288, 0, Level::Good)]
#[case(287, 1, Level::Problems)]
#[case(145, 144, Level::Problems)]
#[case(144, 144, Level::Outage)]
#[case(0, 1, Level::Outage)]
fn level_follows_failed_share(#[case] good: u32, #[case] failed: u32, #[case] expected: Level) {
    assert_eq!(day("2026-11-24", good, failed).level(), expected);
}

#[rstest]
#[case::all(&[(288, 0)], Some("100.00"))]
#[case::rounded_down(&[(25_919, 1)], Some("99.99"))]
#[case::third(&[(1, 1), (0, 1)], Some("33.33"))]
#[case::none(&[(0, 3)], Some("0.00"))]
#[case::no_sample(&[(0, 0)], None)]
fn uptime_is_rounded_down(#[case] counts: &[(u32, u32)], #[case] expected: Option<&str>) {
    let days: Vec<_> = counts.iter().map(|(good, failed)| day("2026-11-24", *good, *failed)).collect();
    assert_eq!(Uptime::of(&days).map(|uptime| uptime.to_string()).as_deref(), expected);
}

#[test]
fn history_shows_ninety_days() {
    let recorded = [day("2026-08-26", 9, 9), day("2026-08-27", 1, 0), day("2026-11-24", 2, 1), day("2026-11-25", 9, 9)];
    let history = History::new(Component::Syncs, recorded, None, now());
    let days = history.days();
    assert_eq!(days.len(), DAYS);
    assert_eq!((days[0], days[1]), (recorded[1], day("2026-08-28", 0, 0)));
    assert_eq!(days[DAYS - 1], recorded[2]);
    assert_eq!(history.uptime().map(|uptime| uptime.to_string()).as_deref(), Some("75.00"));
}

#[rstest]
#[case(Component::SignIn, "2026-11-24T10:04:59Z", "2026-11-24T10:00:00Z")]
#[case(Component::SignIn, "2026-11-24T10:05:00Z", "2026-11-24T10:05:00Z")]
#[case(Component::Mail, "2026-11-24T10:14:59.999Z", "2026-11-24T10:00:00Z")]
#[case(Component::Mail, "2026-11-24T23:59:59Z", "2026-11-24T23:45:00Z")]
fn slot_is_beginning_of_interval(#[case] component: Component, #[case] time: &str, #[case] expected: &str) {
    assert_eq!(component.slot(at(time)), at(expected));
}

proptest! {
    /// A schedule of five minutes samples each component once per interval.
    #[test]
    fn component_is_due_once_per_interval(start in 0_i64..4_000_000_000) {
        let period = SignedDuration::from_mins(5);
        let start = Timestamp::from_second(start).unwrap();
        for component in Component::iter() {
            let first = component.slot(start);
            let runs = component.interval().as_mins() / 5;
            let offset = start.duration_since(first).as_secs() % 300;
            let times = (0..runs).map(|run| first + SignedDuration::from_secs(offset + run * 300));
            prop_assert_eq!(times.filter(|time| component.is_due(*time, period)).count(), 1);
        }
    }

    /// A slot lies in the day of its samples, so that a late sample cannot reach the counter of another day.
    #[test]
    fn slot_is_in_day_of_sample(seconds in 0_i64..4_000_000_000) {
        let time = Timestamp::from_second(seconds).unwrap();
        for component in Component::iter() {
            prop_assert_eq!(date(component.slot(time)), date(time));
        }
    }

    #[test]
    fn any_counts_make_a_percentage(counts in proptest::collection::vec((any::<u32>(), any::<u32>()), 0..100)) {
        let first = first_date(now());
        let recorded = first.series(1.day()).zip(&counts).map(|(date, (good, failed))| Day { date, good: *good, failed: *failed });
        let history = History::new(Component::Syncs, recorded, None, now());
        prop_assert_eq!(history.days().len(), DAYS);
        prop_assert!(history.days().is_sorted_by_key(|day| day.date));
        let has_samples = history.days().iter().any(|day| day.level() != Level::NoData);
        prop_assert_eq!(history.uptime().is_some(), has_samples);
        if let Some(uptime) = history.uptime() {
            let has_failed = history.days().iter().any(|day| day.failed > 0);
            prop_assert!(uptime.percent() <= 100 && (uptime.percent() < 100 || !has_failed));
        }
    }
}
