use rstest::rstest;

use super::*;
use crate::testing::{ACTIVE, GONE, LEAVING, OFF, address, alias_change, entry_at, hours, now};

fn entry(name: &str, before: Option<Status>, after: Status, reason: Reason, age: i64) -> Entry {
    let mut change = alias_change(before, after, reason);
    if let Change::Alias { address: changed, .. } = &mut change {
        *changed = address(&format!("{name}@ubuntu.com"));
    }
    entry_at(now() - hours(age), change)
}

fn created(name: &str, age: i64) -> Entry {
    entry(name, None, ACTIVE, Reason::Eligible, age)
}

/// The changes of one address, oldest first.
#[rstest]
#[case::one(&[(None, ACTIVE, Reason::Eligible)], Some(AdminNews::Created))]
#[case::ended_and_restored(&[(Some(LEAVING), OFF, Reason::NotInTeam), (Some(OFF), ACTIVE, Reason::Eligible)], None)]
#[case::created_and_banned(
    &[(None, ACTIVE, Reason::Eligible), (Some(ACTIVE), OFF, Reason::Banned)], Some(AdminNews::Removed(Reason::Banned))
)]
#[case::loop_is_resolved(
    &[(None, OFF, Reason::Loop), (Some(OFF), ACTIVE, Reason::Eligible)], Some(AdminNews::Created)
)]
#[case::back_and_off_again(&[(Some(OFF), ACTIVE, Reason::Eligible), (Some(ACTIVE), OFF, Reason::Banned)], None)]
#[case::returned_and_banned(&[(Some(GONE), ACTIVE, Reason::Eligible), (Some(ACTIVE), OFF, Reason::Banned)], None)]
#[case::ended_twice(
    &[
        (Some(LEAVING), OFF, Reason::NotInTeam),
        (Some(OFF), ACTIVE, Reason::Eligible),
        (Some(LEAVING), OFF, Reason::NotValid),
    ],
    Some(AdminNews::Removed(Reason::NotValid))
)]
fn changes_of_an_address_are_summed(
    #[case] changes: &[(Option<Status>, Status, Reason)],
    #[case] expected: Option<AdminNews>,
) {
    let mut entries: Vec<_> = changes
        .iter()
        .zip((0..9).rev())
        .map(|((before, after, reason), age)| entry("alice", *before, *after, *reason, age))
        .collect();
    let expected: Vec<_> = expected.map(|news| (address("alice@ubuntu.com"), news)).into_iter().collect();
    assert_eq!(net_changes(&entries, now()), expected);
    entries.reverse();
    assert_eq!(net_changes(&entries, now()), expected, "the order of reading counts");
}

#[test]
fn changes_are_grouped_by_address() {
    let names: Vec<_> = net_changes(&[created("carol", 0), created("alice", 0), created("bob", 0)], now())
        .into_iter()
        .map(|(address, _)| address.to_string())
        .collect();
    assert_eq!(names, ["alice@ubuntu.com", "bob@ubuntu.com", "carol@ubuntu.com"]);
}

#[test]
fn week_old_changes_are_omitted() {
    let news = net_changes(&[created("alice", 7 * 24 + 1), created("bob", 7 * 24)], now());
    assert_eq!(news, [(address("bob@ubuntu.com"), AdminNews::Created)]);
}

#[test]
fn entries_are_counted_by_kind() {
    let entries = [
        created("a", 0),
        created("b", 0),
        entry("c", Some(GONE), ACTIVE, Reason::Eligible, 0),
        entry("d", Some(OFF), OFF, Reason::Loop, 0),
        entry("e", Some(LEAVING), OFF, Reason::NotInTeam, 0),
        // Changes without news for admins.
        entry("f", Some(ACTIVE), LEAVING, Reason::NotInTeam, 0),
    ];
    let tally = Tally::of_entries(&entries);
    assert_eq!(tally, Tally { created: 2, restored: 1, loops: 1, removed: 1 });
    assert_eq!((tally.total(), tally.plus(tally).total()), (5, 10));
}
