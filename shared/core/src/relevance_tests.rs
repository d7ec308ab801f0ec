use rstest::rstest;
use ulid::Ulid;

use super::*;
use crate::address::DomainName;
use crate::alias::Reason;
use crate::audit::{Actor, Cause, RunChange};
use crate::community::Rules;
use crate::member::{Fingerprint, LaunchpadName, MemberId, ObservedName};
use crate::random::CountingRandom;

fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn address(text: &str) -> Address {
    text.to_owned().try_into().unwrap()
}

fn entry(change: Change) -> Entry {
    let cause = Cause { actor: Actor::Sync, by: None, request_id: "request-1", now: now() };
    Entry::new(change, cause, &CountingRandom::default())
}

fn change(before: Option<Status>, after: Status, renamed_from: Option<Address>) -> Entry {
    let member = MemberId::new(now(), &CountingRandom::default());
    let (reason, until) = (Reason::NotInTeam, Some(now()));
    entry(Change::Alias { member, address: address("alice@ubuntu.com"), before, after, reason, until, renamed_from })
}

fn alias(text: &str, status: Status, since: Timestamp, version: u64) -> Alias {
    let name = LaunchpadName::parse("alice").unwrap();
    Alias {
        address: address(text),
        member: MemberId::new(now(), &CountingRandom::default()),
        known_as: ObservedName { name, fingerprint: Fingerprint(1), observed_at: now() },
        status,
        reason: Reason::NotInTeam,
        since,
        until: None,
        version,
        erase_pending: false,
    }
}

const ACTIVE: Status = Status::Active;
const LEAVING: Status = Status::Leaving;
const OFF: Status = Status::Suspended;
const GONE: Status = Status::Retired;

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
    let entry = change(before, after, None);
    let later = alias("alice@ubuntu.com", current, now() + hours(1), 3);
    assert_eq!(concerns_member(&entry, Some(&later)), member);
    assert_eq!(concerns_admins(&entry, Some(&later)), admins);
    // What has not changed since is told to all whom it concerns.
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
    let left = change(Some(ACTIVE), LEAVING, None);
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
    let concerns = |retirement| concerns_domain(did, now(), &Proof::Verified { since: now() }, retirement);
    assert_eq!([None, Some(&retiring), Some(&cancelled)].map(concerns), expected);
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
    let entry = change(None, ACTIVE, Some(address("older@ubuntu.com")));
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
