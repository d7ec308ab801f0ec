//! The export has everything that is stored about a member, and nothing of others.

use std::collections::BTreeSet;

use membermail_core::admin::Permissions;
use membermail_core::alias::Refusal;
use membermail_core::audit::{Change, MemberChange};
use membermail_core::eligibility::Outcome;
use membermail_core::language::Language;
use membermail_core::random::OsRandom;
use membermail_store::{Export, Member, Sealer};
use serde_json::{Value, json};
use ulid::Ulid;

use crate::destinations::ALICE;
use crate::support::{World, address, kubuntu, minutes, now, operator, ubuntu};

/// E-mail addresses of the member that [`World::with_everything`] makes.
pub(crate) const MAILBOXES: [&str; 4] =
    ["alice@mail.example", "new@mail.example", "removed@mail.example", "alex@mail.example"];

impl World {
    /// A member with an item of each kind, and a member who is linked to them.
    pub(crate) async fn with_everything() -> (Self, Member, Member) {
        Self::new().await.fill().await
    }

    /// Adds the members of [`with_everything`](Self::with_everything).
    pub(crate) async fn fill(self) -> (Self, Member, Member) {
        let world = self;
        let store = &world.store;
        let (alice, alex) = world.linked_residents().await;
        store.choose_language(alice.id, &Language::parse("de").unwrap()).await.unwrap();
        store.refuse(alice.id, &kubuntu(), &Refusal::DomainNotVerified, now()).await.unwrap();
        world.record_outcome(alice.id, &Outcome::Eligible { domains: vec![ubuntu()] }, minutes(1)).await;
        let (id, _) = world.confirmed(&alice, "new@mail.example", false).await;
        world.choose(&alice, ALICE, &[world.first(&alice).await, id]).await;
        let removed = world.requested(&alice, "removed@mail.example").await;
        world.remove(&world.read(alice.id).await, removed).await;
        store.request_test(alice.id, &address(ALICE), (Ulid::nil(), now())).await.unwrap();
        let reply = "5.1.1".parse().unwrap();
        store.record_failure(&address(ALICE), &reply, minutes(5), &OsRandom).await.unwrap();
        store.record_destination_failure((alice.id, id), &address(ALICE), &reply, minutes(5), &OsRandom).await.unwrap();
        store.update_domain_list(&[ubuntu(), kubuntu()], operator(now()), &OsRandom).await.unwrap();
        store.bind_admin(&ubuntu(), alice.id, Permissions::all(), operator(now()), &OsRandom).await.unwrap();
        let (bob, _) = world.resident("bob").await;
        world.requested(&bob, "secret@other.example").await;
        let (alice, alex) = (world.read(alice.id).await, world.read(alex.id).await);
        (world, alice, alex)
    }

    pub(crate) async fn export(&self, member: &Member) -> Export {
        self.store.export(&self.sealer, member, minutes(10)).await.unwrap()
    }
}

/// The kinds of items in the partition of a member: the sort key up to the first `#`.
async fn kinds(world: &World, member: &Member) -> BTreeSet<String> {
    let partition = format!("MEMBER#{}", member.id);
    let mut kinds = BTreeSet::new();
    for item in world.store.raw_items().await.unwrap() {
        if item["pk"].as_s().unwrap() == &partition {
            kinds.insert(item["sk"].as_s().unwrap().split('#').next().unwrap().to_owned());
        }
    }
    kinds
}

#[tokio::test]
async fn export_has_every_kind_of_item() {
    let (world, alice, alex) = World::with_everything().await;
    let expected = ["ADDRESSES", "DESTINATION", "HISTORY", "IDENTITY", "PROFILE", "REFUSAL", "SESSION", "TEST", "UNDO"];
    assert_eq!(kinds(&world, &alice).await, expected.map(str::to_owned).into());
    let export = serde_json::to_value(world.export(&alice).await).unwrap();
    let [member, linked] = &export["members"].as_array().unwrap()[..] else { panic!("{export}") };
    assert_eq!((&member["id"], &linked["id"]), (&alice.id.to_string().into(), &alex.id.to_string().into()));
    // Every field has something for this member, except what contradicts it.
    for (name, value) in member.as_object().unwrap() {
        let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        assert_eq!(is_empty, ["linked_to", "banned_at", "ban_reason"].contains(&name.as_str()), "{name}: {value}");
    }
    assert_eq!(member["sign_in_address"], "alice@mail.example");
    let mailboxes = member["destinations"].as_array().unwrap().iter().map(|one| one["address"].as_str().unwrap());
    assert_eq!(mailboxes.collect::<BTreeSet<_>>(), MAILBOXES[..3].iter().copied().collect());
    assert_eq!(member["addresses"][0]["destinations"].as_array().unwrap().len(), 2);
    assert_eq!(member["addresses"][0]["failing"]["reply"], "5.1.1");
    let admin = &member["admin_of"][0];
    assert_eq!((&admin["domain"], &admin["permissions"][3]), (&json!("ubuntu.com"), &json!("appoint")));
    assert_eq!(linked["linked_to"], alice.id.to_string());
}

#[tokio::test]
async fn export_excludes_secrets_and_strangers() {
    let (world, alice, _) = World::with_everything().await;
    let export = world.export(&alice).await;
    let text = serde_json::to_string(&export).unwrap();
    let key_context = String::from(alice.key_context.clone());
    for hidden in [key_context.as_str(), "olivia", "bob@", "secret@other.example", "salt", "\"hash\""] {
        assert!(!text.contains(hidden), "{hidden}");
    }
    let debug = format!("{export:?}");
    assert!(!MAILBOXES.iter().any(|mailbox| debug.contains(mailbox)), "a log would have the addresses");
}

#[tokio::test]
async fn export_is_recorded_on_request_only() {
    let (world, alice, _) = World::with_everything().await;
    let before = world.items().await;
    world.export(&alice).await;
    assert_eq!(world.items().await, before, "a page can show it");
    world.store.record_export(alice.id, operator(minutes(20)), &OsRandom).await.unwrap();
    let history = world.store.history_of(alice.id, 1).await.unwrap();
    assert_eq!(history[0].change, Change::Member { member: alice.id, did: MemberChange::Exported });
}

#[tokio::test]
async fn unknown_item_fails_export() {
    let (world, alice, _) = World::with_everything().await;
    world.change_item(&format!("MEMBER#{}", alice.id), "NEWKIND#1", |_| {}).await;
    assert!(world.store.export(&world.sealer, &alice, now()).await.is_err());
}

#[tokio::test]
async fn unopened_export_fetches_newer_keys() {
    let (world, alice, _) = World::with_everything().await;
    let failed = world.store.export(&Sealer::new(b"another"), &alice, now()).await.unwrap_err();
    assert!(failed.is_unopened(), "{failed}");
}

/// The names of the fields are documented and stable.
#[tokio::test]
async fn documented_fields_are_exported() {
    let (world, alice, _) = World::with_everything().await;
    let export = serde_json::to_value(world.export(&alice).await).unwrap();
    let manual = include_str!("../../../../docs/privacy.md");
    let names = export["members"][0].as_object().unwrap().keys();
    let missing: Vec<_> = names.filter(|name| !manual.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/privacy.md lacks {missing:?}");
    assert_eq!(export["format"], Value::from("membermail-export/1"));
}
