use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::admin::Permission::{self, Ban, View};
use crate::random::CountingRandom;
use crate::testing::{ACTIVE, GONE, LEAVING, OFF, address, alias_change, entry, hours, members, now};

fn change(before: Option<Status>, after: Status, reason: Reason) -> Entry {
    entry(alias_change(before, after, reason))
}

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
fn each_transition_has_notices(
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
fn loop_notifies_member_and_admins(#[case] before: Option<Status>) {
    let entry = change(before, OFF, Reason::Loop);
    let news = for_member(&entry).map(|(_, _, news)| news);
    assert_eq!(news, Some(MemberNews::Suspended { reason: Reason::Loop }));
    assert_eq!(for_admins(&entry).map(|(_, news)| news), Some(AdminNews::Loop));
}

fn leaving() -> MemberNews {
    MemberNews::Leaving { reason: Reason::NotInTeam, until: now() }
}

fn off() -> MemberNews {
    MemberNews::Suspended { reason: Reason::NotInTeam }
}

#[test]
fn rename_names_former_address() {
    let mut entry = change(None, ACTIVE, Reason::Eligible);
    let Change::Alias { renamed_from, .. } = &mut entry.change else { panic!("an alias") };
    *renamed_from = Some(address("alice-old@ubuntu.com"));
    let renamed = MemberNews::Renamed { from: Some(address("alice-old@ubuntu.com")) };
    assert_eq!(for_member(&entry).map(|(_, _, news)| news), Some(renamed));
    assert_eq!(for_admins(&entry).map(|(_, news)| news), Some(AdminNews::Created));
}

#[rstest]
#[case(RunChange::Held, Some(false))]
#[case(RunChange::Released, None)]
#[case(RunChange::Rejected, None)]
#[case(RunChange::Resent, Some(true))]
fn held_and_resent_runs_notify_admins(#[case] did: RunChange, #[case] is_resent: Option<bool>) {
    let domain: DomainName = "ubuntu.com".parse().unwrap();
    let run = Ulid::nil();
    let entry = entry(Change::Run { domain: domain.clone(), run, did });
    assert_eq!(held_run(&entry), is_resent.map(|is_resent| (&domain, run, is_resent)));
    assert_eq!((for_member(&entry), for_admins(&entry)), (None, None));
}

#[test]
fn admins_get_all_domain_changes() {
    let domain: DomainName = "ubuntu.com".parse().unwrap();
    let until = Some(now());
    let gone = entry(Change::Domain { domain: domain.clone(), did: DomainChange::RecordGone, until });
    assert_eq!(domain_change(&gone), Some((&domain, DomainChange::RecordGone, until)));
    assert_eq!((for_member(&gone), for_admins(&gone), held_run(&gone)), (None, None, None));
    assert_eq!(domain_change(&change(None, ACTIVE, Reason::Eligible)), None);
}

#[test]
fn link_notifies_both_members() {
    let [member, other] = members();
    let linked = entry(Change::Link { member, other, did: LinkChange::Linked });
    assert_eq!(linked_members(&linked), Some((member, other)));
    assert_eq!((for_member(&linked), for_admins(&linked)), (None, None));
    assert_eq!(linked_members(&entry(Change::Link { member, other, did: LinkChange::Unlinked })), None);
}

#[test]
fn deletion_tells_until_when_to_restore() {
    let deleted = change(Some(ACTIVE), OFF, Reason::Deleted);
    assert_eq!(for_member(&deleted).map(|(_, _, news)| news), Some(MemberNews::Deleted { until: now() }));
    assert_eq!(for_admins(&deleted).map(|(_, news)| news), Some(AdminNews::Removed(Reason::Deleted)));
    // The check that follows a restoration has its own notice.
    assert_eq!(for_member(&change(Some(OFF), OFF, Reason::Returning)), None);
}

fn destination() -> DestinationId {
    DestinationId::new(now(), &CountingRandom::default())
}

#[rstest]
#[case(DestinationChange::Requested, DestinationNews::Requested(destination()))]
#[case(DestinationChange::Confirmed, DestinationNews::Confirmed(destination()))]
#[case(DestinationChange::Removed, DestinationNews::Removed(destination()))]
#[case(DestinationChange::Reverted, DestinationNews::Reverted)]
fn destinations_hear_of_their_changes(#[case] did: DestinationChange, #[case] news: DestinationNews) {
    let [member] = members();
    let changed = entry(Change::Destination { member, destination: destination(), did });
    assert_eq!(for_destinations(&changed), Some((member, news)));
    assert_eq!((for_member(&changed), for_admins(&changed)), (None, None));
}

#[rstest]
#[case::redirected(SwitchChange::Redirected, true)]
#[case::paused(SwitchChange::PausedTemporarily, false)]
#[case::paused_permanently(SwitchChange::PausedPermanently, false)]
#[case::resumed(SwitchChange::Resumed, false)]
fn destinations_hear_of_redirections_only(#[case] did: SwitchChange, #[case] is_told: bool) {
    let [member] = members();
    let address = address("alice@ubuntu.com");
    let changed = entry(Change::Switch { member, address: address.clone(), did });
    let news = is_told.then_some((member, DestinationNews::Redirected(address)));
    assert_eq!(for_destinations(&changed), news);
    assert_eq!((for_member(&changed), for_admins(&changed)), (None, None));
}

#[test]
fn failing_notices_have_weekly_ids() {
    let id = |hours_later| NoticeId::of_failing(destination(), None, now() + hours(hours_later));
    assert_eq!(id(0), id(1));
    assert_ne!(id(0), id(7 * 24));
    assert_ne!(id(0), NoticeId::of_failing(destination(), Some(destination()), now()));
}

#[test]
fn notice_ids_differ_by_audience() {
    let [alice, bob] = members();
    let ids = [Ulid::from_parts(1, 1), Ulid::from_parts(1, 2)].map(|entry| {
        [
            NoticeId::to_member(entry),
            NoticeId::to_sign_in_address(entry),
            NoticeId::to_admin(entry, alice),
            NoticeId::to_admin(entry, bob),
            NoticeId::to_operators(entry),
            NoticeId::of_link(entry, alice),
            NoticeId::of_link(entry, bob),
            NoticeId::of_code(entry),
            NoticeId::to_destination(entry, destination()),
            NoticeId::of_test(entry),
        ]
    });
    assert_eq!(ids.as_flattened().iter().collect::<HashSet<_>>().len(), 20);
}

const LEASE: SignedDuration = SignedDuration::from_secs(90);

#[test]
fn same_error_is_mailed_once_daily() {
    let state = Repeats::default();
    let (state, action) = state.register("one", true, now(), LEASE);
    assert_eq!(action, ReportAction::Mail { counted: 0 });
    // Two at once: the second waits until the first has mailed.
    let (state, action) = state.register("two", true, now(), LEASE);
    assert_eq!(action, ReportAction::Busy);
    let state = state.mailed("one", 0, now(), hours(24));
    assert_eq!(state.register("one", true, now(), LEASE).1, ReportAction::Known);
    assert_eq!(state.register("two", true, now(), LEASE).1, ReportAction::Counted);
    let (state, _) = state.register("two", true, now() + hours(1), LEASE);
    assert_eq!(state.register("two", true, now() + hours(1), LEASE).1, ReportAction::Known);
    let (state, _) = state.register("three", true, now() + hours(23), LEASE);
    let (state, action) = state.register("four", true, now() + hours(24), LEASE);
    assert_eq!(action, ReportAction::Mail { counted: 2 });
    let state = state.mailed("four", 2, now() + hours(24), hours(24));
    assert_eq!(state.counted, 0);
}

#[test]
fn unsent_report_is_retried() {
    let (state, _) = Repeats::default().register("one", true, now(), LEASE);
    assert_eq!(state.given_up().register("one", true, now(), LEASE).1, ReportAction::Mail { counted: 0 });
    // Also after the lease expired without a confirmation.
    assert_eq!(state.register("one", true, now() + LEASE, LEASE).1, ReportAction::Mail { counted: 0 });
}

#[test]
fn reports_are_counted_without_mail_server() {
    let (state, action) = Repeats::default().register("one", false, now(), LEASE);
    assert_eq!((action, state.counted), (ReportAction::Counted, 1));
    assert_eq!(state.register("two", true, now(), LEASE).1, ReportAction::Mail { counted: 1 });
}

proptest! {
    /// Every report is mailed or counted in a mail, exactly once.
    #[test]
    fn every_report_is_mailed_once(reports in proptest::collection::vec((0_u8..12, 0_i64..20), 1..60)) {
        let mut state = Repeats::default();
        let mut time = now();
        let mut reported = 0_u64;
        let mut different = BTreeSet::new();
        for (report, wait) in reports {
            time += hours(wait);
            let report = report.to_string();
            different.insert(report.clone());
            let (next, action) = state.register(&report, true, time, LEASE);
            state = next;
            if let ReportAction::Mail { counted } = action {
                state = state.mailed(&report, counted, time, hours(24));
                reported += 1 + counted;
            }
        }
        prop_assert_eq!(reported + state.counted, different.len() as u64);
    }
}

fn may(permissions: &[Permission]) -> Permissions {
    permissions.iter().copied().collect()
}

/// A notice that is late does not tell what is no longer so.
#[rstest]
#[case::appointed(AdminChange::Added, Some(may(&[Ban])), Some(may(&[Ban])), Some(RoleNews::Appointed(may(&[Ban]))))]
#[case::appointed_and_changed(AdminChange::Added, Some(may(&[Ban])), Some(may(&[View])), None)]
#[case::appointed_and_removed(AdminChange::Added, Some(may(&[Ban])), None, None)]
#[case::changed(AdminChange::Changed, Some(may(&[View])), Some(may(&[View])), Some(RoleNews::Changed(may(&[View]))))]
#[case::changed_again(AdminChange::Changed, Some(may(&[View])), Some(may(&[Ban])), None)]
#[case::removed(AdminChange::Removed, None, None, Some(RoleNews::Removed))]
#[case::removed_and_back(AdminChange::Removed, None, Some(may(&[View])), None)]
fn role_news_are_current(
    #[case] did: AdminChange,
    #[case] permissions: Option<Permissions>,
    #[case] bound: Option<Permissions>,
    #[case] expected: Option<RoleNews>,
) {
    let [member] = members();
    let change = entry(Change::Admin { member, domain: "ubuntu.com".parse().unwrap(), did, permissions });
    assert_eq!(role_news(&change, bound), expected);
}
