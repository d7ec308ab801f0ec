//! Accounts that are merged, and members with several identities.

use membermail_core::alias::{Reason, Status};
use membermail_core::audit::Actor;
use membermail_core::random::OsRandom;
use membermail_store::{Linked, RunState};

use crate::support::{World, name};

const ACTIVE: (Status, Reason) = (Status::Active, Reason::Eligible);

impl World {
    /// Merges one account into another, as Launchpad does.
    fn merge(&self, from: u32, into: u32) {
        let mut launchpad = self.source.lock();
        let gone = launchpad.people.remove(&from).unwrap();
        launchpad.people.get_mut(&into).unwrap().words.extend(gone.words);
    }
}

#[tokio::test]
async fn merged_member_gets_survivors_name() {
    let world = World::new("merge-one", 5).await;
    let member = world.alias("member03").await.member;
    world.add_stranger(99, "survivor", "survivor");
    world.merge(3, 99);
    assert_eq!(world.sync_counts().await.rename, 1);
    assert_eq!((world.alias("survivor").await.member, world.state("member03").await), (member, ACTIVE));
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    assert!(world.looked_up().is_empty());
}

#[tokio::test]
async fn merged_members_are_linked() {
    let world = World::new("merge-two", 5).await;
    let [two, three] = [world.alias("member02").await.member, world.alias("member03").await.member];
    world.merge(3, 2);
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    assert_eq!(world.table.read(three).await.merged_into, Some(two));
    assert_eq!((world.state("member02").await, world.state("member03").await), (ACTIVE, ACTIVE));
    let alias = world.alias("member03").await;
    assert_eq!((alias.member, alias.known_as.name), (three, name("member02")));
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    assert!(world.looked_up().is_empty());
}

#[tokio::test]
async fn linked_members_leave_together() {
    let world = World::new("merge-leave", 5).await;
    world.merge(3, 2);
    world.sync_and_deliver().await;
    world.leave_team(2);
    assert_eq!(world.sync_counts().await.leave, 2);
    world.source.change(2, |profile| profile.in_team = true);
    assert_eq!(world.sync_counts().await.restore, 2);
    assert_eq!((world.state("member02").await, world.state("member03").await), (ACTIVE, ACTIVE));
}

#[tokio::test]
async fn linked_members_rename_gives_one_address() {
    let world = World::new("merge-rename", 5).await;
    let two = world.alias("member02").await.member;
    world.merge(3, 2);
    world.sync_and_deliver().await;
    world.source.change(2, |profile| profile.name = "renamed".into());
    assert_eq!(world.sync_counts().await.rename, 1);
    assert_eq!(world.alias("renamed").await.member, two);
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    assert!(world.looked_up().is_empty());
}

#[tokio::test]
async fn second_identity_replaces_lost_one() {
    let world = World::new("second-identity", 5).await;
    let three = world.alias("member03").await.member;
    let second = world.table.member("second", "second@mail.example").await;
    let member = world.table.read(three).await;
    let linked = world.store().link(&member, &second, world.cause(Actor::Operator), &OsRandom).await.unwrap();
    assert!(matches!(linked, Linked::Done(_)));
    world.source.change(3, |profile| (profile.name, profile.words) = ("renamed".into(), vec!["second".into()]));
    assert_eq!(world.sync_counts().await.rename, 1);
    assert_eq!(world.looked_up(), ["member03", "second"]);
    assert_eq!(world.alias("renamed").await.member, three);
}

/// The second account is looked up first, since its identity sorts before the other one.
#[tokio::test]
async fn account_outside_team_takes_no_address() {
    let world = World::new("second-account", 5).await;
    let three = world.alias("member03").await.member;
    world.add_stranger(9, "outsider", "a-second");
    world.source.change(9, |profile| profile.in_team = false);
    let second = world.table.member("a-second", "second@mail.example").await;
    let member = world.table.read(three).await;
    let linked = world.store().link(&member, &second, world.cause(Actor::Operator), &OsRandom).await.unwrap();
    assert!(matches!(linked, Linked::Done(_)));
    // The rolling check comes to everyone.
    let mut looked_up = Vec::new();
    for _ in 0..5 {
        assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
        looked_up.append(&mut world.source.lock().looked_up);
    }
    assert!(looked_up.contains(&"a-second".to_owned()), "{looked_up:?}");
    assert_eq!(world.alias("member03").await.status, Status::Active);
    // Without the first account in the team, nothing is due to the member.
    world.source.change(3, |profile| profile.in_team = false);
    assert_eq!(world.sync_counts().await.leave, 1);
}
