//! Names that change, pass on, and are exchanged.

use membermail_core::alias::{Reason, Status};
use membermail_core::audit::Actor;
use membermail_core::random::OsRandom;
use membermail_store::RunState;

use crate::source::{Profile, SHARED};
use crate::support::{World, domain, name};

const ACTIVE: (Status, Reason) = (Status::Active, Reason::Eligible);

impl World {
    async fn found_by(&self, text: &str) -> Option<membermail_core::member::MemberId> {
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
async fn rename_gives_a_second_address() {
    let world = World::new("rename", 5).await;
    let member = world.alias("member03").await.member;
    world.source.change(3, |profile| profile.name = "renamed".into());
    assert_eq!(world.counted().await.rename, 1);
    assert_eq!(world.asked(), ["member03"], "one look-up");
    assert!(world.source.lock().groups.is_empty(), "the pages list the new name");
    for text in ["member03", "renamed"] {
        let alias = world.alias(text).await;
        assert_eq!((alias.status, alias.member, alias.known_as.name), (Status::Active, member, name("renamed")));
    }
    assert_eq!((world.found_by("renamed").await, world.found_by("member03").await), (Some(member), None));

    assert_eq!(world.synced().await.state, RunState::Unchanged);
    assert!(world.asked().is_empty(), "the name is recorded");
}

#[tokio::test]
async fn rename_is_planned_again_when_lost() {
    let world = World::new("lost-rename", 5).await;
    world.source.change(3, |profile| profile.name = "renamed".into());
    let queue = crate::support::Queue::default();
    world.run(&queue).await;
    queue.take();
    assert_eq!(world.counted().await.rename, 1);
    assert!(world.has_address("renamed").await);
}

#[tokio::test]
async fn fourth_name_gives_no_address() {
    let world = World::new("fourth-name", 12).await;
    for text in ["second", "third", "fourth"] {
        world.source.change(3, |profile| profile.name = text.into());
        world.synced().await;
    }
    assert!(world.has_address("third").await && !world.has_address("fourth").await);
    assert_eq!(world.synced().await.state, RunState::Unchanged);
    assert!(world.asked().is_empty(), "the refusal is not tried again each time");
}

#[tokio::test]
async fn raised_limit_counts_in_the_next_check() {
    let world = World::new("raised-limit", 1).await;
    for text in ["second", "third", "fourth"] {
        world.source.change(1, |profile| profile.name = text.into());
        world.synced().await;
    }
    // Looked up again in its turn of the rolling check, and nothing is planned.
    assert_eq!(world.synced().await.state, RunState::Unchanged);
    assert_eq!(world.source.lock().asked, ["member01"]);
    let (member, cause) = (world.alias("third").await.member, world.cause(Actor::Operator));
    world.store().limit_addresses(member, &domain(), Some(4), cause, &OsRandom).await.unwrap();
    assert_eq!(world.counted().await.rename, 1);
    assert!(world.has_address("fourth").await);
}

#[tokio::test]
async fn name_without_address_is_recorded_once() {
    let world = World::new("reserved", 5).await;
    world.source.change(3, |profile| profile.name = "postmaster".into());
    assert_eq!(world.synced().await.state, RunState::Unchanged);
    assert_eq!(world.asked(), ["member03"]);
    assert_eq!(world.alias("member03").await.known_as.name, name("postmaster"));
    world.synced().await;
    assert!(world.asked().is_empty());
}

#[tokio::test]
async fn stranger_with_reused_name_gets_nothing() {
    let world = World::new("reused", 5).await;
    let member = world.alias("member03").await.member;
    world.source.change(3, |profile| profile.name = "renamed".into());
    let stranger = Profile { words: vec!["stranger".into()], ..Profile::new("member03", 99) };
    world.source.lock().people.insert(99, stranger);
    assert_eq!(world.counted().await.rename, 1);
    assert_eq!(world.asked(), ["member03"]);
    assert_eq!((world.alias("member03").await.member, world.alias("renamed").await.member), (member, member));

    // They sign in, and the name leads to them; the address does not.
    let eve = world.table.member("stranger", "eve@mail.example").await.id;
    world.settle(eve, "stranger").await.unwrap();
    assert_eq!(world.synced().await.state, RunState::Unchanged);
    assert_eq!((world.found_by("member03").await, world.alias("member03").await.member), (Some(eve), member));
}

#[tokio::test]
async fn leaver_keeps_no_address_by_reused_name() {
    let world = World::new("reused-leaver", 5).await;
    world.source.change(3, |profile| (profile.name, profile.in_team) = ("renamed".into(), false));
    let stranger = Profile { words: vec!["stranger".into()], ..Profile::new("member03", 99) };
    world.source.lock().people.insert(99, stranger);
    assert_eq!(world.counted().await.leave, 1);
    assert_eq!(world.state("member03").await, (Status::Leaving, Reason::NotInTeam));
    assert!(!world.has_address("renamed").await);
}

#[tokio::test]
async fn reused_name_with_shared_date_is_found() {
    let world = World::without_sync("reused-shared", 0).await;
    // The date of 2005 is stored with the first look-up.
    for (id, text) in [(1, "alice"), (2, "bob"), (3, "carol")] {
        world.source.lock().people.insert(id, Profile { fingerprint: SHARED, ..Profile::new(text, 0) });
        let member = world.table.member(text, &format!("{text}@mail.example")).await.id;
        world.looks_up(member, text).await;
    }
    assert_eq!(world.counted().await.create, 3);
    let bob = world.alias("bob").await.member;
    world.source.change(2, |profile| profile.name = "robert".into());
    let stranger = Profile { fingerprint: SHARED, words: vec!["stranger".into()], ..Profile::new("bob", 0) };
    world.source.lock().people.insert(99, stranger);
    for _ in 0..3 {
        world.synced().await;
        assert!(world.asked().is_empty(), "the pages show no change");
    }
    assert_eq!((world.alias("robert").await.member, world.alias("bob").await.member), (bob, bob));
}

#[tokio::test]
async fn swapped_names_keep_their_addresses() {
    let world = World::new("swap", 5).await;
    let [two, three] = [world.alias("member02").await.member, world.alias("member03").await.member];
    world.swap(2, 3);
    assert_eq!(world.synced().await.state, RunState::Unchanged);
    let mut asked = world.asked();
    asked.sort();
    asked.dedup();
    assert_eq!(asked, ["member02", "member03"]);
    for (text, member, known_as) in [("member02", two, "member03"), ("member03", three, "member02")] {
        let alias = world.alias(text).await;
        assert_eq!((alias.member, alias.known_as.name), (member, name(known_as)));
        assert_eq!(world.found_by(known_as).await, Some(member));
        assert_eq!(world.state(text).await, ACTIVE);
    }
    world.synced().await;
    assert!(world.asked().is_empty());
}

#[tokio::test]
async fn rolling_check_finds_swap_with_shared_dates() {
    let world = World::without_sync("swap-shared", 0).await;
    for (id, text) in [(1, "alice"), (2, "bob"), (3, "carol")] {
        let fingerprint = if id == 3 { Profile::new(text, 3).fingerprint } else { SHARED };
        world.source.lock().people.insert(id, Profile { fingerprint, ..Profile::new(text, 0) });
        let member = world.table.member(text, &format!("{text}@mail.example")).await.id;
        world.looks_up(member, text).await;
    }
    assert_eq!(world.counted().await.create, 3);
    let [alice, bob] = [world.alias("alice").await.member, world.alias("bob").await.member];
    world.swap(1, 2);
    for _ in 0..3 {
        world.synced().await;
    }
    assert_eq!((world.found_by("bob").await, world.found_by("alice").await), (Some(alice), Some(bob)));
    let known_as = async |text| world.alias(text).await.known_as.name;
    assert_eq!((known_as("alice").await, known_as("bob").await), (name("bob"), name("alice")));
    assert_eq!((world.state("alice").await, world.state("bob").await), (ACTIVE, ACTIVE));
}
