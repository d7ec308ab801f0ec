//! Resealing with the current master secret: in pages, resumable, complete.

use std::sync::atomic::{AtomicU64, Ordering};

use membermail_core::master::MasterKeys;
use membermail_core::random::OsRandom;
use membermail_store::{Position, Reseal, Resealed, SealedBy, Sealer, Segment};
use tokio::sync::Notify;
use zeroize::Zeroizing;

use crate::support::{World, minutes, now};

/// Members with one alias each; each has two sealed addresses, the sign-in address and the destination.
const MEMBERS: u64 = 9;
/// The master secret of `World`.
const OLD: &[u8] = b"a master secret of a test, long enough";

/// A sealer during a key rotation: seals with the new secret and opens with both.
fn rotating_sealer() -> Sealer {
    let new = Zeroizing::new(b"the next master secret, as long".to_vec());
    Sealer::of(&MasterKeys::new(new, Some(Zeroizing::new(OLD.to_vec()))))
}

fn sealed(current: u64, previous: u64) -> SealedBy {
    SealedBy { current, previous, ..SealedBy::default() }
}

impl World {
    async fn with_members() -> Self {
        let world = Self::new().await;
        for number in 1..=MEMBERS {
            world.resident(&format!("member{number}")).await;
        }
        world
    }

    async fn count_seals(&self) -> SealedBy {
        self.store.sealed_by(&rotating_sealer(), &|_| {}).await.unwrap()
    }

    /// A pass with pages of two items, stopped after `stops_after` addresses. Returns the number of examined addresses.
    async fn reseal(&self, secret: &str, stops_after: u64) -> (Option<Resealed>, u64) {
        let examined = AtomicU64::new(0);
        let enough = Notify::new();
        let sealer = rotating_sealer();
        let progress = |count| {
            if examined.fetch_add(count, Ordering::Relaxed) + count >= stops_after {
                enough.notify_one();
            }
        };
        let pass = Reseal { page: 2, ..Reseal::new(&sealer, secret, now(), &OsRandom) };
        let done = tokio::select! {
            biased;
            () = enough.notified() => None,
            done = self.store.reseal(pass, &progress) => Some(done.unwrap()),
        };
        (done, examined.load(Ordering::Relaxed))
    }
}

#[tokio::test]
async fn count_has_each_address_once() {
    let world = World::with_members().await;
    assert_eq!(world.count_seals().await, sealed(0, 2 * MEMBERS));
    assert_eq!(world.count_seals().await, sealed(0, 2 * MEMBERS), "counting changes nothing");
}

#[tokio::test]
async fn pages_cover_all_addresses() {
    let world = World::with_members().await;
    let sealer = rotating_sealer();
    let segment = Segment { index: 0, of: 1 };
    let mut position = Position::Start;
    let mut all = SealedBy::default();
    let mut pages = 0;
    while position != Position::End {
        let (by, next) = world.store.sealed_page(&sealer, Some(&OsRandom), segment, &position, 3).await.unwrap();
        assert!(by.total() <= 3);
        all.add(by);
        position = next;
        pages += 1;
    }
    assert!(pages > MEMBERS, "{pages}");
    assert_eq!(all, sealed(0, 2 * MEMBERS));
    assert_eq!(world.count_seals().await, sealed(2 * MEMBERS, 0));
}

#[tokio::test]
async fn stopped_pass_is_resumed() {
    let world = World::with_members().await;
    let (stopped, _) = world.reseal("second", MEMBERS).await;
    assert!(stopped.is_none());
    let SealedBy { current, previous, .. } = world.count_seals().await;
    assert!(current > 0 && previous > 0, "{current} {previous}");

    let (done, examined) = world.reseal("second", u64::MAX).await;
    let done = done.unwrap();
    assert!(done.is_resumed);
    // The counts cover the whole pass; each segment examines at most one page again.
    assert_eq!((done.by.total(), examined), (2 * MEMBERS, 2 * MEMBERS));
    assert!(done.by.current <= 8, "{:?}", done.by);
    assert_eq!(world.count_seals().await, sealed(2 * MEMBERS, 0));

    let (again, _) = world.reseal("second", u64::MAX).await;
    let again = again.unwrap();
    assert!(!again.is_resumed, "a completed pass is not resumed");
    assert_eq!(again.by, sealed(2 * MEMBERS, 0));
}

#[tokio::test]
async fn pass_of_former_secret_restarts() {
    let world = World::with_members().await;
    assert!(world.reseal("second", MEMBERS).await.0.is_none());
    let (done, _) = world.reseal("third", u64::MAX).await;
    let done = done.unwrap();
    assert!(!done.is_resumed && done.by.total() == 2 * MEMBERS, "{done:?}");
}

#[tokio::test]
async fn concurrent_changes_are_resealed() {
    let world = World::with_members().await;
    let sign_ins = async {
        for number in 1..=MEMBERS {
            let word = format!("member{number}");
            world.member(&word, &format!("{word}@other.example")).await;
        }
    };
    let (one, two, ()) = tokio::join!(world.reseal("second", u64::MAX), world.reseal("second", u64::MAX), sign_ins);
    assert!(one.0.is_some() && two.0.is_some());
    // A function with the old secret can seal an address after the pass has read it; the next pass reseals it.
    let done = world.reseal("second", u64::MAX).await.0.unwrap();
    assert_eq!(done.by.neither_count, 0);
    assert_eq!(world.count_seals().await, sealed(2 * MEMBERS, 0));
}

#[tokio::test]
async fn unreadable_addresses_are_counted() {
    let world = World::with_members().await;
    let other = Sealer::new(b"a secret that never sealed anything");
    let by = world.store.sealed_by(&other, &|_| {}).await.unwrap();
    assert_eq!((by.neither_count, by.neither.len()), (2 * MEMBERS, 18));
    let pass = Reseal::new(&other, "other", minutes(1), &OsRandom);
    assert_eq!(world.store.reseal(pass, &|_| {}).await.unwrap().by.neither_count, 2 * MEMBERS);
}
