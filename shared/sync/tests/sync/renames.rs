//! Renames: changed, reused and swapped names.

use membermail_core::alias::{Reason, Status};
use membermail_core::audit::Actor;
use membermail_core::random::OsRandom;
use membermail_store::RunState;

use crate::source::{Profile, SHARED};
use crate::support::{World, domain, name};

const ACTIVE: (Status, Reason) = (Status::Active, Reason::Eligible);

impl World {
    async fn find_id_by_name(&self, text: &str) -> Option<membermail_core::member::MemberId> {
        self.store().member_by_name(&name(text)).await.unwrap().map(|member| member.id)
    }

    /// Exchanges the names of two accounts.
    pub(crate) fn swap(&self, one: u32, other: u32) {
        let mut launchpad = self.source.lock();
        let first = launchpad.people[&one].name.clone();
        let second = std::mem::replace(&mut launchpad.people.get_mut(&other).unwrap().name, first);
        launchpad.people.get_mut(&one).unwrap().name = second;
    }
}

#[tokio::test]
async fn rename_gives_second_address() {
    let world = World::new("rename", 5).await;
    let member = world.alias("member03").await.member;
    world.source.change(3, |profile| profile.name = "renamed".into());
    assert_eq!(world.sync_counts().await.rename, 1);
    assert_eq!(world.looked_up(), ["member03"], "one look-up");
    assert!(world.source.lock().groups.is_empty(), "the pages list the new name");
    for text in ["member03", "renamed"] {
        let alias = world.alias(text).await;
        assert_eq!((alias.status, alias.member, alias.known_as.name), (Status::Active, member, name("renamed")));
    }
    assert_eq!((world.find_id_by_name("renamed").await, world.find_id_by_name("member03").await), (Some(member), None));

    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    assert!(world.looked_up().is_empty(), "the name is recorded");
}

#[tokio::test]
async fn lost_rename_is_planned_again() {
    let world = World::new("lost-rename", 5).await;
    world.source.change(3, |profile| profile.name = "renamed".into());
    let queue = crate::support::Queue::default();
    world.run(&queue).await;
    queue.drain();
    assert_eq!(world.sync_counts().await.rename, 1);
    assert!(world.has_address("renamed").await);
}

#[tokio::test]
async fn fourth_name_gives_no_address() {
    let world = World::new("fourth-name", 12).await;
    for text in ["second", "third", "fourth"] {
        world.source.change(3, |profile| profile.name = text.into());
        world.sync_and_deliver().await;
    }
    assert!(world.has_address("third").await && !world.has_address("fourth").await);
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    assert!(world.looked_up().is_empty(), "a refused rename is not planned again");
}

#[tokio::test]
async fn raised_limit_grants_refused_name() {
    let world = World::new("raised-limit", 1).await;
    for text in ["second", "third", "fourth"] {
        world.source.change(1, |profile| profile.name = text.into());
        world.sync_and_deliver().await;
    }
    // The rolling check looks the member up, and nothing is planned.
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    assert_eq!(world.source.lock().looked_up, ["member01"]);
    let member = world.alias("third").await.member;
    let cause = world.cause(Actor::Operator);
    world.store().set_address_limit(member, &domain(), Some(4), cause, &OsRandom).await.unwrap();
    assert_eq!(world.sync_counts().await.rename, 1);
    assert!(world.has_address("fourth").await);
}

#[tokio::test]
async fn name_without_address_is_recorded_once() {
    let world = World::new("reserved", 5).await;
    world.source.change(3, |profile| profile.name = "postmaster".into());
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    assert_eq!(world.looked_up(), ["member03"]);
    assert_eq!(world.alias("member03").await.known_as.name, name("postmaster"));
    world.sync_and_deliver().await;
    assert!(world.looked_up().is_empty());
}

