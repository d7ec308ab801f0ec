//! Imports into a restored table: nothing that was granted after the restore point can be granted to another member.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::types::AttributeValue;
use membermail_core::address::Address;
use membermail_core::alias::{Alias, Reason, Refusal, Status};
use membermail_core::audit::{Actor, Change, MemberChange};
use membermail_core::clock::ManualClock;
use membermail_core::random::OsRandom;
use membermail_store::{Asked, Assigned, Grant, Import, ImportReport, Member};

use crate::support::{World, address, community, minutes, name, now, observed, operator};

/// A damaged table and the one that was restored beside it.
struct Pair {
    old: World,
    new: World,
}

type Item = HashMap<String, AttributeValue>;

impl Pair {
    /// Both with what `before` makes in the old one before the restore point.
    async fn new(test: &str, before: impl AsyncFnOnce(&World)) -> Self {
        let names = ["old", "new"].map(|which| format!("{test}-{which}"));
        let (old, new) = tokio::join!(World::new(&names[0]), World::new(&names[1]));
        before(&old).await;
        for item in items(&old).await {
            new.client.put_item().table_name(&new.table).set_item(Some(item)).send().await.unwrap();
        }
        Self { old, new }
    }

    async fn import(&self, is_dry_run: bool) -> ImportReport {
        let clock = ManualClock::at(minutes(10));
        let seen = AtomicU64::new(0);
        let import = Import::new(&self.new.store, is_dry_run, ("olivia", "request-9"), &clock, &OsRandom);
        let progress = |count| {
            seen.fetch_add(count, Ordering::Relaxed);
        };
        let report = import.table(&self.old.store, &progress).await.unwrap();
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
    async fn imported(&self, text: &str) -> Alias {
        self.store.alias(&address(text)).await.unwrap().unwrap().alias
    }

    /// A wish for an address after the import.
    async fn asks(&self, member: &Member, at: &Address) -> Grant {
        let known_as = observed(at.local_part.as_str(), minutes(20));
        let asked = Asked { address: at, existing: None, known_as: &known_as, renamed_from: None, limit: 3 };
        let (community, cause) = (community(), operator(minutes(20)));
        self.store.grant(&self.sealer, member, asked, &community, cause, &OsRandom).await.unwrap()
    }
}

async fn items(world: &World) -> Vec<Item> {
    let mut pages = world.client.scan().table_name(&world.table).consistent_read(true).into_paginator().items().send();
    let mut all = Vec::new();
    while let Some(item) = pages.next().await {
        all.push(item.unwrap());
    }
    let key = |item: &Item, name: &str| item[name].as_s().unwrap().clone();
    all.sort_by_key(|item| (key(item, "pk"), key(item, "sk")));
    all
}

#[tokio::test]
async fn address_of_new_member_keeps_owner() {
    let pair = Pair::new("restore-owner", async |old| drop(old.resident("alice").await)).await;
    let (bob, granted) = pair.old.resident("bob").await;
    let before = items(&pair.old).await.len();
    let report = pair.import(false).await;
    let expected = ImportReport { examined: 2, present: 1, with_owner: 1, members: 1, ..ImportReport::default() };
    assert_eq!(report, expected);
    assert_eq!(pair.new.imported("bob@ubuntu.com").await, granted);
    // The owner signs in by the same identity, and mail goes where it went.
    let signed_in = pair.new.member("bob", "bob@mail.example").await;
    assert_eq!(signed_in.id, bob.id);
    let stored = pair.new.store.alias(&granted.address).await.unwrap().unwrap();
    let destination = stored.destination(&pair.new.sealer, &signed_in.salt).unwrap().unwrap();
    assert_eq!(destination.expose(), "bob@mail.example");
    assert_eq!(pair.new.store.member_by_name(&name("bob")).await.unwrap().map(|member| member.id), Some(bob.id));
    // Another person has the name by now.
    let other = pair.new.member("other", "other@mail.example").await;
    assert_eq!(pair.new.asks(&other, &granted.address).await, Grant::Refused(Refusal::Taken));
    assert_eq!(pair.new.asks(&signed_in, &granted.address).await, Grant::Unchanged);
    // The damaged table was read only.
    assert_eq!(items(&pair.old).await.len(), before);
}

#[tokio::test]
async fn later_address_of_known_member_keeps_owner() {
    let pair = Pair::new("restore-known", async |old| drop(old.named("bob", "bob").await)).await;
    let bob = pair.old.member("bob", "bob@mail.example").await;
    pair.old.grant(&bob, "bob@ubuntu.com").await;
    let report = pair.import(false).await;
    assert_eq!((report.with_owner, report.members), (1, 0));
    assert_eq!(pair.new.imported("bob@ubuntu.com").await.member, bob.id);
    // It counts as one of the addresses that the member can have.
    let rename = |text| {
        let pair = &pair;
        let bob = &bob;
        async move { pair.new.asks(bob, &address(text)).await }
    };
    assert!(matches!(rename("bob2@ubuntu.com").await, Grant::Created { .. }));
    assert!(matches!(rename("bob3@ubuntu.com").await, Grant::Created { .. }));
    assert_eq!(rename("bob4@ubuntu.com").await, Grant::Refused(Refusal::TooMany));
}

#[tokio::test]
async fn second_import_changes_nothing() {
    let pair = Pair::new("restore-twice", async |old| drop(old.resident("alice").await)).await;
    for resident in ["bob", "carol", "dave"] {
        pair.old.resident(resident).await;
    }
    let planned = pair.import(true).await;
    assert_eq!(pair.new.store.alias(&address("bob@ubuntu.com")).await.unwrap().map(|stored| stored.alias), None);
    let done = pair.import(false).await;
    assert_eq!((planned.clone(), done.with_owner), (done, 3));
    let before = items(&pair.new).await;
    let again = pair.import(false).await;
    assert_eq!(again, ImportReport { examined: 4, present: 4, ..ImportReport::default() });
    assert_eq!(items(&pair.new).await, before);
}

#[tokio::test]
async fn stopped_import_goes_on_at_its_cursor() {
    let pair = Pair::new("restore-cursor", async |old| drop(old.resident("alice").await)).await;
    pair.old.resident("bob").await;
    // As an import leaves it that died when all but the last segments were done.
    for segment in 0..8 {
        let cursor = [
            ("pk", AttributeValue::S(format!("RESTORE#{}", pair.old.table))),
            ("sk", AttributeValue::S(format!("SEGMENT#{segment}"))),
            ("is_done", AttributeValue::Bool(true)),
        ];
        let cursor = cursor.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        pair.new.client.put_item().table_name(&pair.new.table).set_item(Some(cursor)).send().await.unwrap();
    }
    assert_eq!(pair.import(false).await.examined, 0);
    // That one came to its end, so that the next looks at everything again.
    assert_eq!(pair.import(false).await.with_owner, 1);
}

#[tokio::test]
async fn address_without_member_becomes_tombstone() {
    let pair = Pair::new("restore-tombstone", async |_| ()).await;
    let (bob, _) = pair.old.resident("bob").await;
    // The damage: the profile is gone.
    let gone = pair.old.client.delete_item().table_name(&pair.old.table);
    let gone = gone.key("pk", AttributeValue::S(format!("MEMBER#{}", bob.id)));
    gone.key("sk", AttributeValue::S("PROFILE".into())).send().await.unwrap();
    assert_eq!(pair.import(false).await.tombstones, 1);
    let alias = pair.new.imported("bob@ubuntu.com").await;
    assert_eq!((alias.status, alias.reason), (Status::Retired, Reason::Unassigned));
    let back = pair.new.member("bob", "bob@mail.example").await;
    assert_eq!(pair.new.asks(&back, &alias.address).await, Grant::Refused(Refusal::Taken));
}

#[tokio::test]
async fn listed_address_waits_for_assignment() {
    let pair = Pair::new("restore-list", async |old| drop(old.resident("alice").await)).await;
    let all = ["alice@ubuntu.com", "bob@ubuntu.com", "_weird_@ubuntu.com"];
    let report = pair.import_addresses(&all).await;
    assert_eq!((report.examined, report.present, report.tombstones), (3, 1, 2));
    assert_eq!(pair.import_addresses(&all).await.present, 3);
    let bob = pair.new.named("bob", "bob").await;
    let at = address("bob@ubuntu.com");
    assert_eq!(pair.new.asks(&bob, &at).await, Grant::Refused(Refusal::Taken));

    let assign =
        async |at: &Address| pair.new.store.assign_alias(at, bob.id, operator(minutes(15)), &OsRandom).await.unwrap();
    let alice = pair.new.imported("alice@ubuntu.com").await.member;
    assert_eq!(assign(&address("alice@ubuntu.com")).await, Assigned::HasOwner(alice));
    assert_eq!(assign(&address("carol@ubuntu.com")).await, Assigned::NoAlias);
    assert!(matches!(assign(&at).await, Assigned::Done(_)));
    assert_eq!(assign(&at).await, Assigned::HasOwner(bob.id));
    let Grant::Changed { alias, .. } = pair.new.asks(&bob, &at).await else { panic!("not granted") };
    assert_eq!((alias.member, alias.status), (bob.id, Status::Active));
}

#[tokio::test]
async fn other_key_takes_destination_away() {
    let pair = Pair::new("restore-key", async |old| drop(old.named("bob", "bob").await)).await;
    let (bob, at) = (pair.old.member("bob", "bob@mail.example").await, address("bob@ubuntu.com"));
    pair.old.grant(&bob, "bob@ubuntu.com").await;
    // Erased and back since: what the old table sealed does not open by the key of the new one.
    let salt = AttributeValue::S(String::from(membermail_store::Salt::new(&OsRandom)));
    let update = pair.old.client.update_item().table_name(&pair.old.table);
    let update = update.key("pk", AttributeValue::S(format!("MEMBER#{}", bob.id)));
    let update = update.key("sk", AttributeValue::S("PROFILE".into())).update_expression("SET salt = :salt");
    update.expression_attribute_values(":salt", salt).send().await.unwrap();
    assert_eq!(pair.import(false).await.without_destination, 1);
    let other = pair.new.member("other", "other@mail.example").await;
    assert_eq!(pair.new.asks(&other, &at).await, Grant::Refused(Refusal::Taken));
    let bob = pair.new.read(bob.id).await;
    let Grant::Changed { alias, .. } = pair.new.asks(&bob, &at).await else { panic!("not granted") };
    let stored = pair.new.store.alias(&alias.address).await.unwrap().unwrap();
    assert!(stored.destination(&pair.new.sealer, &bob.salt).unwrap().is_some());
}

#[tokio::test]
async fn later_bans_count_and_later_pardons_wait() {
    let pair = Pair::new("restore-bans", async |old| {
        old.resident("alice").await;
        let (carol, _) = old.resident("carol").await;
        old.store.ban(carol.id, operator(now()), &OsRandom).await.unwrap();
    })
    .await;
    let ban = async |member: &Member| pair.old.store.ban(member.id, operator(minutes(1)), &OsRandom).await.unwrap();
    let member = async |word: &str| pair.old.member(word, &format!("{word}@mail.example")).await;
    let (alice, carol, eve) = (member("alice").await, member("carol").await, member("eve").await);
    assert!(ban(&alice).await && ban(&eve).await);
    assert!(pair.old.store.unban(carol.id, operator(minutes(1)), &OsRandom).await.unwrap());
    assert_eq!(pair.import(true).await.bans, 2);
    let report = pair.import(false).await;
    // Eve had signed in after the restore point, and has no address.
    assert_eq!((report.bans, report.members, report.still_banned), (2, 1, vec![carol.id]));
    assert!(pair.new.member("eve", "eve@mail.example").await.is_banned());
    assert!(pair.new.read(alice.id).await.is_banned() && pair.new.read(carol.id).await.is_banned());
    let state = pair.new.imported("alice@ubuntu.com").await;
    assert_eq!((state.status, state.reason), (Status::Suspended, Reason::Banned));
    assert_eq!(pair.import(false).await.bans, 0);
}

#[tokio::test]
async fn import_is_audited_and_notifies_nobody() {
    let pair = Pair::new("restore-audit", async |_| ()).await;
    let (bob, _) = pair.old.resident("bob").await;
    pair.import(false).await;
    pair.import_addresses(&["carol@ubuntu.com"]).await;
    let month = "2026-11";
    let entries = pair.new.store.audit(Some(&community()[0]), month).await.unwrap();
    let imported: Vec<_> = entries.iter().filter(|entry| entry.request_id == "request-9").collect();
    assert!(imported.iter().all(|entry| entry.actor == Actor::Operator && entry.by.as_deref() == Some("olivia")));
    let after = |entry: &&membermail_core::audit::Entry| match &entry.change {
        Change::Alias { before: None, after, .. } => Some(*after),
        _ => None,
    };
    let after: Vec<_> = imported.iter().filter_map(after).collect();
    assert!(after.len() == 2 && after.contains(&Status::Active) && after.contains(&Status::Retired), "{after:?}");
    let of_members = pair.new.store.audit(None, month).await.unwrap();
    assert!(
        of_members.iter().any(|entry| entry.change == Change::Member { member: bob.id, did: MemberChange::Imported })
    );
    let undelivered = pair.new.store.undelivered_before(minutes(60), 100).await.unwrap();
    assert!(undelivered.iter().all(|entry| entry.request_id != "request-9"), "{undelivered:?}");
}

#[tokio::test]
async fn conflicts_are_left_to_operators() {
    let pair = Pair::new("restore-conflict", async |old| drop(old.resident("alice").await)).await;
    let bob = pair.old.named("bob", "bob").await;
    // The damage: an address passed to another member, and data that was erased is back.
    let update = pair.old.client.update_item().table_name(&pair.old.table);
    let update = update.key("pk", AttributeValue::S("DOMAIN#ubuntu.com".into()));
    let update = update.key("sk", AttributeValue::S("ALIAS#alice".into())).update_expression("SET #m = :bob");
    let update = update.expression_attribute_names("#m", "member");
    update.expression_attribute_values(":bob", AttributeValue::S(bob.id.to_string())).send().await.unwrap();
    let alice = pair.new.imported("alice@ubuntu.com").await;
    let update = pair.old.client.update_item().table_name(&pair.old.table);
    let update = update.key("pk", AttributeValue::S(format!("MEMBER#{}", alice.member)));
    let update = update.key("sk", AttributeValue::S("PROFILE".into())).update_expression("REMOVE sign_in");
    update.send().await.unwrap();
    let report = pair.import(false).await;
    assert_eq!((report.other_owner, report.not_erased), (vec![address("alice@ubuntu.com")], vec![alice.member]));
    assert_eq!(pair.new.imported("alice@ubuntu.com").await, alice);
}
