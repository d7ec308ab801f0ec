use rstest::rstest;
use ulid::Ulid;

use super::*;
use crate::address::DomainName;
use crate::alias::Reason;
use crate::audit::{DestinationChange, RunChange};
use crate::community::Rules;
use crate::destination::{Confirmation, ConfirmedBy};
use crate::random::CountingRandom;
use crate::testing::{self, ACTIVE, GONE, LEAVING, OFF, address, alias_change, entry, hours, now};

fn change(before: Option<Status>, after: Status) -> Entry {
    entry(alias_change(before, after, Reason::NotInTeam))
}

fn alias(text: &str, status: Status, since: Timestamp, version: u64) -> Alias {
    Alias { address: address(text), since, version, ..testing::alias(status, Reason::NotInTeam) }
}

#[rstest]
#[case::restored(OFF)]
#[case::back(ACTIVE)]
#[case::gone_for_good(GONE)]
fn later_change_supersedes_deletion(#[case] current: Status) {
    let deleted = entry(alias_change(Some(ACTIVE), OFF, Reason::Deleted));
    assert!(!concerns_member(&deleted, Some(&alias("alice@ubuntu.com", current, now() + hours(1), 3))));
    assert!(concerns_member(&deleted, Some(&alias("alice@ubuntu.com", OFF, now(), 2))));
}

/// Each change, and what the alias came to be later: whether the member and the admins still have to hear of the change.
#[rstest]
#[case::created_and_left(None, ACTIVE, LEAVING, false, true)]
#[case::created_and_banned(None, ACTIVE, OFF, false, false)]
#[case::created_left_and_restored(None, ACTIVE, ACTIVE, true, true)]
#[case::returned_and_banned(Some(GONE), ACTIVE, OFF, false, false)]
#[case::returned_left_and_restored(Some(GONE), ACTIVE, ACTIVE, true, true)]
#[case::left_and_restored(Some(ACTIVE), LEAVING, ACTIVE, false, false)]
#[case::left_and_ended(Some(ACTIVE), LEAVING, OFF, false, false)]
#[case::left_and_left_again(Some(ACTIVE), LEAVING, LEAVING, false, false)]
#[case::restored_and_left(Some(LEAVING), ACTIVE, LEAVING, false, false)]
#[case::restored_and_restored_again(Some(LEAVING), ACTIVE, ACTIVE, false, false)]
#[case::back_and_left(Some(OFF), ACTIVE, LEAVING, false, true)]
#[case::back_and_off_again(Some(OFF), ACTIVE, OFF, false, false)]
#[case::ended_and_restored(Some(LEAVING), OFF, ACTIVE, false, false)]
#[case::ended_and_off_for_another_reason(Some(LEAVING), OFF, OFF, false, true)]
#[case::ended_and_retired(Some(LEAVING), OFF, GONE, true, true)]
fn later_change_supersedes_notice(
    #[case] before: Option<Status>,
    #[case] after: Status,
    #[case] current: Status,
    #[case] member: bool,
    #[case] admins: bool,
) {
    let entry = change(before, after);
    let later = alias("alice@ubuntu.com", current, now() + hours(1), 3);
    assert_eq!(concerns_member(&entry, Some(&later)), member);
    assert_eq!(concerns_admins(&entry, Some(&later)), admins);
    // Without a later change, every notice is relevant.
    let same = alias("alice@ubuntu.com", after, now(), 2);
    for current in [Some(&same), None] {
        assert_eq!(concerns_member(&entry, current), for_member(&entry).is_some());
        assert_eq!(concerns_admins(&entry, current), for_admins(&entry).is_some());
    }
}

#[rstest]
#[case(hours(0), false)]
#[case(hours(7 * 24), false)]
#[case(hours(7 * 24) + SignedDuration::from_secs(1), true)]
#[case(hours(60 * 24), true)]
// The clock of another function was ahead.
#[case(hours(-1), false)]
fn notice_expires_after_a_week(#[case] age: SignedDuration, #[case] expired: bool) {
    let left = change(Some(ACTIVE), LEAVING);
    assert_eq!(is_outdated(&left, now() + age), expired);
    let held = entry(Change::Run { domain: "ubuntu.com".parse().unwrap(), run: Ulid::nil(), did: RunChange::Held });
    assert!(!is_outdated(&held, now() + age), "an admin still has to decide");
}

