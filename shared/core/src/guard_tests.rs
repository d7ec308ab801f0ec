//! Which plans are held: by kind, by size of the team, and by the changes of earlier runs.

use jiff::Timestamp;
use rstest::rstest;

use super::*;
use crate::alias::{ExpectedVersion, Reason};
use crate::lifecycle::Action;
use crate::testing::address;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn leave() -> Action {
    Action::Leave { reason: Reason::NotInTeam, until: at("2026-12-08T10:00:00Z") }
}

fn suspend() -> Action {
    Action::Suspend { reason: Reason::NotInTeam }
}

fn ban() -> Action {
    Action::Suspend { reason: Reason::Banned }
}

/// Steps for the addresses with these numbers, each of a member of their own.
fn steps(numbers: std::ops::Range<u64>, action: &Action) -> Vec<Step> {
    let steps = numbers.map(|number| Step {
        address: address(&format!("member{number}@ubuntu.com")),
        member: MemberId::parse(&format!("{number:026}")).unwrap(),
        expected: ExpectedVersion::At(1),
        known_as: None,
        action: action.clone(),
    });
    steps.collect()
}

fn counts(active: u64, leaving: u64, suspended: u64) -> Counts {
    Counts { active, leaving, suspended, ..Counts::default() }
}

fn plan(counts: Counts, steps: Vec<Step>) -> Plan {
    Plan { domain: "ubuntu.com".parse().unwrap(), read_at: at("2026-11-24T10:00:00Z"), counts, steps }
}

fn is_held(plan: &Plan, history: &History) -> bool {
    check(plan, history, &Rules::default()) != Verdict::Pass
}

fn unattended(active: u64, steps: Vec<Step>) -> PastRun {
    let outcome = Outcome::Unattended { steps, first_sync: false };
    PastRun { counts: Some(counts(active, 0, 0)), outcome }
}

fn removals_of(active: u64) -> Vec<HoldReason> {
    vec![HoldReason::Bound { kind: ChangeKind::Removals, count: active, earlier: 0, of: active, among: Status::Active }]
}

#[rstest]
#[case::one_of_one(1, 1, false)]
#[case::one_of_two(2, 1, false)]
#[case::one_of_three(3, 1, false)]
#[case::both_of_two(2, 2, true)]
#[case::two_of_three(3, 2, true)]
#[case::two_of_five(5, 2, false)]
#[case::half_of_four(4, 2, true)]
#[case::five_of_five(5, 5, true)]
#[case::five_of_eleven(11, 5, false)]
#[case::six_of_fifty(50, 6, true)]
#[case::twenty_of_49(49, 20, true)]
#[case::exactly_ten_percent(60, 6, false)]
#[case::just_above(59, 6, true)]
#[case::everybody(200, 200, true)]
fn plan_is_held_when_removing_much(#[case] active: u64, #[case] leavers: u64, #[case] expected: bool) {
    let plan = plan(counts(active, 0, 0), steps(0..leavers, &leave()));
    assert_eq!(is_held(&plan, &History::default()), expected);
}

#[test]
fn leaver_with_three_addresses_is_one() {
    let mut steps = steps(0..3, &leave());
    let member = steps[0].member;
    steps.iter_mut().for_each(|step| step.member = member);
    assert!(!is_held(&plan(counts(4, 0, 0), steps), &History::default()));
}

#[rstest]
#[case::create(Action::Create, 20, 30, false)]
#[case::many_create(Action::Create, 21, 30, true)]
#[case::restore(Action::Restore, 21, 30, true)]
#[case::rename(Action::Rename { from: "old".parse().unwrap() }, 21, 30, true)]
#[case::exactly_ten_percent(Action::Create, 100, 1_000, false)]
#[case::just_above(Action::Create, 101, 1_000, true)]
#[case::none_active(Action::Create, 21, 0, true)]
#[case::names_only(Action::Observe, 1_000, 1_000, false)]
#[case::bans(ban(), 10, 10, false)]
fn plan_is_held_when_granting_much(
    #[case] action: Action,
    #[case] count: u64,
    #[case] active: u64,
    #[case] expected: bool,
) {
    let plan = plan(counts(active, 0, 0), steps(0..count, &action));
    assert_eq!(is_held(&plan, &History::default()), expected);
}

#[test]
fn first_sync_grants_to_all() {
    let mut grants = steps(0..500, &Action::Create);
    let first = History::of([], true);
    assert!(!is_held(&plan(counts(0, 0, 0), grants.clone()), &first));
    // Its removals are guarded like any others.
    grants.extend(steps(500..506, &leave()));
    assert!(is_held(&plan(counts(20, 0, 0), grants), &first));
}

#[test]
fn grants_of_first_sync_are_forgotten() {
    let outcome = Outcome::Unattended { steps: steps(0..500, &Action::Create), first_sync: true };
    let history = History::of([PastRun { counts: Some(counts(0, 0, 0)), outcome }], false);
    assert!(!is_held(&plan(counts(500, 0, 0), steps(500..520, &Action::Create)), &history));
}

