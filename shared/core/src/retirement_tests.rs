use super::*;
use crate::testing::{self, address};

use Reason::{BanLifted, Banned, DomainRetired, Eligible, Loop, NotInTeam};
use Status::{Active, Leaving, Retired, Suspended};

fn at(day: i64) -> Timestamp {
    Timestamp::from_second(day * 86_400).unwrap()
}

/// Alice's alias, in its state since day 0; a leaving one ends on day 10.
fn alias(status: Status, reason: Reason) -> Alias {
    Alias { until: (status == Leaving).then(|| at(10)), ..testing::alias(status, reason) }
}

/// Of day 1, with 14 days of grace.
fn retirement() -> Retirement {
    Retirement::new(at(1), &Rules::default(), Some("olivia"))
}

fn suspend(reason: Reason) -> Option<Action> {
    Some(Action::Suspend { reason })
}

fn leave(until: i64) -> Option<Action> {
    Some(Action::Leave { reason: DomainRetired, until: at(until) })
}

#[rstest::rstest]
#[case::grace_begins(Active, Eligible, false, 1, leave(15))]
#[case::late_run_keeps_the_full_grace(Active, Eligible, false, 4, leave(18))]
#[case::early_clock_keeps_the_announced_end(Active, Eligible, false, 0, leave(15))]
#[case::still_forwards(Leaving, DomainRetired, false, 9, None)]
#[case::grace_is_over(Leaving, DomainRetired, false, 10, suspend(DomainRetired))]
#[case::own_reason_stays(Leaving, NotInTeam, false, 10, suspend(NotInTeam))]
#[case::suspended_stays(Suspended, NotInTeam, false, 179, None)]
#[case::data_goes_in_the_end(Suspended, DomainRetired, false, 180, Some(Action::Retire))]
#[case::lifted_ban_brings_nothing_back(Suspended, BanLifted, false, 2, suspend(DomainRetired))]
#[case::loop_is_not_mended(Suspended, Loop, false, 2, suspend(DomainRetired))]
#[case::banned_at_once(Leaving, DomainRetired, true, 2, suspend(Banned))]
#[case::retired_for_good(Retired, NotInTeam, false, 1_000, None)]
fn retiring_domain_gives_nothing_back(
    #[case] status: Status,
    #[case] reason: Reason,
    #[case] is_banned: bool,
    #[case] day: i64,
    #[case] expected: Option<Action>,
) {
    let alias = alias(status, reason);
    assert_eq!(retirement().action(&alias, is_banned, &Rules::default(), at(day)), expected);
}

#[rstest::rstest]
#[case::leaving(Leaving, DomainRetired, false, Some(Action::Restore))]
#[case::suspended(Suspended, DomainRetired, false, Some(Action::Restore))]
#[case::other_reason(Leaving, NotInTeam, false, None)]
#[case::active(Active, Eligible, false, None)]
#[case::retired(Retired, DomainRetired, false, None)]
#[case::banned(Leaving, DomainRetired, true, suspend(Banned))]
fn cancelled_retirement_restores_its_own(
    #[case] status: Status,
    #[case] reason: Reason,
    #[case] is_banned: bool,
    #[case] expected: Option<Action>,
) {
    let retirement = Retirement { cancelled: Some(at(5)), ..retirement() };
    assert_eq!(retirement.action(&alias(status, reason), is_banned, &Rules::default(), at(6)), expected);
}

#[test]
fn plan_removes_all_without_a_guard() {
    let aliases = (0..50).rev().map(|number| {
        let address = address(&format!("member{number:02}@ubuntu.com"));
        Alias { address, ..alias(Active, Eligible) }
    });
    let domain = "ubuntu.com".parse().unwrap();
    let plan = retirement().plan(&domain, aliases.collect(), &BTreeSet::new(), &Rules::default(), at(1));
    assert_eq!((plan.counts.active, plan.counts.leave, plan.counts.removed), (50, 50, 0));
    assert!(plan.steps.is_sorted_by_key(|step| &step.address));
    assert!(plan.steps.iter().all(|step| step.expected == ExpectedVersion::At(3)));
}
