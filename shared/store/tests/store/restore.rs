//! Imports into a restored table: an address granted after the restore point is not granted to another member.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::types::AttributeValue;
use membermail_core::alias::{Reason, Refusal, Status};
use membermail_core::audit::{Actor, Change, MemberChange};
use membermail_core::clock::ManualClock;
use membermail_core::random::OsRandom;
use membermail_store::{Assigned, GrantOutcome, Import, ImportReport, Member};

use crate::support::{Item, World, address, minutes, name, now, operator, text, ubuntu};

/// A damaged table and its restored copy.
struct Pair {
    old: World,
    new: World,
}

impl Pair {
    /// Both tables with the items that `before` writes before the restore point.
    async fn new(before: impl AsyncFnOnce(&World)) -> Self {
        let (old, new) = tokio::join!(World::new(), World::new());
        before(&old).await;
        for item in items(&old).await {
            new.store.put_raw_item(item).await.unwrap();
        }
        Self { old, new }
    }

    async fn import(&self, is_dry_run: bool) -> ImportReport {
        let clock = ManualClock::at(minutes(10));
        let seen = AtomicU64::new(0);
        let import = Import::new(&self.new.store, is_dry_run, ("olivia", "request-9"), &clock, &OsRandom);
        let report =
            import.table(&self.old.store, &|count| _ = seen.fetch_add(count, Ordering::Relaxed)).await.unwrap();
        assert_eq!(report.examined, seen.into_inner());
        report
    }

    async fn import_addresses(&self, all: &[&str]) -> ImportReport {
        let clock = ManualClock::at(minutes(10));
        let import = Import::new(&self.new.store, false, ("olivia", "request-9"), &clock, &OsRandom);
        let all: Vec<_> = all.iter().map(|text| address(text)).collect();
        import.addresses(&all).await.unwrap()
    }
}

impl World {
    /// Requests an address after the import.
    async fn request_grant(&self, member: &Member, text: &str) -> GrantOutcome {
        self.grant_at(member, text, minutes(20), minutes(20)).await
    }
}

async fn items(world: &World) -> Vec<Item> {
    let mut all = world.store.raw_items().await.unwrap();
    all.sort_by_key(|item| ["pk", "sk"].map(|name| item[name].as_s().unwrap().clone()));
    all
}

#[tokio::test]
async fn address_of_new_member_keeps_owner() {
    let pair = Pair::new(async |old| drop(old.resident("alice").await)).await;
    let (bob, granted) = pair.old.resident("bob").await;
    let before = items(&pair.old).await.len();
    let report = pair.import(false).await;
    let expected = ImportReport { examined: 2, present: 1, with_owner: 1, members: 1, ..ImportReport::default() };
    assert_eq!(report, expected);
    assert_eq!(pair.new.alias("bob@ubuntu.com").await, granted);
    // The owner signs in with the same identity and keeps the destination.
    let signed_in = pair.new.member("bob", "bob@mail.example").await;
    assert_eq!(signed_in.id, bob.id);
    assert_eq!(pair.new.destination("bob@ubuntu.com").await.as_deref(), Some("bob@mail.example"));
    assert_eq!(pair.new.store.member_by_name(&name("bob")).await.unwrap().map(|member| member.id), Some(bob.id));
    // Another person has the name now.
    let other = pair.new.member("other", "other@mail.example").await;
    assert_eq!(pair.new.request_grant(&other, "bob@ubuntu.com").await, GrantOutcome::Refused(Refusal::Taken));
    assert_eq!(pair.new.request_grant(&signed_in, "bob@ubuntu.com").await, GrantOutcome::Unchanged);
    // The import does not write to the damaged table.
    assert_eq!(items(&pair.old).await.len(), before);
}

#[tokio::test]
async fn address_of_known_member_keeps_owner() {
    let pair = Pair::new(async |old| drop(old.named("bob", "bob").await)).await;
    let bob = pair.old.member("bob", "bob@mail.example").await;
    pair.old.grant(&bob, "bob@ubuntu.com").await;
    let report = pair.import(false).await;
    assert_eq!((report.with_owner, report.members), (1, 0));
    assert_eq!(pair.new.alias("bob@ubuntu.com").await.member, bob.id);
    // It counts towards the member's address limit.
    let rename = async |text| pair.new.request_grant(&bob, text).await;
    assert!(matches!(rename("bob2@ubuntu.com").await, GrantOutcome::Created { .. }));
    assert!(matches!(rename("bob3@ubuntu.com").await, GrantOutcome::Created { .. }));
    assert_eq!(rename("bob4@ubuntu.com").await, GrantOutcome::Refused(Refusal::TooMany));
}

