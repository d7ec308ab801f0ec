//! Members and their identities.

use membermail_core::email::EmailAddress;
use membermail_core::language::Language;
use membermail_core::random::OsRandom;
use membermail_store::SignIn;

use crate::support::{World, identity, minutes, now, operator, session};

#[tokio::test]
async fn identity_is_an_item_of_its_member() {
    let world = World::new("identities").await;
    let alice = world.member("alice", "alice@mail.example").await;
    let (member, identities) = world.store.member_to_look_up(alice.id).await.unwrap().unwrap();
    assert_eq!((member.id, identities), (alice.id, vec![identity("alice")]));
    // Other items of the member are no identities.
    let (resident, _) = world.resident("bob").await;
    world.store.refuse(resident.id, &crate::support::community()[1], &refusal(), now()).await.unwrap();
    let (_, identities) = world.store.member_to_look_up(resident.id).await.unwrap().unwrap();
    assert_eq!(identities, [identity("bob")]);
}

fn refusal() -> membermail_core::alias::Refusal {
    membermail_core::alias::Refusal::DomainNotVerified
}

#[tokio::test]
async fn identity_belongs_to_one_member() {
    let world = World::new("one-member").await;
    let alice = world.member("alice", "alice@mail.example").await;
    assert_eq!(world.member("alice", "new@mail.example").await.id, alice.id);
    assert_ne!(world.member("other", "alice@mail.example").await.id, alice.id, "an address proves nothing");
}

#[tokio::test]
async fn sign_in_replaces_address_and_language() {
    let world = World::new("again").await;
    world.member("alice", "alice@mail.example").await;
    let (address, language) = (EmailAddress::parse("new@mail.example").unwrap(), Language::parse("de").unwrap());
    let (identity, session) = (&identity("alice"), session("alice"));
    let sign_in = SignIn { identity, address: &address, language: Some(&language), session };
    let again = world.store.sign_in(&world.sealer, sign_in, now(), &OsRandom).await.unwrap();
    assert_eq!(again.sign_in_address(&world.sealer).unwrap().unwrap().expose(), "new@mail.example");
    assert_eq!(again.language, Some(language));
}

#[tokio::test]
async fn sign_in_opens_session_with_member() {
    let world = World::new("opens-session").await;
    let alice = world.member("alice", "alice@mail.example").await;
    let opened = async || world.store.session("alice", now()).await.unwrap().unwrap();
    let first = opened().await;
    assert_eq!((first.member, first.created, first.epoch), (alice.id, now(), alice.session_epoch));
    assert_eq!(world.store.session("alice", minutes(60)).await.unwrap(), None, "it has no end");
    // The epoch that a ban began is the epoch of the next session.
    world.store.ban(alice.id, operator(now()), &OsRandom).await.unwrap();
    world.member("alice", "alice@mail.example").await;
    let banned = world.read(alice.id).await;
    assert_eq!(opened().await.epoch, banned.session_epoch);
    assert!(banned.session_epoch > first.epoch);
}

#[tokio::test]
async fn returned_member_is_the_stored_one() {
    let world = World::new("returned").await;
    world.member("alice", "alice@mail.example").await;
    let again = world.member("alice", "new@mail.example").await;
    assert_eq!(format!("{again:?}"), format!("{:?}", world.read(again.id).await));
}
