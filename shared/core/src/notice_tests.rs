use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::audit::{Actor, Cause};
use crate::random::CountingRandom;

fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

fn address(text: &str) -> Address {
    text.to_owned().try_into().unwrap()
}

fn entry(change: Change) -> Entry {
    let cause = Cause { actor: Actor::Sync, by: None, request_id: "request-1", now: now() };
    Entry::new(change, cause, &CountingRandom::default())
}

fn change(before: Option<Status>, after: Status, reason: Reason) -> Entry {
    let member = MemberId::new(now(), &CountingRandom::default());
    let (address, until) = (address("alice@ubuntu.com"), Some(now()));
    entry(Change::Alias { member, address, before, after, reason, until, renamed_from: None })
}

const ACTIVE: Status = Status::Active;
const LEAVING: Status = Status::Leaving;
const OFF: Status = Status::Suspended;
const GONE: Status = Status::Retired;

#[rstest]
#[case::new(None, ACTIVE, Some(MemberNews::Created), Some(AdminNews::Created))]
#[case::new_and_leaves(None, LEAVING, Some(leaving()), None)]
#[case::new_and_off(None, OFF, Some(off()), Some(AdminNews::Removed(Reason::NotInTeam)))]
#[case::new_and_retired(None, GONE, None, None)]
#[case::same(Some(ACTIVE), ACTIVE, None, None)]
#[case::leaves(Some(ACTIVE), LEAVING, Some(leaving()), None)]
#[case::banned(Some(ACTIVE), OFF, Some(off()), Some(AdminNews::Removed(Reason::NotInTeam)))]
#[case::active_retired(Some(ACTIVE), GONE, None, None)]
#[case::stays_after_all(Some(LEAVING), ACTIVE, Some(MemberNews::Restored), None)]
#[case::leaves_later(Some(LEAVING), LEAVING, Some(leaving()), None)]
#[case::ends(Some(LEAVING), OFF, Some(off()), Some(AdminNews::Removed(Reason::NotInTeam)))]
#[case::leaving_retired(Some(LEAVING), GONE, None, None)]
#[case::back(Some(OFF), ACTIVE, Some(MemberNews::Restored), Some(AdminNews::Restored))]
#[case::back_and_leaves(Some(OFF), LEAVING, Some(leaving()), None)]
#[case::off_for_another_reason(Some(OFF), OFF, Some(off()), None)]
#[case::retired(Some(OFF), GONE, None, None)]
#[case::returned(Some(GONE), ACTIVE, Some(MemberNews::Returned), Some(AdminNews::Restored))]
#[case::returned_and_leaves(Some(GONE), LEAVING, Some(leaving()), None)]
#[case::returned_and_off(Some(GONE), OFF, Some(off()), None)]
#[case::retired_again(Some(GONE), GONE, None, None)]
fn each_transition_is_told(
    #[case] before: Option<Status>,
    #[case] after: Status,
    #[case] member: Option<MemberNews>,
    #[case] admins: Option<AdminNews>,
) {
    let entry = change(before, after, Reason::NotInTeam);
    assert_eq!(for_member(&entry).map(|(_, _, news)| news), member);
    assert_eq!(for_admins(&entry).map(|(_, news)| news), admins);
    assert_eq!(held_run(&entry), None);
}

#[rstest]
#[case(None)]
#[case(Some(ACTIVE))]
#[case(Some(OFF))]
#[case(Some(GONE))]
fn loop_is_told_to_all(#[case] before: Option<Status>) {
    let entry = change(before, OFF, Reason::Loop);
    let told = for_member(&entry).map(|(_, _, news)| news);
    assert_eq!(told, Some(MemberNews::Suspended { reason: Reason::Loop }));
    assert_eq!(for_admins(&entry).map(|(_, news)| news), Some(AdminNews::Loop));
}

fn leaving() -> MemberNews {
    MemberNews::Leaving { reason: Reason::NotInTeam, until: now() }
}

fn off() -> MemberNews {
    MemberNews::Suspended { reason: Reason::NotInTeam }
}

#[test]
fn a_rename_names_the_former_address() {
    let mut entry = change(None, ACTIVE, Reason::Eligible);
    let Change::Alias { renamed_from, .. } = &mut entry.change else { panic!("an alias") };
    *renamed_from = Some(address("alice-old@ubuntu.com"));
    let told = MemberNews::Renamed { from: Some(address("alice-old@ubuntu.com")) };
    assert_eq!(for_member(&entry).map(|(_, _, news)| news), Some(told));
    assert_eq!(for_admins(&entry).map(|(_, news)| news), Some(AdminNews::Created));
}

#[rstest]
#[case(RunChange::Held, Some(false))]
#[case(RunChange::Released, None)]
#[case(RunChange::Rejected, None)]
#[case(RunChange::Resent, Some(true))]
fn admins_hear_of_held_and_resent_runs(#[case] did: RunChange, #[case] is_resent: Option<bool>) {
    let (domain, run): (DomainName, _) = ("ubuntu.com".parse().unwrap(), Ulid::nil());
    let entry = entry(Change::Run { domain: domain.clone(), run, did });
    assert_eq!(held_run(&entry), is_resent.map(|is_resent| (&domain, run, is_resent)));
    assert_eq!((for_member(&entry), for_admins(&entry)), (None, None));
}