#[rstest]
#[case::few_suspended(suspend(), 3, counts(5, 3, 0), false)]
#[case::more_suspended(suspend(), 4, counts(50, 4, 0), true)]
#[case::all_left_before(suspend(), 5, counts(0, 5, 0), true)]
#[case::usual_day(suspend(), 33, counts(100_000, 470, 6_000), false)]
#[case::whole_grace_period(suspend(), 470, counts(100_000, 470, 6_000), true)]
#[case::few_retired(Action::Retire, 3, counts(5, 0, 3), false)]
#[case::more_retired(Action::Retire, 4, counts(50, 0, 40), true)]
#[case::usual_retirements(Action::Retire, 33, counts(100_000, 470, 6_000), false)]
#[case::year_ahead(Action::Retire, 6_000, counts(100_000, 470, 6_000), true)]
fn plan_is_held_when_ending_much(
    #[case] action: Action,
    #[case] count: u64,
    #[case] counts: Counts,
    #[case] expected: bool,
) {
    assert_eq!(is_held(&plan(counts, steps(0..count, &action)), &History::default()), expected);
}

/// Ten percent each hour.
#[test]
fn removals_of_a_day_add_up() {
    let first = plan(counts(100, 0, 0), steps(0..10, &leave()));
    assert!(!is_held(&first, &History::default()));
    let second = plan(counts(90, 10, 0), steps(10..19, &leave()));
    assert!(!is_held(&second, &History::default()));
    assert!(is_held(&second, &History::of([unattended(100, first.steps)], false)));
}

#[rstest]
#[case::grants(Action::Create, 15)]
#[case::suspensions(suspend(), 2)]
#[case::retirements(Action::Retire, 2)]
fn other_kinds_add_up_too(#[case] action: Action, #[case] count: u64) {
    let plan = plan(counts(20, 20, 20), steps(count..2 * count, &action));
    assert!(!is_held(&plan, &History::default()));
    let history = History::of([unattended(20, steps(0..count, &action))], false);
    assert!(is_held(&plan, &history));
}

#[test]
fn same_leaver_is_counted_once() {
    let plan = plan(counts(50, 0, 0), steps(0..5, &leave()));
    // write-aliases is behind: each run finds the same leavers.
    let history = History::of([(); 10].map(|()| unattended(50, steps(0..5, &leave()))), false);
    assert!(!is_held(&plan, &history));
}

#[test]
fn withheld_removals_do_not_count() {
    let withheld = PastRun { counts: Some(counts(50, 0, 0)), outcome: Outcome::Withheld };
    let history = History::of([withheld], false);
    assert!(!is_held(&plan(counts(50, 0, 0), steps(0..5, &leave())), &history));
}

#[test]
fn earlier_runs_alone_hold_nothing() {
    let history = History::of([unattended(50, steps(0..5, &leave()))], false);
    assert!(!is_held(&plan(counts(45, 5, 0), Vec::new()), &history));
    assert!(!is_held(&plan(counts(45, 5, 0), steps(60..61, &Action::Create)), &history));
}

#[rstest]
#[case::seen_by_the_operator(removals_of(5), true)]
#[case::held_for_look_ups(vec![HoldReason::Unverified { count: 3 }], true)]
#[case::held_for_grants(
    vec![HoldReason::Bound { kind: ChangeKind::Grants, count: 30, earlier: 0, of: 30, among: Status::Active }], false
)]
fn release_starts_a_new_window(#[case] reasons: Vec<HoldReason>, #[case] expected: bool) {
    let before = unattended(55, steps(0..5, &leave()));
    let released = PastRun { counts: Some(counts(50, 5, 0)), outcome: Outcome::Released(reasons) };
    let after = unattended(45, steps(20..22, &leave()));
    let plan = plan(counts(43, 12, 0), steps(30..32, &leave()));
    assert_eq!(!is_held(&plan, &History::of([after.clone(), released.clone(), before.clone()], false)), expected);
    // Removals after the release count.
    let more = unattended(43, steps(40..43, &leave()));
    assert!(is_held(&plan, &History::of([more, after, released, before], false)));
}

/// Six of sixty are ten percent, also where sixty were fifty an hour before.
#[test]
fn larger_count_of_day_is_compared() {
    let history = History::of([unattended(50, Vec::new())], false);
    assert!(!is_held(&plan(counts(60, 0, 0), steps(0..6, &leave())), &history));
    // Where it shrank, with what it was.
    let history = History::of([unattended(54, Vec::new()), unattended(60, steps(0..3, &leave()))], false);
    assert!(!is_held(&plan(counts(54, 6, 0), steps(3..6, &leave())), &history));
}

#[test]
fn reasons_name_what_was_counted() {
    let mut counts = counts(20, 0, 0);
    counts.unverified = 4;
    let history = History::of([unattended(23, steps(0..3, &leave()))], false);
    let verdict = check(&plan(counts, steps(3..8, &leave())), &history, &Rules::default());
    let Verdict::Hold(reasons) = verdict else { panic!("it passes") };
    let said: Vec<_> = reasons.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"));
    let json = serde_json::to_string(&reasons).unwrap();
    assert_eq!(serde_json::from_str::<Vec<HoldReason>>(&json).unwrap(), reasons);
}

#[test]
fn larger_bounds_let_more_pass() {
    let rules = Rules { hold_above_count: 9, hold_small_team_percent: 99, ..Rules::default() };
    let plan = plan(counts(10, 0, 0), steps(0..9, &leave()));
    assert_eq!(check(&plan, &History::default(), &rules), Verdict::Pass);
    assert!(is_held(&plan, &History::default()));
}