#[rstest]
#[case(DomainChange::Verified, [true, true, false, false, false])]
#[case(DomainChange::Restored, [true, true, false, false, false])]
#[case(DomainChange::RecordGone, [false, false, true, false, false])]
#[case(DomainChange::Lapsed, [false, false, false, true, false])]
#[case(DomainChange::Unverified, [false, false, false, false, true])]
fn domain_notice_describes_current_proof(#[case] did: DomainChange, #[case] expected: [bool; 5]) {
    let since = now();
    let proofs = [
        Proof::Operator { since },
        Proof::Verified { since },
        Proof::Lapsing { since, gone_since: now() },
        Proof::Lapsed { gone_since: now() },
        Proof::Pending,
    ];
    assert_eq!(proofs.map(|proof| concerns_domain(did, now(), &proof, None)), expected);
}

#[rstest]
#[case::missing_from_file(DomainChange::Unlisted, [true, false, false])]
#[case::retired(DomainChange::Retiring, [false, true, false])]
#[case::cancelled(DomainChange::RetirementCancelled, [true, false, true])]
fn domain_notice_describes_current_retirement(#[case] did: DomainChange, #[case] expected: [bool; 3]) {
    let retiring = Retirement::new(now(), &Rules::default(), None);
    let cancelled = Retirement { cancelled: Some(now()), ..retiring.clone() };
    let proof = Proof::Verified { since: now() };
    let retirements = [None, Some(&retiring), Some(&cancelled)];
    assert_eq!(retirements.map(|retirement| concerns_domain(did, now(), &proof, retirement)), expected);
}

#[test]
fn earlier_loss_of_record_is_superseded() {
    let again = Proof::Lapsing { since: now(), gone_since: now() + hours(2) };
    assert!(!concerns_domain(DomainChange::RecordGone, now(), &again, None));
    assert!(concerns_domain(DomainChange::RecordGone, now() + hours(2), &again, None));
}

#[rstest]
#[case::forwards(&[("old@ubuntu.com", ACTIVE, -9, 1)], Some("old@ubuntu.com"))]
#[case::ends_later(&[("old@ubuntu.com", LEAVING, -9, 2)], Some("old@ubuntu.com"))]
#[case::is_off(&[("old@ubuntu.com", OFF, -9, 2)], None)]
#[case::is_retired(&[("old@ubuntu.com", GONE, -9, 3)], None)]
#[case::latest(&[("old@ubuntu.com", ACTIVE, -9, 1), ("older@ubuntu.com", ACTIVE, -20, 1)], Some("old@ubuntu.com"))]
#[case::latest_is_off(&[("old@ubuntu.com", OFF, -9, 2), ("older@ubuntu.com", ACTIVE, -20, 1)], Some("older@ubuntu.com"))]
#[case::other_domain(&[("old@kubuntu.org", ACTIVE, -9, 1)], None)]
#[case::itself(&[("alice@ubuntu.com", ACTIVE, 0, 1)], None)]
#[case::created_later(&[("newer@ubuntu.com", ACTIVE, 1, 1), ("old@ubuntu.com", ACTIVE, -9, 1)], Some("old@ubuntu.com"))]
#[case::restored_later(&[("old@ubuntu.com", ACTIVE, 1, 3)], Some("old@ubuntu.com"))]
fn rename_mentions_last_forwarding_address(
    #[case] aliases: &[(&str, Status, i64, u64)],
    #[case] expected: Option<&str>,
) {
    let entry = change(None, ACTIVE);
    let aliases: Vec<_> = aliases
        .iter()
        .map(|(text, status, since, version)| alias(text, *status, now() + hours(*since), *version))
        .collect();
    assert_eq!(former_address(&entry, &aliases), expected.map(address).as_ref());
}

