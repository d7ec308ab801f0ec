use membermail_core::admin::Permissions;
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::Comment;
use membermail_core::language::Language;
use membermail_core::member::MemberId;
use membermail_texts::{Texts, parts};
use rstest::rstest;
use ulid::Ulid;

use super::*;

fn member() -> MemberId {
    MemberId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap()
}

fn alias(before: Option<Status>, after: Status, reason: Reason) -> Change {
    Change::Alias {
        member: member(),
        address: "alice@ubuntu.com".to_owned().try_into().unwrap(),
        before,
        after,
        reason,
        until: (after == Status::Leaving).then(|| "2026-12-08T10:00:00Z".parse().unwrap()),
        renamed_from: None,
    }
}

fn entry(actor: Actor, change: Change) -> Entry {
    Entry {
        id: Ulid::nil(),
        at: "2026-11-24T10:00:00Z".parse().unwrap(),
        actor,
        by: Some(member().to_string()),
        comment: Comment::parse("agreed with the council").ok(),
        change,
        request_id: "request-1".to_owned(),
    }
}

fn all_changes() -> Vec<Change> {
    let mut renamed = alias(None, Status::Active, Reason::Eligible);
    if let Change::Alias { renamed_from, .. } = &mut renamed {
        *renamed_from = Some("al@ubuntu.com".to_owned().try_into().unwrap());
    }
    let mut all = vec![
        renamed,
        alias(None, Status::Active, Reason::Eligible),
        alias(Some(Status::Suspended), Status::Active, Reason::Eligible),
        alias(Some(Status::Active), Status::Leaving, Reason::NotInTeam),
        alias(Some(Status::Leaving), Status::Suspended, Reason::Banned),
        alias(Some(Status::Suspended), Status::Retired, Reason::Deleted),
    ];
    let domain = || "ubuntu.com".parse().unwrap();
    let address = || "alice@ubuntu.com".to_owned().try_into().unwrap();
    let switches = [
        SwitchChange::PausedTemporarily,
        SwitchChange::PausedPermanently,
        SwitchChange::Resumed,
        SwitchChange::Redirected,
    ];
    all.extend(switches.map(|did| Change::Switch { member: member(), address: address(), did }));
    all.extend([Some(3), None].map(|limit| Change::Limit { member: member(), domain: domain(), limit }));
    let admins = [AdminChange::Added, AdminChange::Changed, AdminChange::Removed];
    let permissions = Some(Permissions::all());
    all.extend(admins.map(|did| Change::Admin { member: member(), domain: domain(), did, permissions }));
    let names = [NameChange::Reserved, NameChange::Released];
    all.extend(names.map(|did| Change::Name { domain: domain(), name: "council".parse().unwrap(), did }));
    let domains = [
        DomainChange::Verified,
        DomainChange::RecordGone,
        DomainChange::Lapsed,
        DomainChange::Restored,
        DomainChange::Unverified,
        DomainChange::Unlisted,
        DomainChange::Retiring,
        DomainChange::RetirementCancelled,
    ];
    let until = "2026-12-08T10:00:00Z".parse().ok();
    all.extend(domains.map(|did| Change::Domain { domain: domain(), did, until }));
    let runs = [RunChange::Held, RunChange::Released, RunChange::Rejected, RunChange::Resent];
    all.extend(runs.map(|did| Change::Run { domain: domain(), run: Ulid::nil(), did }));
    all
}

fn rows(language: &str, actor: Actor, by: Option<&str>, member: Option<&str>) -> Vec<String> {
    let texts = Texts::with_parts(&[parts::ADMIN, parts::AUDIT]).unwrap();
    let community = membermail_communities::community("ubuntu").unwrap();
    let wording = Wording::new(texts.translator(&[Language::parse(language).unwrap()]), &community);
    let rows =
        all_changes().into_iter().map(|change| AuditRow::new(&entry(actor, change), by, member, wording).unwrap());
    rows.map(|row| format!("{} | {} | {}", row.moment, row.who, row.what)).collect()
}

#[rstest]
fn every_change_is_described(#[values("en", "ar", "de")] language: &str) {
    let text = rows(language, Actor::Admin, Some("ada"), Some("bob")).join("\n");
    insta::assert_snapshot!(format!("admin_audit.{language}"), text);
}

#[test]
fn unknown_member_is_named_by_id() {
    let rows = rows("en", Actor::Sync, None, None);
    assert!(rows.iter().any(|row| row.contains("01ARZ3NDEKTSV4RRFFQ69G5FAV became an admin")), "{rows:?}");
    assert!(rows.iter().all(|row| row.contains("| Sync |")), "{rows:?}");
}

#[test]
fn each_kind_is_a_choice() {
    let kinds: std::collections::BTreeSet<_> = all_changes().iter().filter_map(kind).collect();
    assert_eq!(kinds, KINDS.into());
}
