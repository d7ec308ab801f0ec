use super::*;
use crate::testing::{self, members, observed};

const DAY: i64 = 86_400;

fn at(day: i64) -> Timestamp {
    Timestamp::from_second(day * DAY).unwrap()
}

/// Alice's alias, in its state since day 0; a leaving one ends on day 14.
fn alias(status: Status, reason: Reason) -> Alias {
    Alias { until: (status == Status::Leaving).then(|| at(14)), ..testing::alias(status, reason) }
}

fn leave(reason: Reason, until: i64) -> Option<Action> {
    Some(Action::Leave { reason, until: at(until) })
}

fn suspend(reason: Reason) -> Option<Action> {
    Some(Action::Suspend { reason })
}

use Reason::{BanLifted, Banned, CodeOfConductWithdrawn, Eligible, Loop, NotInTeam, NotValid};
use Status::{Active, Leaving, Retired, Suspended};

#[rstest::rstest]
#[case::active_stays(Active, Eligible, 1, Ok(()), None)]
#[case::left_the_team(Active, Eligible, 1, Err(NotInTeam), leave(NotInTeam, 15))]
#[case::deactivated(Active, Eligible, 1, Err(NotValid), leave(NotValid, 15))]
#[case::unsigned(Active, Eligible, 1, Err(CodeOfConductWithdrawn), leave(CodeOfConductWithdrawn, 15))]
#[case::banned_at_once(Active, Eligible, 1, Err(Banned), suspend(Banned))]
#[case::banned_while_leaving(Leaving, NotInTeam, 1, Err(Banned), suspend(Banned))]
#[case::back_in_the_team(Leaving, NotInTeam, 1, Ok(()), Some(Action::Restore))]
#[case::still_leaving(Leaving, NotInTeam, 13, Err(NotInTeam), None)]
#[case::the_grace_is_over(Leaving, NotInTeam, 14, Err(NotInTeam), suspend(NotInTeam))]
#[case::the_last_reason_counts(Leaving, NotInTeam, 14, Err(NotValid), suspend(NotValid))]
#[case::back_after_the_grace(Suspended, NotInTeam, 100, Ok(()), Some(Action::Restore))]
#[case::still_suspended(Suspended, NotInTeam, 179, Err(NotInTeam), None)]
#[case::retired_in_the_end(Suspended, NotInTeam, 180, Err(NotInTeam), Some(Action::Retire))]
#[case::a_ban_retires_too(Suspended, Banned, 180, Err(Banned), Some(Action::Retire))]
#[case::ban_replaces_reason(Suspended, NotInTeam, 1, Err(Banned), suspend(Banned))]
#[case::ban_lifted(Suspended, BanLifted, 1, Ok(()), Some(Action::Restore))]
#[case::a_loop_stays_while_eligible(Suspended, Loop, 1_000, Ok(()), None)]
#[case::loop_of_former_member(Suspended, Loop, 1, Err(NotInTeam), suspend(NotInTeam))]
#[case::retired_for_good(Retired, NotInTeam, 1_000, Ok(()), None)]
#[case::retired_and_banned(Retired, NotInTeam, 1_000, Err(Banned), None)]
fn next_action_follows_eligibility(
    #[case] status: Status,
    #[case] reason: Reason,
    #[case] day: i64,
    #[case] eligible: Result<(), Reason>,
    #[case] expected: Option<Action>,
) {
    assert_eq!(next_action(&alias(status, reason), eligible, &Rules::default(), at(day)), expected);
}

#[rstest::rstest]
#[case::eligible(Ok(()))]
#[case::gone(Err(NotInTeam))]
#[case::banned(Err(Banned))]
fn failed_erasure_is_planned_again(#[case] eligible: Result<(), Reason>) {
    let alias = Alias { erase_pending: true, ..alias(Retired, NotInTeam) };
    assert_eq!(next_action(&alias, eligible, &Rules::default(), at(1_000)), Some(Action::Retire));
}

fn step(action: Action) -> Step {
    let Alias { address, member, version, .. } = alias(Active, Eligible);
    Step { address, member, expected: ExpectedVersion::At(version), known_as: None, action }
}

/// Applies a step on that day by the clock of the function that applies it.
fn applied(alias: &Alias, step: &Step, day: i64) -> Result<Alias, Unapplied> {
    apply(alias, step, &Rules::default(), false, at(day))
}

#[test]
fn step_is_applied_once() {
    let alias = alias(Active, Eligible);
    let step = step(Action::Leave { reason: NotInTeam, until: at(15) });
    let after = applied(&alias, &step, 1).unwrap();
    assert_eq!((after.status, after.reason, after.until), (Leaving, NotInTeam, Some(at(15))));
    assert_eq!((after.version, after.since), (4, at(1)));
    assert_eq!(applied(&after, &step, 2), Err(Unapplied::Stale));
}