#[test]
fn what_becomes_of_a_proof_is_the_admins_business() {
    let (domain, until): (DomainName, _) = ("ubuntu.com".parse().unwrap(), Some(now()));
    let gone = entry(Change::Domain { domain: domain.clone(), did: DomainChange::RecordGone, until });
    assert_eq!(domain_change(&gone), Some((&domain, DomainChange::RecordGone, until)));
    assert_eq!((for_member(&gone), for_admins(&gone), held_run(&gone)), (None, None, None));
    assert_eq!(domain_change(&change(None, ACTIVE, Reason::Eligible)), None);
}

#[test]
fn link_is_told_to_both_members() {
    let random = CountingRandom::default();
    let (member, other) = (MemberId::new(now(), &random), MemberId::new(now(), &random));
    let link = |did| entry(Change::Link { member, other, did });
    assert_eq!(linked_members(&link(LinkChange::Linked)), Some((member, other)));
    assert_eq!(linked_members(&link(LinkChange::Unlinked)), None);
    assert_eq!((for_member(&link(LinkChange::Linked)), for_admins(&link(LinkChange::Linked))), (None, None));
}

#[test]
fn no_two_audiences_share_an_id() {
    let (one, two) = (Ulid::from_parts(1, 1), Ulid::from_parts(1, 2));
    let random = CountingRandom::default();
    let (alice, bob) = (MemberId::new(now(), &random), MemberId::new(now(), &random));
    let mut ids: Vec<_> = [one, two]
        .into_iter()
        .flat_map(|entry| {
            [
                NoticeId::to_member(entry),
                NoticeId::to_sign_in_address(entry),
                NoticeId::to_admin(entry, alice),
                NoticeId::to_admin(entry, bob),
                NoticeId::to_operators(entry),
                NoticeId::of_link(entry, alice),
                NoticeId::of_link(entry, bob),
            ]
        })
        .collect();
    ids.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    ids.dedup();
    assert_eq!(ids.len(), 14);
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

const LEASE: SignedDuration = SignedDuration::from_secs(90);

#[test]
fn the_same_error_is_mailed_once_a_day_and_the_next_mail_tells_how_many_more() {
    let state = Repeats::default();
    let (state, heard) = state.hear("one", true, now(), LEASE);
    assert_eq!(heard, Heard::Mail { counted: 0 });
    // Two at once: the second waits until the first has mailed.
    let (state, heard) = state.hear("two", true, now(), LEASE);
    assert_eq!(heard, Heard::Busy);
    let state = state.mailed("one", 0, now(), hours(24));
    assert_eq!(state.hear("one", true, now(), LEASE).1, Heard::Known);
    assert_eq!(state.hear("two", true, now(), LEASE).1, Heard::Counted);
    let (state, _) = state.hear("two", true, now() + hours(1), LEASE);
    assert_eq!(state.hear("two", true, now() + hours(1), LEASE).1, Heard::Known);
    let (state, _) = state.hear("three", true, now() + hours(23), LEASE);
    let (state, heard) = state.hear("four", true, now() + hours(24), LEASE);
    assert_eq!(heard, Heard::Mail { counted: 2 });
    let state = state.mailed("four", 2, now() + hours(24), hours(24));
    assert_eq!(state.counted, 0);
}

#[test]
fn a_mail_that_did_not_go_is_tried_again() {
    let (state, _) = Repeats::default().hear("one", true, now(), LEASE);
    assert_eq!(state.given_up().hear("one", true, now(), LEASE).1, Heard::Mail { counted: 0 });
    // Also where nobody could say so.
    assert_eq!(state.hear("one", true, now() + LEASE, LEASE).1, Heard::Mail { counted: 0 });
}

#[test]
fn without_a_mail_server_reports_are_counted_for_later() {
    let (state, heard) = Repeats::default().hear("one", false, now(), LEASE);
    assert_eq!((heard, state.counted), (Heard::Counted, 1));
    assert_eq!(state.hear("two", true, now(), LEASE).1, Heard::Mail { counted: 1 });
}

proptest! {
    /// Whatever comes when, every report is mailed itself or within the count of a mail, and none is told twice.
    #[test]
    fn no_report_is_lost_or_told_twice(reports in proptest::collection::vec((0_u8..12, 0_i64..20), 1..60)) {
        let (mut state, mut time, mut told) = (Repeats::default(), now(), 0_u64);
        let mut different = std::collections::BTreeSet::new();
        for (report, wait) in reports {
            time += hours(wait);
            let report = report.to_string();
            different.insert(report.clone());
            let (next, heard) = state.hear(&report, true, time, LEASE);
            state = next;
            if let Heard::Mail { counted } = heard {
                state = state.mailed(&report, counted, time, hours(24));
                told += 1 + counted;
            }
        }
        prop_assert_eq!(told + state.counted, different.len() as u64);
    }
}
