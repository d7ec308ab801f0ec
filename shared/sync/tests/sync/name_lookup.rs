//! Look-up of the member who has a name at present.

use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::Clock;
use membermail_core::random::OsRandom;
use membermail_sync::{NameLookup, ObserveError, Observer};

use crate::support::{World, name};

impl World {
    async fn look_up(&self, text: &str) -> Result<NameLookup, ObserveError> {
        let Cause { actor, by, request_id, .. } = self.cause(Actor::Operator);
        Observer { actor, by, request_id, ..self.observer() }.look_up_name(&name(text)).await
    }

    /// The id of the member who has the name.
    async fn holder_id(&self, text: &str) -> String {
        let found = self.look_up(text).await.unwrap();
        let NameLookup::Member(member) = found else { panic!("{found:?}") };
        assert_eq!(member.name(), Some(&name(text)));
        assert!(member.observation.unwrap().observed_at <= self.clock.now());
        member.id.to_string()
    }
}

#[tokio::test]
async fn current_name_finds_member() {
    let world = World::without_sync("called", 2).await;
    assert_eq!(world.holder_id("member01").await, world.alias("member01").await.member.to_string());
    assert!(matches!(world.look_up("nobody").await.unwrap(), NameLookup::Unknown));
}

/// Ada has Ben's former name, and neither was looked up since: a ban of ada must not affect Ben.
#[tokio::test]
async fn passed_name_finds_no_member() {
    let world = World::without_sync("called-passed", 1).await;
    let ben = world.alias("member01").await.member;
    world.source.change(1, |profile| profile.name = "ben".into());
    world.add_stranger(9, "member01", "ada");
    let NameLookup::PassedOn { member, name: now } = world.look_up("member01").await.unwrap() else { panic!("found") };
    assert_eq!((member, now), (ben, Some(name("ben"))));
    assert_eq!(world.holder_id("ben").await, ben.to_string(), "the new name is recorded");
}

#[tokio::test]
async fn swapped_name_finds_new_member() {
    let world = World::without_sync("called-exchanged", 2).await;
    let [one, two] = [world.alias("member01").await.member, world.alias("member02").await.member];
    world.swap(1, 2);
    assert_eq!(world.holder_id("member01").await, two.to_string());
    assert_eq!(world.holder_id("member02").await, one.to_string());
}

#[tokio::test]
async fn closed_account_is_not_found() {
    let world = World::without_sync("called-closed", 1).await;
    world.source.lock().people.clear();
    let called = world.look_up("member01").await.unwrap();
    assert!(matches!(called, NameLookup::PassedOn { name: None, .. }), "{called:?}");
}

#[tokio::test]
async fn unavailable_source_confirms_no_name() {
    let world = World::without_sync("called-unavailable", 1).await;
    world.source.lock().failing.insert("member01".into());
    assert!(matches!(world.look_up("member01").await, Err(ObserveError::Source(_))));
}

/// Two accounts of one person, linked by an operator: each name is theirs.
#[tokio::test]
async fn either_account_confirms_its_name() {
    let world = World::without_sync("called-linked", 2).await;
    let [one, two] = [world.alias("member01").await.member, world.alias("member02").await.member];
    let member = world.table.read(two).await;
    let other = world.table.read(one).await;
    world.store().link(&member, &other, world.cause(Actor::Operator), &OsRandom).await.unwrap();
    assert_eq!(world.holder_id("member02").await, two.to_string());
}