#[tokio::test]
async fn stranger_with_reused_name_gets_nothing() {
    let world = World::new("reused", 5).await;
    let member = world.alias("member03").await.member;
    world.source.change(3, |profile| profile.name = "renamed".into());
    world.add_stranger(99, "member03", "stranger");
    assert_eq!(world.sync_counts().await.rename, 1);
    assert_eq!(world.looked_up(), ["member03"]);
    assert_eq!((world.alias("member03").await.member, world.alias("renamed").await.member), (member, member));

    // The stranger signs in and gets the name, but not the address.
    let eve = world.table.member("stranger", "eve@mail.example").await.id;
    world.look_up_and_record(eve, "stranger").await.unwrap();
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    assert_eq!((world.find_id_by_name("member03").await, world.alias("member03").await.member), (Some(eve), member));
}

#[tokio::test]
async fn reused_name_keeps_no_leaver() {
    let world = World::new("reused-leaver", 5).await;
    world.source.change(3, |profile| (profile.name, profile.in_team) = ("renamed".into(), false));
    world.add_stranger(99, "member03", "stranger");
    assert_eq!(world.sync_counts().await.leave, 1);
    assert_eq!(world.state("member03").await, (Status::Leaving, Reason::NotInTeam));
    assert!(!world.has_address("renamed").await);
}

#[tokio::test]
async fn rename_with_shared_date_is_found() {
    let world = World::without_sync("reused-shared", 0).await;
    // The first look-up stores the shared date.
    for (id, text) in [(1, "alice"), (2, "bob"), (3, "carol")] {
        world.add_member_with(id, text, SHARED).await;
    }
    assert_eq!(world.sync_counts().await.create, 3);
    let bob = world.alias("bob").await.member;
    world.source.change(2, |profile| profile.name = "robert".into());
    let stranger = Profile { fingerprint: SHARED, words: vec!["stranger".into()], ..Profile::new("bob", 0) };
    world.source.lock().people.insert(99, stranger);
    for _ in 0..3 {
        world.sync_and_deliver().await;
        assert!(world.looked_up().is_empty(), "the pages show no change");
    }
    assert_eq!((world.alias("robert").await.member, world.alias("bob").await.member), (bob, bob));
}

#[tokio::test]
async fn swapped_names_keep_their_addresses() {
    let world = World::new("swap", 5).await;
    let [two, three] = [world.alias("member02").await.member, world.alias("member03").await.member];
    world.swap(2, 3);
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    let mut looked_up = world.looked_up();
    looked_up.sort();
    looked_up.dedup();
    assert_eq!(looked_up, ["member02", "member03"]);
    for (text, member, known_as) in [("member02", two, "member03"), ("member03", three, "member02")] {
        let alias = world.alias(text).await;
        assert_eq!((alias.member, alias.known_as.name), (member, name(known_as)));
        assert_eq!(world.find_id_by_name(known_as).await, Some(member));
        assert_eq!(world.state(text).await, ACTIVE);
    }
    world.sync_and_deliver().await;
    assert!(world.looked_up().is_empty());
}

#[tokio::test]
async fn rolling_check_finds_shared_date_swap() {
    let world = World::without_sync("swap-shared", 0).await;
    for (id, text) in [(1, "alice"), (2, "bob"), (3, "carol")] {
        let fingerprint = if id == 3 { Profile::new(text, 3).fingerprint } else { SHARED };
        world.add_member_with(id, text, fingerprint).await;
    }
    assert_eq!(world.sync_counts().await.create, 3);
    let [alice, bob] = [world.alias("alice").await.member, world.alias("bob").await.member];
    world.swap(1, 2);
    for _ in 0..3 {
        world.sync_and_deliver().await;
    }
    assert_eq!((world.find_id_by_name("bob").await, world.find_id_by_name("alice").await), (Some(alice), Some(bob)));
    for (address, known_as) in [("alice", "bob"), ("bob", "alice")] {
        assert_eq!(world.alias(address).await.known_as.name, name(known_as));
    }
    assert_eq!((world.state("alice").await, world.state("bob").await), (ACTIVE, ACTIVE));
}
