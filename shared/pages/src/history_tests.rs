use membermail_core::address::Address;
use membermail_core::audit::{DomainChange, RunChange};
use membermail_core::community::Community;
use membermail_core::member::MemberId;
use membermail_texts::Texts;
use strum::IntoEnumIterator;
use ulid::Ulid;

use super::*;

fn community() -> Community {
    serde_json::from_value(serde_json::json!({
        "title": "Ubuntu",
        "help": "https://help.example.org/",
        "code-of-conduct": "https://launchpad.net/codeofconduct",
        "sign-in": {
            "protocol": "openid-2.0",
            "title": "Ubuntu One",
            "endpoint": "https://login.example.org/+openid",
            "identifier-root": "https://login.example.org/+id/",
        },
        "members": {
            "source": "launchpad",
            "api": "https://api.example.org/",
            "identifier-roots": ["https://login.example.org/+id/"],
        },
        "domains": [],
    }))
    .unwrap()
}

fn member() -> MemberId {
    MemberId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap()
}

fn address(text: &str) -> Address {
    text.to_owned().try_into().unwrap()
}

fn entry(actor: Actor, change: Change) -> Entry {
    Entry {
        id: Ulid::nil(),
        at: "2026-11-24T10:00:00Z".parse().unwrap(),
        actor,
        by: Some("olivia".to_owned()),
        comment: None,
        change,
        request_id: "request-1".to_owned(),
    }
}

fn alias(before: Option<Status>, after: Status, reason: Reason) -> Change {
    Change::Alias {
        member: member(),
        address: address("alice@ubuntu.com"),
        before,
        after,
        reason,
        until: (after == Status::Leaving).then(|| "2026-12-08T10:00:00Z".parse().unwrap()),
        renamed_from: None,
    }
}

fn all_changes() -> Vec<Change> {
    let [known, unknown] = [1, 2].map(destination);
    let mut all = vec![
        alias(None, Status::Active, Reason::Eligible),
        alias(Some(Status::Suspended), Status::Active, Reason::Eligible),
        alias(Some(Status::Active), Status::Leaving, Reason::NotInTeam),
        alias(Some(Status::Active), Status::Suspended, Reason::Banned),
        alias(Some(Status::Active), Status::Suspended, Reason::Deleted),
        alias(Some(Status::Suspended), Status::Suspended, Reason::Returning),
        alias(Some(Status::Suspended), Status::Retired, Reason::Deleted),
    ];
    if let Change::Alias { renamed_from, .. } = &mut all[0] {
        *renamed_from = Some(address("al@ubuntu.com"));
    }
    all.push(alias(None, Status::Active, Reason::Eligible));
    for did in [
        SwitchChange::PausedTemporarily,
        SwitchChange::PausedPermanently,
        SwitchChange::Resumed,
        SwitchChange::Redirected,
        SwitchChange::RestoreRequested,
    ] {
        all.push(Change::Switch { member: member(), address: address("alice@ubuntu.com"), did });
    }
    for (destination, did) in [
        (known, DestinationChange::Requested),
        (known, DestinationChange::Confirmed),
        (known, DestinationChange::Reverted),
        (unknown, DestinationChange::Removed),
    ] {
        all.push(Change::Destination { member: member(), destination, did });
    }
    for did in [
        MemberChange::Banned,
        MemberChange::Unbanned,
        MemberChange::Erased,
        MemberChange::Imported,
        MemberChange::SessionsEnded,
        MemberChange::Exported,
    ] {
        all.push(Change::Member { member: member(), did });
    }
    for did in [LinkChange::Linked, LinkChange::Unlinked] {
        all.push(Change::Link { member: member(), other: member(), did });
    }
    for did in [IdentityChange::Added, IdentityChange::Removed] {
        all.push(Change::Identity { member: member(), issuer: "https://gitlab.example.org".into(), did });
    }
    for limit in [Some(3), None] {
        all.push(Change::Limit { member: member(), domain: "ubuntu.com".parse().unwrap(), limit });
    }
    for did in [AdminChange::Added, AdminChange::Changed, AdminChange::Removed] {
        all.push(Change::Admin { member: member(), domain: "ubuntu.com".parse().unwrap(), did, permissions: None });
    }
    all
}

fn destination(number: u64) -> DestinationId {
    DestinationId::parse(&Ulid::from_parts(number, 0).to_string()).unwrap()
}

fn in_words(entry: &Entry, language: &str) -> Option<String> {
    let texts = Texts::load().unwrap();
    let community = community();
    let wording =
        Wording::new(texts.translator(&[membermail_core::language::Language::parse(language).unwrap()]), &community);
    let mailboxes = [(destination(1), EmailAddress::parse("alice@mail.example").unwrap())].into();
    let row = HistoryRow::new(entry, &mailboxes, wording)?;
    Some(format!("{} | {} | {}", row.moment, row.who, row.what))
}

#[test]
fn every_change_is_described() {
    for language in ["en", "ar", "de"] {
        let mut text = String::new();
        for change in all_changes() {
            text.push_str(&in_words(&entry(Actor::Member, change), language).unwrap());
            text.push('\n');
        }
        insta::assert_snapshot!(format!("every_change_is_described.{language}"), text);
    }
}

#[test]
fn operator_is_not_named() {
    let change = Change::Member { member: member(), did: MemberChange::Banned };
    let text = in_words(&entry(Actor::Operator, change.clone()), "en").unwrap();
    assert!(text.contains("An operator") && !text.contains("olivia"), "{text}");
    for actor in [Actor::Sync, Actor::DomainCheck] {
        assert!(!in_words(&entry(actor, change.clone()), "en").unwrap().contains("history-"));
    }
}

#[test]
fn every_reason_has_words() {
    for reason in Reason::iter() {
        for status in [Status::Leaving, Status::Suspended, Status::Retired] {
            let text = in_words(&entry(Actor::Sync, alias(Some(Status::Active), status, reason)), "ar").unwrap();
            assert!(!text.contains("reason-") && !text.contains("history-"), "{text}");
        }
    }
}

#[test]
fn changes_of_domains_are_left_out() {
    let domain = || "ubuntu.com".parse().unwrap();
    let changes = [
        Change::Domain { domain: domain(), did: DomainChange::Verified, until: None },
        Change::Run { domain: domain(), run: Ulid::nil(), did: RunChange::Held },
    ];
    for change in changes {
        assert_eq!(in_words(&entry(Actor::Operator, change), "en"), None);
    }
}
