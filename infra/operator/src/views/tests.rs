//! Snapshots of the shared views, and test data for other views.

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::admin::{Permission, Permissions};
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::audit::{
    Actor, AdminChange, Cause, Change, DomainChange, Entry, IdentityChange, LinkChange, MemberChange, NameChange,
    RunChange,
};
use membermail_core::member::{Fingerprint, MemberId, ObservedName};
use membermail_core::random::CountingRandom;
use ulid::Ulid;

use super::alias::{AliasDetails, AliasView, alias_table};
use super::audit::entry_table;

fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

fn member() -> MemberId {
    MemberId::parse("01KATW4Y00ZZZZZZZZZZZZZZZZ").unwrap()
}

fn other() -> MemberId {
    MemberId::parse("01KATW4Y00YYYYYYYYYYYYYYYY").unwrap()
}

/// An alias of [`member`].
pub(crate) fn alias(address: &str, status: Status, reason: Reason) -> Alias {
    let until = (status == Status::Leaving).then(|| "2026-12-08T10:00:00Z".parse().unwrap());
    let address = address.to_owned().try_into().unwrap();
    let name = "alice".parse().unwrap();
    let known_as = ObservedName { name, fingerprint: Fingerprint(1_139_000_000_000_000), observed_at: now() };
    Alias { address, member: member(), known_as, status, reason, since: now(), until, version: 2, erase_pending: false }
}

#[test]
fn aliases_with_status() {
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
fn alias_shows_member_and_name() {
    let alias = AliasView::from(alias("alice@ubuntu.com", Status::Active, Reason::Eligible));
    let own = AliasDetails { alias: alias.clone(), linked_to: None, source_name: "alice".parse().ok() };
    let survivor = MemberId::parse("01KATW4Y00YYYYYYYYYYYYYYYY").ok();
    let linked = AliasDetails { alias: alias.clone(), linked_to: survivor, source_name: "alice-new".parse().ok() };
    let unnamed = AliasDetails { alias, linked_to: None, source_name: None };
    insta::assert_snapshot!([own, linked, unnamed].map(|details| details.to_string()).join("---\n"));
}

#[test]
fn audit_entries_in_words() {
    let random = CountingRandom::default();
    let active = alias("alice@ubuntu.com", Status::Active, Reason::Eligible);
    let leaving = alias("alice@ubuntu.com", Status::Leaving, Reason::NotInTeam);
    let old = "alice-old@ubuntu.com".to_owned().try_into().unwrap();
    let domain: DomainName = "ubuntu.com".parse().unwrap();
    let run = Ulid::from_string("01KATW4Y00YYYYYYYYYYYYYYYY").unwrap();
    let record_gone = Change::Domain { domain: domain.clone(), did: DomainChange::RecordGone, until: leaving.until };
    let held = Change::Run { domain: domain.clone(), run, did: RunChange::Held };
    let changes = [
        (Actor::Member, None, Change::of_alias(&active, None, Some(old))),
        (Actor::DomainCheck, None, record_gone),
        (Actor::Sync, Some("01KATW4Y00YYYYYYYYYYYYYYYY"), Change::of_alias(&leaving, Some(&active), None)),
        (Actor::Sync, None, held),
    ];
    let member = member();
    let other = other();
    let admin = |did, permissions| Change::Admin { member, domain: domain.clone(), did, permissions };
    let by_kim = [
        Change::Member { member, did: MemberChange::Banned },
        Change::Link { member, other, did: LinkChange::Linked },
        Change::Link { member, other, did: LinkChange::Unlinked },
        Change::Identity { member, issuer: "https://gitlab.example.org".into(), did: IdentityChange::Removed },
        Change::Limit { member, domain: domain.clone(), limit: Some(5) },
        Change::Limit { member, domain: domain.clone(), limit: None },
        admin(AdminChange::Added, Some(Permissions::all())),
        admin(AdminChange::Changed, Some([Permission::Decide].into_iter().collect())),
        admin(AdminChange::Removed, None),
        Change::Name { domain: domain.clone(), name: "council".parse().unwrap(), did: NameChange::Reserved },
        Change::Name { domain: domain.clone(), name: "council".parse().unwrap(), did: NameChange::Released },
    ];
    let by_kim = by_kim.map(|change| (Actor::Operator, Some("kim"), change));
    let entries: Vec<_> = changes
        .into_iter()
        .chain(by_kim)
        .map(|(actor, by, change)| {
            Entry::new(change, Cause { actor, by, request_id: "request-1", now: now() }, &random)
        })
        .collect();
    insta::assert_snapshot!(entry_table(&entries));
    assert_eq!(entry_table(&[]), "no entries");
}
