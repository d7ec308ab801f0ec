use super::*;
use crate::alias::{Reason, Status};
use crate::testing::{hours, now};

fn at(after: i64) -> Timestamp {
    later(now(), hours(after))
}

fn alias(status: Status, since: i64) -> Alias {
    Alias { since: at(since), ..crate::testing::alias(status, Reason::Eligible) }
}

fn reply(text: &str) -> StatusCode {
    text.parse().unwrap()
}

/// First and last failure, in hours.
fn failing(since: i64, last: i64, count: u64) -> Failing {
    Failing { since: at(since), last: at(last), reply: reply("5.2.2"), count, notified: None }
}

const DAY: i64 = 24;

#[rstest::rstest]
#[case::first(None, -90, 0, Some((0, 0, 1)))]
#[case::another(Some((-5, -3, 2)), -90, 0, Some((-5, 0, 3)))]
#[case::repeated(Some((-5, 0, 2)), -90, 0, None)]
#[case::late(Some((-5, 1, 2)), -90, 0, None)]
#[case::after_two_weeks(Some((-20 * DAY, -14 * DAY - 1, 2)), -90 * DAY, 0, Some((0, 0, 1)))]
#[case::within_two_weeks(Some((-20 * DAY, -14 * DAY, 2)), -90 * DAY, 0, Some((-20 * DAY, 0, 3)))]
#[case::of_former_destination(None, 1, 0, None)]
#[case::first_of_new_destination(Some((-5, -3, 2)), -1, 0, Some((0, 0, 1)))]
fn failure_is_registered_once(
    #[case] previous: Option<(i64, i64, u64)>,
    #[case] alias_since: i64,
    #[case] failed: i64,
    #[case] expected: Option<(i64, i64, u64)>,
) {
    let previous = previous.map(|(since, last, count)| failing(since, last, count));
    let alias = alias(Status::Active, alias_since);
    let registered = Failing::register(previous.as_ref(), &alias, reply("5.1.1"), at(failed));
    let expected =
        expected.map(|(since, last, count)| Failing { reply: reply("5.1.1"), ..failing(since, last, count) });
    assert_eq!(registered, expected);
}

#[test]
fn later_failure_keeps_last_notice() {
    let notified = Failing { notified: Some(at(-1)), ..failing(-5, -3, 2) };
    let next = Failing::register(Some(&notified), &alias(Status::Active, -90), reply("5.1.1"), at(0)).unwrap();
    assert_eq!(next.notified, Some(at(-1)));
    let moved = Failing::register(Some(&notified), &alias(Status::Active, -2), reply("5.1.1"), at(0)).unwrap();
    assert_eq!(moved.notified, None);
}

#[rstest::rstest]
#[case::active(Status::Active, -90, -1, true)]
#[case::leaving(Status::Leaving, -90, -1, true)]
#[case::suspended(Status::Suspended, -90, -1, false)]
#[case::retired(Status::Retired, -90, -1, false)]
#[case::changed_since(Status::Active, 0, -1, false)]
#[case::two_weeks_ago(Status::Active, -90 * DAY, -14 * DAY, true)]
#[case::longer_ago(Status::Active, -90 * DAY, -14 * DAY - 1, false)]
fn failure_shows_while_it_counts(
    #[case] status: Status,
    #[case] alias_since: i64,
    #[case] last: i64,
    #[case] expected: bool,
) {
    assert_eq!(failing(last, last, 1).is_current(&alias(status, alias_since), at(0)), expected);
}

#[rstest::rstest]
#[case::never(None, true)]
#[case::today(Some(0), false)]
#[case::this_week(Some(-7 * DAY + 1), false)]
#[case::a_week_ago(Some(-7 * DAY), true)]
fn notice_is_due_once_a_week(#[case] notified: Option<i64>, #[case] expected: bool) {
    let failing = Failing { notified: notified.map(at), ..failing(-90, 0, 9) };
    assert_eq!(failing.is_notice_due(at(0)), expected);
}

#[rstest::rstest]
#[case::mailbox("5.2.2", true)]
#[case::unreachable("4.4.1", true)]
#[case::content("5.7.1", false)]
#[case::size("552 5.3.4", false)]
fn refused_message_causes_no_notice(#[case] status: &str, #[case] expected: bool) {
    let failing = Failing { reply: reply(status), ..failing(-90, 0, 9) };
    assert_eq!(failing.is_notice_due(at(0)), expected);
}

#[rstest::rstest]
#[case::now(0, 0, Ok(()))]
#[case::by_a_fast_clock(0, 4, Ok(()))]
#[case::from_future(0, 6, Err(Expired::FromFuture))]
#[case::two_weeks_old(-14 * DAY, 0, Ok(()))]
#[case::older(-14 * DAY, -1, Err(Expired::TooOld))]
fn old_report_is_dropped(#[case] hour: i64, #[case] minute: i64, #[case] expected: Result<(), Expired>) {
    let failed = later(at(hour), SignedDuration::from_mins(minute));
    assert_eq!(check_report(failed, at(0)), expected);
}
