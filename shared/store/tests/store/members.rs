//! Members and their identities.

use membermail_core::alias::Refusal;
use membermail_core::email::EmailAddress;
use membermail_core::language::Language;
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_store::{FirstDestination, SignIn};

use crate::support::{World, identity, kubuntu, minutes, now, operator, session};

#[tokio::test]
async fn member_items_include_identities() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let (member, identities) = world.store.member_to_look_up(alice.id).await.unwrap().unwrap();
    assert_eq!((member.id, identities), (alice.id, vec![identity("alice")]));
    // Other items of the member are not identities.
    let (resident, _) = world.resident("bob").await;
    world.store.refuse(resident.id, &kubuntu(), &Refusal::DomainNotVerified, now()).await.unwrap();
    let (_, identities) = world.store.member_to_look_up(resident.id).await.unwrap().unwrap();
    assert_eq!(identities, [identity("bob")]);
}

#[tokio::test]
async fn identity_belongs_to_one_member() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    assert_eq!(world.member("alice", "new@mail.example").await.id, alice.id);
    assert_ne!(world.member("other", "alice@mail.example").await.id, alice.id, "an address proves nothing");
}

#[tokio::test]
async fn sign_in_replaces_address_and_language() {
    let world = World::new().await;
    world.member("alice", "alice@mail.example").await;
    let language = Language::parse("de").unwrap();
    let sign_in = SignIn {
        identity: &identity("alice"),
        address: &EmailAddress::parse("new@mail.example").unwrap(),
        language: Some(&language),
        destination: FirstDestination::Confirmed,
        session: session("alice"),
    };
    let again = world.store.sign_in(&world.sealer, sign_in, now(), &OsRandom).await.unwrap();
    assert_eq!(again.sign_in_address(&world.sealer).unwrap().unwrap().expose(), "new@mail.example");
    assert_eq!(again.language, Some(language));
}

#[tokio::test]
async fn chosen_language_survives_sign_in() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    assert_eq!(alice.chosen_language(), None);
    let [german, arabic] = ["de", "ar"].map(|tag| Language::parse(tag).unwrap());
    world.store.choose_language(alice.id, &german).await.unwrap();
    let sign_in = SignIn {
        identity: &identity("alice"),
        address: &EmailAddress::parse("alice@mail.example").unwrap(),
        language: Some(&arabic),
        destination: FirstDestination::Confirmed,
        session: session("alice"),
    };
    let again = world.store.sign_in(&world.sealer, sign_in, now(), &OsRandom).await.unwrap();
    assert_eq!(again.chosen_language(), Some(&german));
    assert_eq!(format!("{again:?}"), format!("{:?}", world.read(alice.id).await));
    world.store.choose_language(alice.id, &arabic).await.unwrap();
    assert_eq!(world.read(alice.id).await.language, Some(arabic));
}

#[tokio::test]
async fn missing_member_chooses_no_language() {
    let world = World::new().await;
    let nobody = MemberId::new(now(), &OsRandom);
    assert!(world.store.choose_language(nobody, &Language::parse("de").unwrap()).await.is_err());
    assert!(world.store.member(nobody).await.unwrap().is_none());
}

#[tokio::test]
async fn sign_in_creates_session() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let opened = async || world.store.session("alice", now()).await.unwrap().unwrap();
    let first = opened().await;
    assert_eq!((first.member, first.created, first.epoch), (alice.id, now(), alice.session_epoch));
    assert_eq!(world.store.session("alice", minutes(60)).await.unwrap(), None, "the session never expires");
    // A session after a ban has the epoch that the ban started.
    world.store.ban(alice.id, operator(now()), &OsRandom).await.unwrap();
    world.member("alice", "alice@mail.example").await;
    let banned = world.read(alice.id).await;
    assert_eq!(opened().await.epoch, banned.session_epoch);
    assert!(banned.session_epoch > first.epoch);
}

#[tokio::test]
async fn sign_in_returns_stored_member() {
    let world = World::new().await;
    world.member("alice", "alice@mail.example").await;
    let again = world.member("alice", "new@mail.example").await;
    assert_eq!(format!("{again:?}"), format!("{:?}", world.read(again.id).await));
}
