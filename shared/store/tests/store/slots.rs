//! Slots: a bound on the runs of all domains together.

use membermail_core::random::OsRandom;
use membermail_store::Slot;

use crate::support::{World, minutes, now};

impl World {
    async fn take_slot(&self, slots: u32, at: i64) -> Option<Slot> {
        self.store.take_slot(slots, minutes(at), minutes(at + 16), &OsRandom).await.unwrap()
    }
}

#[rstest::rstest]
#[case::one(1)]
#[case::two(2)]
#[tokio::test]
async fn no_more_slots_than_allowed(#[case] slots: u32) {
    let world = World::new(&format!("slots-{slots}")).await;
    let (one, two, three) =
        tokio::join!(world.take_slot(slots, 0), world.take_slot(slots, 0), world.take_slot(slots, 0));
    let taken = [one, two, three].into_iter().flatten().count();
    assert_eq!(u32::try_from(taken).unwrap(), slots);
}

#[tokio::test]
async fn returned_slot_is_free_at_once() {
    let world = World::new("slot-back").await;
    let slot = world.take_slot(1, 0).await.unwrap();
    assert!(world.take_slot(1, 1).await.is_none());
    world.store.give_back_slot(slot).await.unwrap();
    assert!(world.take_slot(1, 1).await.is_some());
}

#[tokio::test]
async fn dead_holder_loses_slot_with_lease() {
    let world = World::new("slot-dead").await;
    let dead = world.take_slot(1, 0).await.unwrap();
    assert!(world.take_slot(1, 15).await.is_none());
    let next = world.take_slot(1, 16).await.unwrap();
    // It was only slow: what it gives back is no longer its own.
    world.store.give_back_slot(dead).await.unwrap();
    assert!(world.take_slot(1, 17).await.is_none());
    world.store.give_back_slot(next).await.unwrap();
    assert!(world.take_slot(1, 17).await.is_some());
}

#[tokio::test]
async fn no_slots_let_nothing_run() {
    let world = World::new("slot-none").await;
    assert!(world.store.take_slot(0, now(), minutes(1), &OsRandom).await.unwrap().is_none());
}
