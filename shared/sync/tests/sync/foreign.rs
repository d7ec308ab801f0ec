//! Members whose identities are foreign to the source: nothing is granted, and nothing is taken away. This keeps addresses
//! while a community moves from one provider to another.

use membermail_core::alias::{Reason, Status};
use membermail_core::audit::Actor;
use membermail_core::eligibility::{Account, Observation};
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_store::RunState;
use membermail_sync::{NameLookup, Observer, PersonLookup};

use crate::support::{Queue, World, name, table};

const ACTIVE: (Status, Reason) = (Status::Active, Reason::Eligible);

impl World {
    /// Makes the source foreign to these identities.
    fn make_foreign(&self, words: &[&str]) {
        self.source.lock().foreign = words.iter().map(|word| (*word).to_owned()).collect();
    }

    /// Adds a second identity to a member.
    async fn add_identity(&self, member: MemberId, word: &str) {
        let other = self.table.member(word, &format!("{word}@mail.example")).await;
        let member = self.table.read(member).await;
        self.store().link(&member, &other, self.cause(Actor::Operator), &OsRandom).await.unwrap();
    }
}

#[rstest::rstest]
#[case::still_in_team("foreign-in", true)]
#[case::not_in_team("foreign-out", false)]
#[tokio::test]
async fn foreign_member_keeps_address(#[case] test: &str, #[case] in_team: bool) {
    let world = World::new(test, 4).await;
    world.make_foreign(&["member03"]);
    world.source.change(3, |profile| profile.in_team = in_team);
    // The rolling check comes to everyone, too.
    for _ in 0..5 {
        let run = world.sync_and_deliver().await;
        let counts = run.counts.unwrap();
        assert_eq!((run.state, counts.leave, counts.unverified), (RunState::Unchanged, 0, 0));
        assert!(!world.source.lock().looked_up.contains(&"member03".to_owned()), "the source is not asked");
    }
    assert_eq!(world.state("member03").await, ACTIVE);
}

/// The whole community is still with the former provider.
#[tokio::test]
async fn foreign_community_keeps_addresses() {
    let world = World::new("foreign-all", 8).await;
    world.make_foreign(&["member01", "member02", "member03", "member04", "member05", "member06", "member07"]);
    let queue = Queue::default();
    for id in 1..=7 {
        world.source.lock().people.remove(&id);
    }
    assert_eq!(world.run(&queue).await.state, RunState::Unchanged);
    assert!(queue.drain().is_empty());
}

#[tokio::test]
async fn foreign_joiner_gets_no_address() {
    let world = World::new("foreign-joiner", 4).await;
    world.add_member(9, "joiner").await;
    world.make_foreign(&["joiner"]);
    assert_eq!(world.sync_counts().await.create, 0);
    assert!(!world.has_address("joiner").await);
}

/// A member with an identity at another provider too.
#[tokio::test]
async fn foreign_identity_is_left_out() {
    let world = World::new("foreign-second", 4).await;
    let member = world.alias("member03").await.member;
    world.add_identity(member, "another").await;
    world.make_foreign(&["another"]);
    world.source.change(3, |profile| profile.account = Account::Suspended);
    assert_eq!(world.sync_counts().await.leave, 1);
    assert_eq!(world.state("member03").await, (Status::Leaving, Reason::AccountSuspended));
}

/// The account of the current provider is closed; the other identity does not hide that.
#[tokio::test]
async fn closed_account_counts_beside_foreign_identity() {
    let world = World::new("foreign-closed", 4).await;
    let member = world.alias("member03").await.member;
    world.add_identity(member, "another").await;
    world.make_foreign(&["another"]);
    world.source.lock().people.remove(&3);
    assert_eq!(world.sync_counts().await.leave, 1);
    assert_eq!(world.state("member03").await, (Status::Leaving, Reason::AccountClosed));
}

#[tokio::test]
async fn lookup_tells_foreign_from_absent() {
    let world = World::without_sync("foreign-lookup", 2).await;
    world.make_foreign(&["member01", "other"]);
    for (words, expected) in [
        (vec!["member01", "other"], PersonLookup::Foreign),
        (vec!["member01", "unknown"], PersonLookup::NoAccount),
        (vec![], PersonLookup::Foreign),
    ] {
        let identities: Vec<_> = words.into_iter().map(table::identity).collect();
        assert_eq!(world.observer().fetch_person(&identities).await.unwrap().0, expected);
    }
    let identities = ["member01", "member02"].map(table::identity);
    let (found, _) = world.observer().fetch_person(&identities).await.unwrap();
    assert_eq!(found.person().unwrap().name, name("member02"));
}

/// The name belongs to an account of the current provider, and the former holder's identities say nothing about it.
#[tokio::test]
async fn name_of_foreign_holder_moves() {
    let world = World::without_sync("foreign-holder", 1).await;
    let holder = world.alias("member01").await.member;
    world.make_foreign(&["member01"]);
    world.source.change(1, |profile| profile.words = vec!["new".into()]);
    let newcomer = world.table.member("new", "new@mail.example").await.id;
    let recorded = world.look_up_and_record(newcomer, "new").await.unwrap();
    assert_eq!((recorded.member.id, recorded.linked, recorded.is_stale), (newcomer, None, false));
    assert_eq!(world.alias("member01").await.member, holder, "the address stays with its member");
    let observation: Option<Observation> = world.table.read(holder).await.observation;
    assert_eq!(observation.unwrap().person.name, name("member01"));
}

/// An operator bans by name: the source cannot confirm the name of a foreign member.
#[tokio::test]
async fn name_of_foreign_member_is_unconfirmed() {
    let world = World::without_sync("foreign-name", 1).await;
    let member = world.alias("member01").await.member;
    world.make_foreign(&["member01"]);
    let observer = Observer { actor: Actor::Operator, ..world.observer() };
    let found = observer.look_up_name(&name("member01")).await.unwrap();
    assert!(matches!(found, NameLookup::Unconfirmed(id) if id == member), "{found:?}");
}
