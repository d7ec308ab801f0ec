//! Slots: a limit on concurrent runs across all domains.

use futures_util::future::join_all;
use membermail_core::random::OsRandom;
use membermail_store::Slot;

use crate::support::{World, minutes, now};

impl World {
    async fn acquire_slot(&self, slots: u32, at: i64) -> Option<Slot> {
        self.store.acquire_slot(slots, minutes(at), minutes(at + 16), &OsRandom).await.unwrap()
    }
}

#[rstest::rstest]
#[case::one(1)]
#[case::two(2)]
#[tokio::test]
async fn slots_are_limited(#[case] slots: u32) {
    let world = World::new().await;
    let acquired = join_all((0..3).map(|_| world.acquire_slot(slots, 0))).await;
    assert_eq!(u32::try_from(acquired.into_iter().flatten().count()).unwrap(), slots);
}

#[tokio::test]
async fn released_slot_is_free_at_once() {
    let world = World::new().await;
    let slot = world.acquire_slot(1, 0).await.unwrap();
    assert!(world.acquire_slot(1, 1).await.is_none());
    world.store.release_slot(slot).await.unwrap();
    assert!(world.acquire_slot(1, 1).await.is_some());
}

#[tokio::test]
async fn expired_slot_is_acquired_again() {
    let world = World::new().await;
    let dead = world.acquire_slot(1, 0).await.unwrap();
    assert!(world.acquire_slot(1, 15).await.is_none());
    let next = world.acquire_slot(1, 16).await.unwrap();
    // The first holder was only slow: its release does not free the slot of the second.
    world.store.release_slot(dead).await.unwrap();
    assert!(world.acquire_slot(1, 17).await.is_none());
    world.store.release_slot(next).await.unwrap();
    assert!(world.acquire_slot(1, 17).await.is_some());
}

#[tokio::test]
async fn zero_slots_allow_no_run() {
    let world = World::new().await;
    assert!(world.store.acquire_slot(0, now(), minutes(1), &OsRandom).await.unwrap().is_none());
}
