//! What operators read, as it is printed.

use jiff::Timestamp;
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::audit::{
    Actor, AdminChange, Cause, Change, DomainChange, Entry, LinkChange, MemberChange, RunChange,
};
use membermail_core::member::{Fingerprint, MemberId, ObservedName};
use membermail_core::random::CountingRandom;
use ulid::Ulid;

use crate::alias::{AliasView, OneAlias, alias_table};
use crate::audit::entry_table;

fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

fn member() -> MemberId {
    MemberId::parse("01KATW4Y00ZZZZZZZZZZZZZZZZ").unwrap()
}

fn other() -> MemberId {
    MemberId::parse("01KATW4Y00YYYYYYYYYYYYYYYY").unwrap()
}

/// An alias of that member.
pub(crate) fn alias(address: &str, status: Status, reason: Reason) -> Alias {
    let until = (status == Status::Leaving).then(|| "2026-12-08T10:00:00Z".parse().unwrap());
    let address = address.to_owned().try_into().unwrap();
    let name = "alice".parse().unwrap();
    let known_as = ObservedName { name, fingerprint: Fingerprint(1_139_000_000_000_000), observed_at: now() };
    Alias { address, member: member(), known_as, status, reason, since: now(), until, version: 2, erase_pending: false }
}

#[test]
fn addresses_with_their_states() {
    let aliases: Vec<AliasView> = [
        alias("alice@ubuntu.com", Status::Active, Reason::Eligible),
        alias("alice@kubuntu.org", Status::Leaving, Reason::NotInTeam),
        alias("a@lubuntu.me", Status::Suspended, Reason::Banned),
    ]
    .map(AliasView::from)
    .to_vec();
    insta::assert_snapshot!(alias_table(&aliases));
}

#[test]
fn alias_shows_its_member_and_name() {
    let active = || alias("alice@ubuntu.com", Status::Active, Reason::Eligible);
    let own = OneAlias { alias: active().into(), linked_to: None, launchpad_name: "alice".parse().ok() };
    let survivor = MemberId::parse("01KATW4Y00YYYYYYYYYYYYYYYY").ok();
    let linked = OneAlias { alias: active().into(), linked_to: survivor, launchpad_name: "alice-new".parse().ok() };
    let unnamed = OneAlias { alias: active().into(), linked_to: None, launchpad_name: None };
    insta::assert_snapshot!([own, linked, unnamed].map(|one| one.to_string()).join("---\n"));
}

#[test]
fn the_audit_log_reads_like_a_story() {
    let random = CountingRandom::default();
    let (active, leaving) = (
        alias("alice@ubuntu.com", Status::Active, Reason::Eligible),
        alias("alice@ubuntu.com", Status::Leaving, Reason::NotInTeam),
    );
    let old = "alice-old@ubuntu.com".to_owned().try_into().unwrap();
    let domain = || "ubuntu.com".parse().unwrap();
    let (run, banned) = (Ulid::from_string("01KATW4Y00YYYYYYYYYYYYYYYY").unwrap(), MemberChange::Banned);
    let entry =
        |actor, by, change| Entry::new(change, Cause { actor, by, request_id: "request-1", now: now() }, &random);
    let entries = [
        entry(Actor::Member, None, Change::of_alias(&active, None, Some(old))),
        entry(
            Actor::DomainCheck,
            None,
            Change::Domain { domain: domain(), did: DomainChange::RecordGone, until: leaving.until },
        ),
        entry(Actor::Sync, Some("01KATW4Y00YYYYYYYYYYYYYYYY"), Change::of_alias(&leaving, Some(&active), None)),
        entry(Actor::Sync, None, Change::Run { domain: domain(), run, did: RunChange::Held }),
        entry(Actor::Operator, Some("kim"), Change::Member { member: member(), did: banned }),
        entry(Actor::Operator, Some("kim"), Change::Link { member: member(), other: other(), did: LinkChange::Linked }),
        entry(
            Actor::Operator,
            Some("kim"),
            Change::Link { member: member(), other: other(), did: LinkChange::Unlinked },
        ),
        entry(Actor::Operator, Some("kim"), Change::Limit { member: member(), domain: domain(), limit: Some(5) }),
        entry(Actor::Operator, Some("kim"), Change::Limit { member: member(), domain: domain(), limit: None }),
        entry(
            Actor::Operator,
            Some("kim"),
            Change::Admin { member: member(), domain: domain(), did: AdminChange::Added },
        ),
        entry(
            Actor::Operator,
            Some("kim"),
            Change::Admin { member: member(), domain: domain(), did: AdminChange::Removed },
        ),
    ];
    insta::assert_snapshot!(entry_table(&entries));
    assert_eq!(entry_table(&[]), "nothing happened");
}