#[tokio::test]
async fn second_import_changes_nothing() {
    let pair = Pair::new(async |old| drop(old.resident("alice").await)).await;
    for resident in ["bob", "carol", "dave"] {
        pair.old.resident(resident).await;
    }
    let planned = pair.import(true).await;
    assert_eq!(pair.new.find_alias("bob@ubuntu.com").await, None);
    let done = pair.import(false).await;
    assert_eq!((planned.clone(), done.with_owner), (done, 3));
    let before = items(&pair.new).await;
    let again = pair.import(false).await;
    assert_eq!(again, ImportReport { examined: 4, present: 4, ..ImportReport::default() });
    assert_eq!(items(&pair.new).await, before);
}

#[tokio::test]
async fn stopped_import_resumes_at_cursor() {
    let pair = Pair::new(async |old| drop(old.resident("alice").await)).await;
    pair.old.resident("bob").await;
    // The cursors of an import that died after all segments but the last.
    for segment in 0..8 {
        let pk = format!("RESTORE#{}", pair.old.store.name());
        let sk = format!("SEGMENT#{segment}");
        let done = AttributeValue::Bool(true);
        pair.new.change_item(&pk, &sk, |item| drop(item.insert("is_done".into(), done))).await;
    }
    assert_eq!(pair.import(false).await.examined, 0);
    // That import completed, so the next one starts again.
    assert_eq!(pair.import(false).await.with_owner, 1);
}

#[tokio::test]
async fn address_without_member_becomes_tombstone() {
    let pair = Pair::new(async |_| ()).await;
    let (bob, _) = pair.old.resident("bob").await;
    // The damage: the profile is missing.
    pair.old.delete_item(&format!("MEMBER#{}", bob.id), "PROFILE").await;
    assert_eq!(pair.import(false).await.tombstones, 1);
    let alias = pair.new.alias("bob@ubuntu.com").await;
    assert_eq!((alias.status, alias.reason), (Status::Retired, Reason::Unassigned));
    let back = pair.new.member("bob", "bob@mail.example").await;
    assert_eq!(pair.new.request_grant(&back, "bob@ubuntu.com").await, GrantOutcome::Refused(Refusal::Taken));
}

#[tokio::test]
async fn listed_address_waits_for_assignment() {
    let pair = Pair::new(async |old| drop(old.resident("alice").await)).await;
    let all = ["alice@ubuntu.com", "bob@ubuntu.com", "_weird_@ubuntu.com"];
    let report = pair.import_addresses(&all).await;
    assert_eq!((report.examined, report.present, report.tombstones), (3, 1, 2));
    assert_eq!(pair.import_addresses(&all).await.present, 3);
    let bob = pair.new.named("bob", "bob").await;
    assert_eq!(pair.new.request_grant(&bob, "bob@ubuntu.com").await, GrantOutcome::Refused(Refusal::Taken));

    let assign = async |text| {
        pair.new.store.assign_alias(&address(text), bob.id, operator(minutes(15)), &OsRandom).await.unwrap()
    };
    let alice = pair.new.alias("alice@ubuntu.com").await.member;
    assert_eq!(assign("alice@ubuntu.com").await, Assigned::HasOwner(alice));
    assert_eq!(assign("carol@ubuntu.com").await, Assigned::NoAlias);
    assert!(matches!(assign("bob@ubuntu.com").await, Assigned::Done(_)));
    assert_eq!(assign("bob@ubuntu.com").await, Assigned::HasOwner(bob.id));
    let GrantOutcome::Changed { alias, .. } = pair.new.request_grant(&bob, "bob@ubuntu.com").await else {
        panic!("not granted")
    };
    assert_eq!((alias.member, alias.status), (bob.id, Status::Active));
}