#[test]
fn only_alias_changes_have_former_addresses() {
    let domain: DomainName = "ubuntu.com".parse().unwrap();
    let verified = entry(Change::Domain { domain, did: DomainChange::Verified, until: None });
    assert_eq!(former_address(&verified, &[alias("old@ubuntu.com", ACTIVE, now(), 1)]), None);
}

/// A destination that was confirmed this many hours before [`now`].
fn confirmed(hours_before: i64) -> Destination {
    let at = now() - hours(hours_before);
    let mut destination = Destination::new(DestinationId::new(at, &CountingRandom::default()), false, at);
    destination.confirmed = Some(Confirmation { at, by: ConfirmedBy::Code });
    destination
}

fn requested() -> (Entry, Destination) {
    let mut destination = Destination::new(DestinationId::new(now(), &CountingRandom::default()), false, now());
    destination.pending =
        Some(Pending { id: Ulid::nil(), requested_at: now(), attempts: 0, epoch: 3, replaces: false });
    let [member] = testing::members();
    let did = DestinationChange::Requested;
    (entry(Change::Destination { member, destination: destination.id, did }), destination)
}

#[test]
fn code_of_open_request_is_sent() {
    let (entry, destination) = requested();
    assert_eq!(open_request(&entry, &destination, 3, now()), destination.pending.as_ref());
}

#[rstest]
#[case::sessions_ended(|_: &mut Destination| {}, 4, 0)]
#[case::late(|_: &mut Destination| {}, 3, 30)]
#[case::requested_again(|known: &mut Destination| pending(known).requested_at = now() + SignedDuration::from_secs(1), 3, 1)]
#[case::guessed(|known: &mut Destination| pending(known).attempts = 5, 3, 1)]
#[case::removed(|known: &mut Destination| known.removed = Some(now()), 3, 1)]
#[case::confirmed(|known: &mut Destination| known.confirmed = confirmed(0).confirmed, 3, 1)]
#[case::nothing_pending(|known: &mut Destination| known.pending = None, 3, 1)]
fn code_of_superseded_request_is_not_sent(
    #[case] change: fn(&mut Destination),
    #[case] epoch: u64,
    #[case] minutes: i64,
) {
    let (entry, mut destination) = requested();
    change(&mut destination);
    assert_eq!(open_request(&entry, &destination, epoch, now() + SignedDuration::from_mins(minutes)), None);
}

fn pending(destination: &mut Destination) -> &mut Pending {
    destination.pending.as_mut().unwrap()
}

#[rstest]
#[case::usable(None, true, true)]
#[case::never_confirmed(None, false, false)]
#[case::removed(Some(71), true, true)]
#[case::removed_long_ago(Some(72), true, false)]
#[case::removed_unconfirmed(Some(1), false, false)]
fn removed_destination_hears_for_72_hours(
    #[case] removed: Option<i64>,
    #[case] is_confirmed: bool,
    #[case] expected: bool,
) {
    let mut destination = confirmed(100);
    destination.removed = removed.map(|before| now() - hours(before));
    destination.confirmed = destination.confirmed.filter(|_| is_confirmed);
    assert_eq!(hears_of_changes(&destination, now()), expected);
}

/// Destinations by the hours since their confirmation: those that can revert a change.
#[rstest]
#[case::old_and_new(&[100, 1], &[100])]
#[case::all_old(&[100, 72], &[100, 72])]
#[case::all_new(&[1, 9, 71], &[71])]
#[case::only_one(&[0], &[0])]
#[case::none(&[], &[])]
fn established_destinations_can_revert(#[case] ages: &[i64], #[case] expected: &[i64]) {
    let known: Vec<_> = ages.iter().map(|age| confirmed(*age)).collect();
    let ids = expected.iter().map(|age| confirmed(*age).id).collect::<Vec<_>>();
    assert_eq!(can_revert(&known, now()), ids);
}

#[test]
fn unconfirmed_destination_cannot_revert() {
    let (_, unconfirmed) = requested();
    assert!(can_revert([&unconfirmed], now()).is_empty());
}