#[rstest::rstest]
#[case::suspension_in_the_grace_period(Leaving, NotInTeam, Action::Suspend { reason: NotInTeam }, 13, false)]
#[case::suspension_after_it(Leaving, NotInTeam, Action::Suspend { reason: NotInTeam }, 14, true)]
#[case::suspension_without_a_grace_period(Active, Eligible, Action::Suspend { reason: NotInTeam }, 400, false)]
#[case::ban_at_once(Active, Eligible, Action::Suspend { reason: Banned }, 1, true)]
#[case::ban_in_the_grace_period(Leaving, NotInTeam, Action::Suspend { reason: Banned }, 1, true)]
#[case::lifted_ban(Suspended, Banned, Action::Suspend { reason: BanLifted }, 1, true)]
#[case::retirement_before_its_time(Suspended, NotInTeam, Action::Retire, 179, false)]
#[case::retirement_in_time(Suspended, NotInTeam, Action::Retire, 180, true)]
#[case::retirement_of_a_leaving_one(Leaving, NotInTeam, Action::Retire, 400, false)]
#[case::retirement_of_an_active_one(Active, Eligible, Action::Retire, 400, false)]
fn removal_waits_for_its_time(
    #[case] status: Status,
    #[case] reason: Reason,
    #[case] action: Action,
    #[case] day: i64,
    #[case] is_due: bool,
) {
    let after = applied(&alias(status, reason), &step(action), day);
    assert_eq!(after.as_ref().err(), (!is_due).then_some(&Unapplied::Early), "{after:?}");
}

/// A sync whose clock is a year ahead plans every removal; none is applied before its time.
#[rstest::rstest]
#[case::leaving(Leaving, NotInTeam)]
#[case::suspended(Suspended, NotInTeam)]
fn clock_ahead_removes_nothing(#[case] status: Status, #[case] reason: Reason) {
    let alias = alias(status, reason);
    let action = next_action(&alias, Err(NotInTeam), &Rules::default(), at(366)).unwrap();
    assert_eq!(applied(&alias, &step(action), 1), Err(Unapplied::Early));
}

#[rstest::rstest]
#[case::skew_of_minutes(4, true)]
#[case::more_than_skew(6, false)]
fn small_skew_is_tolerated(#[case] minutes: i64, #[case] is_due: bool) {
    let due = at(14) - jiff::SignedDuration::from_mins(minutes);
    let step = step(Action::Suspend { reason: NotInTeam });
    let after = apply(&alias(Leaving, NotInTeam), &step, &Rules::default(), false, due);
    assert_eq!(after.is_ok(), is_due);
}

#[rstest::rstest]
#[case::in_time(15, 1, 15)]
#[case::delayed_by_days(15, 10, 24)]
#[case::planned_by_a_clock_ahead(380, 1, 15)]
fn leave_gives_the_full_grace_period(#[case] planned: i64, #[case] day: i64, #[case] until: i64) {
    let step = step(Action::Leave { reason: NotInTeam, until: at(planned) });
    let after = applied(&alias(Active, Eligible), &step, day).unwrap();
    let end = after.until.unwrap();
    assert!(end >= at(until) && end <= at(until) + CLOCK_SKEW, "{end}");
}

#[test]
fn retired_alias_waits_for_erasure() {
    let after = applied(&alias(Suspended, NotInTeam), &step(Action::Retire), 180).unwrap();
    assert!(after.erase_pending);
    let again = Step { expected: ExpectedVersion::At(after.version), ..step(Action::Retire) };
    assert_eq!(applied(&after, &again, 181), Err(Unapplied::Stale));
}

#[test]
fn step_for_another_member_is_stale() {
    let [_, other] = members();
    let step = Step { member: other, ..step(Action::Retire) };
    assert_eq!(applied(&alias(Active, Eligible), &step, 1), Err(Unapplied::Stale));
}

#[test]
fn restored_loop_is_suspended() {
    let after = apply(&alias(Leaving, NotInTeam), &step(Action::Restore), &Rules::default(), true, at(1)).unwrap();
    assert_eq!((after.status, after.reason, after.until), (Suspended, Loop, None));
}

#[rstest::rstest]
#[case::create(Action::Create)]
#[case::rename(Action::Rename { from: "alice".parse().unwrap() })]
#[case::observe(Action::Observe)]
fn naming_step_keeps_state(#[case] action: Action) {
    assert_eq!(applied(&alias(Active, Eligible), &step(action), 1), Err(Unapplied::Stale));
}

#[rstest::rstest]
#[case::newer(2, "alice-smith")]
#[case::older(-1, "alice")]
#[case::from_the_future(400, "alice")]
fn step_keeps_newest_name(#[case] day: i64, #[case] expected: &str) {
    let step = Step { known_as: Some(observed("alice-smith", 1, at(day))), ..step(Action::Restore) };
    let after = applied(&alias(Leaving, NotInTeam), &step, 3).unwrap();
    assert_eq!(after.known_as.name.as_str(), expected);
}

#[test]
fn name_from_wrong_clock_is_replaced() {
    let wrong = observed("alice-smith", 1, at(400));
    let right = observed("alice", 1, at(3));
    assert_eq!(newer(&wrong, Some(&right), at(3)), &right);
}