#[tokio::test]
async fn other_key_context_drops_destination() {
    let pair = Pair::new(async |old| drop(old.named("bob", "bob").await)).await;
    let bob = pair.old.member("bob", "bob@mail.example").await;
    pair.old.grant(&bob, "bob@ubuntu.com").await;
    // The member was erased and signed in again: the restored key context cannot open the later destination.
    let key_context = AttributeValue::S(String::from(membermail_store::KeyContext::new(&OsRandom)));
    let pk = format!("MEMBER#{}", bob.id);
    pair.old.change_item(&pk, "PROFILE", |item| drop(item.insert("salt".into(), key_context))).await;
    assert_eq!(pair.import(false).await.without_destination, 1);
    let other = pair.new.member("other", "other@mail.example").await;
    assert_eq!(pair.new.request_grant(&other, "bob@ubuntu.com").await, GrantOutcome::Refused(Refusal::Taken));
    let bob = pair.new.read(bob.id).await;
    let granted = pair.new.request_grant(&bob, "bob@ubuntu.com").await;
    assert!(matches!(granted, GrantOutcome::Changed { .. }), "{granted:?}");
    assert!(pair.new.destination("bob@ubuntu.com").await.is_some());
}

#[tokio::test]
async fn import_applies_bans_reports_pardons() {
    let pair = Pair::new(async |old| {
        old.resident("alice").await;
        let (carol, _) = old.resident("carol").await;
        old.store.ban(carol.id, operator(now()), &OsRandom).await.unwrap();
    })
    .await;
    let alice = pair.old.member("alice", "alice@mail.example").await;
    let carol = pair.old.member("carol", "carol@mail.example").await;
    let eve = pair.old.member("eve", "eve@mail.example").await;
    for member in [&alice, &eve] {
        assert!(pair.old.store.ban(member.id, operator(minutes(1)), &OsRandom).await.unwrap());
    }
    assert!(pair.old.store.unban(carol.id, operator(minutes(1)), &OsRandom).await.unwrap());
    assert_eq!(pair.import(true).await.bans, 2);
    let report = pair.import(false).await;
    // Eve signed in after the restore point and has no address.
    assert_eq!((report.bans, report.members, report.still_banned), (2, 1, vec![carol.id]));
    assert!(pair.new.member("eve", "eve@mail.example").await.is_banned());
    assert!(pair.new.read(alice.id).await.is_banned() && pair.new.read(carol.id).await.is_banned());
    let state = pair.new.alias("alice@ubuntu.com").await;
    assert_eq!((state.status, state.reason), (Status::Suspended, Reason::Banned));
    assert_eq!(pair.import(false).await.bans, 0);
}

#[tokio::test]
async fn import_is_audited_without_notices() {
    let pair = Pair::new(async |_| ()).await;
    let (bob, _) = pair.old.resident("bob").await;
    pair.import(false).await;
    pair.import_addresses(&["carol@ubuntu.com"]).await;
    let month = "2026-11";
    let entries = pair.new.store.audit(Some(&ubuntu()), month).await.unwrap();
    let imported: Vec<_> = entries.iter().filter(|entry| entry.request_id == "request-9").collect();
    assert!(imported.iter().all(|entry| entry.actor == Actor::Operator && entry.by.as_deref() == Some("olivia")));
    let after = imported.iter().filter_map(|entry| match &entry.change {
        Change::Alias { before: None, after, .. } => Some(*after),
        _ => None,
    });
    let after: Vec<_> = after.collect();
    assert!(after.len() == 2 && after.contains(&Status::Active) && after.contains(&Status::Retired), "{after:?}");
    let of_members = pair.new.store.audit(None, month).await.unwrap();
    let imported = Change::Member { member: bob.id, did: MemberChange::Imported };
    assert!(of_members.iter().any(|entry| entry.change == imported));
    let undelivered = pair.new.store.undelivered_before(minutes(60), 100).await.unwrap();
    assert!(undelivered.iter().all(|entry| entry.request_id != "request-9"), "{undelivered:?}");
}

#[tokio::test]
async fn conflicts_are_reported_unchanged() {
    let pair = Pair::new(async |old| drop(old.resident("alice").await)).await;
    let bob = pair.old.named("bob", "bob").await;
    // The damage: an address has another member, and erased data is back.
    let id = text(&bob.id.to_string());
    pair.old.change_item("DOMAIN#ubuntu.com", "ALIAS#alice", |item| drop(item.insert("member".into(), id))).await;
    let alice = pair.new.alias("alice@ubuntu.com").await;
    let pk = format!("MEMBER#{}", alice.member);
    pair.old.change_item(&pk, "PROFILE", |item| drop(item.remove("sign_in"))).await;
    let report = pair.import(false).await;
    assert_eq!((report.other_owner, report.not_erased), (vec![address("alice@ubuntu.com")], vec![alice.member]));
    assert_eq!(pair.new.alias("alice@ubuntu.com").await, alice);
}
