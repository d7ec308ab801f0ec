//! The member whom an operator means by a name, as the source has it at that moment.

use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::Clock;
use membermail_core::random::OsRandom;
use membermail_sync::{Called, ObserveError, Observer};

use crate::source::Profile;
use crate::support::{World, name};

impl World {
    async fn called(&self, text: &str) -> Result<Called, ObserveError> {
        let Cause { actor, by, request_id, .. } = self.cause(Actor::Operator);
        let (source, store, clock) = (&self.source, self.store(), &*self.clock);
        Observer { source, store, clock, random: &OsRandom, actor, by, request_id }.called(&name(text)).await
    }

    /// The id of the member whom the name leads to.
    async fn meant(&self, text: &str) -> String {
        let called = self.called(text).await.unwrap();
        let Called::Member(member) = called else { panic!("{called:?}") };
        assert_eq!(member.name(), Some(&name(text)));
        assert!(member.observation.unwrap().observed_at <= self.clock.now());
        member.id.to_string()
    }
}

#[tokio::test]
async fn present_name_leads_to_member() {
    let world = World::without_sync("called", 2).await;
    assert_eq!(world.meant("member01").await, world.alias("member01").await.member.to_string());
    assert!(matches!(world.called("nobody").await.unwrap(), Called::Unknown));
}

/// Ada took Ben's former name, and neither was looked up since: a ban of ada must not meet Ben.
#[tokio::test]
async fn passed_name_leads_to_no_member() {
    let world = World::without_sync("called-passed", 1).await;
    let ben = world.alias("member01").await.member;
    world.source.change(1, |profile| profile.name = "ben".into());
    world.source.lock().people.insert(9, Profile { words: vec!["ada".into()], ..Profile::new("member01", 9) });
    let Called::PassedOn { member, name: now } = world.called("member01").await.unwrap() else { panic!("found") };
    assert_eq!((member, now), (ben, Some(name("ben"))));
    assert_eq!(world.meant("ben").await, ben.to_string(), "the new name is recorded");
}

#[tokio::test]
async fn exchanged_name_leads_to_its_new_member() {
    let world = World::without_sync("called-exchanged", 2).await;
    let [one, two] = [world.alias("member01").await.member, world.alias("member02").await.member];
    world.swap(1, 2);
    assert_eq!(world.meant("member01").await, two.to_string());
    assert_eq!(world.meant("member02").await, one.to_string());
}

#[tokio::test]
async fn closed_account_is_not_found_by_name() {
    let world = World::without_sync("called-closed", 1).await;
    world.source.lock().people.clear();
    let called = world.called("member01").await.unwrap();
    assert!(matches!(called, Called::PassedOn { name: None, .. }), "{called:?}");
}

#[tokio::test]
async fn unavailable_source_confirms_no_name() {
    let world = World::without_sync("called-unavailable", 1).await;
    world.source.lock().failing.insert("member01".into());
    assert!(matches!(world.called("member01").await, Err(ObserveError::Source(_))));
}

/// Two accounts of one person, linked by an operator: each name is theirs.
#[tokio::test]
async fn either_account_confirms_its_name() {
    let world = World::without_sync("called-linked", 2).await;
    let [one, two] = [world.alias("member01").await.member, world.alias("member02").await.member];
    let (member, other) = (world.table.read(two).await, world.table.read(one).await);
    world.store().link(&member, &other, world.cause(Actor::Operator), &OsRandom).await.unwrap();
    assert_eq!(world.meant("member02").await, two.to_string());
}
