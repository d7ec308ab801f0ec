use super::*;
use crate::member::{Fingerprint, LaunchpadName};
use crate::random::CountingRandom;

const DAY: i64 = 86_400;

fn at(day: i64) -> Timestamp {
    Timestamp::from_second(day * DAY).unwrap()
}

fn known_as(name: &str, day: i64) -> ObservedName {
    let name = LaunchpadName::parse(name).unwrap();
    ObservedName { name, fingerprint: Fingerprint(1), observed_at: at(day) }
}

/// Alice's alias, in its state since day 0; a leaving one ends on day 14.
fn alias(status: Status, reason: Reason) -> Alias {
    Alias {
        address: Address::try_from("alice@ubuntu.com".to_owned()).unwrap(),
        member: MemberId::new(at(0), &CountingRandom::default()),
        known_as: known_as("alice", 0),
        status,
        reason,
        since: at(0),
        until: (status == Status::Leaving).then(|| at(14)),
        version: 3,
    }
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
#[case::a_ban_is_told_apart(Suspended, NotInTeam, 1, Err(Banned), suspend(Banned))]
#[case::ban_lifted(Suspended, BanLifted, 1, Ok(()), Some(Action::Restore))]
#[case::a_loop_stays_while_eligible(Suspended, Loop, 1_000, Ok(()), None)]
#[case::a_loop_of_somebody_gone(Suspended, Loop, 1, Err(NotInTeam), suspend(NotInTeam))]
#[case::retired_for_good(Retired, NotInTeam, 1_000, Ok(()), None)]
#[case::retired_and_banned(Retired, NotInTeam, 1_000, Err(Banned), None)]
fn what_an_alias_needs(
    #[case] status: Status,
    #[case] reason: Reason,
    #[case] day: i64,
    #[case] eligible: Result<(), Reason>,
    #[case] expected: Option<Action>,
) {
    assert_eq!(tend(&alias(status, reason), eligible, &Rules::default(), at(day)), expected);
}

fn step(action: Action) -> Step {
    let Alias { address, member, version, .. } = alias(Active, Eligible);
    Step { address, member, version, known_as: None, action }
}

#[test]
fn step_is_applied_once_on_its_version() {
    let alias = alias(Active, Eligible);
    let step = step(Action::Leave { reason: NotInTeam, until: at(14) });
    let after = apply(&alias, &step, false, at(1)).unwrap();
    assert_eq!((after.status, after.reason, after.until), (Leaving, NotInTeam, Some(at(14))));
    assert_eq!((after.version, after.since), (4, at(1)));
    assert_eq!(apply(&after, &step, false, at(2)), None);
}

#[test]
fn step_for_another_member_is_stale() {
    let random = CountingRandom::default();
    let (_, other) = (MemberId::new(at(0), &random), MemberId::new(at(0), &random));
    let step = Step { member: other, ..step(Action::Retire) };
    assert_eq!(apply(&alias(Active, Eligible), &step, false, at(1)), None);
}

#[test]
fn restored_loop_is_suspended() {
    let after = apply(&alias(Leaving, NotInTeam), &step(Action::Restore), true, at(1)).unwrap();
    assert_eq!((after.status, after.reason, after.until), (Suspended, Loop, None));
}

#[rstest::rstest]
#[case::create(Action::Create)]
#[case::rename(Action::Rename { from: "alice".parse().unwrap() })]
#[case::observe(Action::Observe)]
fn state_stays_when_only_named(#[case] action: Action) {
    assert_eq!(apply(&alias(Active, Eligible), &step(action), false, at(1)), None);
}

#[rstest::rstest]
#[case::newer(2, "alice-smith")]
#[case::older(-1, "alice")]
fn newest_name_stays_with_a_step(#[case] day: i64, #[case] expected: &str) {
    let step = Step { known_as: Some(known_as("alice-smith", day)), ..step(Action::Restore) };
    let after = apply(&alias(Leaving, NotInTeam), &step, false, at(3)).unwrap();
    assert_eq!(after.known_as.name.as_str(), expected);
}
