//! Sealing anew by the current master secret: page by page, resumable, and without leaving an address out.

use std::sync::atomic::{AtomicU64, Ordering};

use membermail_core::master::MasterKeys;
use membermail_core::random::OsRandom;
use membermail_store::{Position, Reseal, Resealed, SealedBy, Sealer, Segment};
use tokio::sync::Notify;
use zeroize::Zeroizing;

use crate::support::{World, minutes, now};

/// Members with an address each, so that twice as many addresses are sealed.
const MEMBERS: u64 = 9;
/// As `World` has it.
const OLD: &str = "a master secret of a test, long enough";

/// What seals by a new secret and opens by the old one too.
fn both() -> Sealer {
    let of = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
    Sealer::of(&MasterKeys::new(of("the next master secret, as long"), Some(of(OLD))))
}

fn sealed(current: u64, previous: u64) -> SealedBy {
    SealedBy { current, previous, ..SealedBy::default() }
}

impl World {
    async fn filled(name: &str) -> Self {
        let world = Self::new(name).await;
        for number in 1..=MEMBERS {
            world.resident(&format!("member{number}")).await;
        }
        world
    }

    async fn seals(&self) -> SealedBy {
        self.store.sealed_by(&both(), &|_| {}).await.unwrap()
    }

    /// A pass with pages of two items; it is stopped once it has looked at so many addresses.
    async fn reseal(&self, secret: &str, stops_after: u64) -> (Option<Resealed>, u64) {
        let (looked_at, enough, sealer) = (AtomicU64::new(0), Notify::new(), both());
        let progress = |count| {
            if looked_at.fetch_add(count, Ordering::Relaxed) + count >= stops_after {
                enough.notify_one();
            }
        };
        let pass = Reseal { page: 2, ..Reseal::new(&sealer, secret, now(), &OsRandom) };
        let done = tokio::select! {
            biased;
            () = enough.notified() => None,
            done = self.store.reseal(pass, &progress) => Some(done.unwrap()),
        };
        (done, looked_at.load(Ordering::Relaxed))
    }
}

#[tokio::test]
async fn look_counts_each_address_once() {
    let world = World::filled("reseal-look").await;
    assert_eq!(world.seals().await, sealed(0, 2 * MEMBERS));
    assert_eq!(world.seals().await, sealed(0, 2 * MEMBERS), "a look changes nothing");
}

#[tokio::test]
async fn pages_join_without_gap() {
    let world = World::filled("reseal-pages").await;
    let (mut position, mut all, mut pages) = (Position::Start, SealedBy::default(), 0);
    while position != Position::End {
        let segment = Segment { index: 0, of: 1 };
        let (by, next) = world.store.sealed_page(&both(), Some(&OsRandom), segment, &position, 3).await.unwrap();
        assert!(by.total() <= 3);
        all.add(by);
        (position, pages) = (next, pages + 1);
    }
    assert!(pages > MEMBERS, "{pages}");
    assert_eq!(all, sealed(0, 2 * MEMBERS));
    assert_eq!(world.seals().await, sealed(2 * MEMBERS, 0));
}

#[tokio::test]
async fn stopped_pass_goes_on_where_it_was() {
    let world = World::filled("reseal-stops").await;
    let (stopped, _) = world.reseal("second", MEMBERS).await;
    assert!(stopped.is_none());
    let SealedBy { current, previous, .. } = world.seals().await;
    assert!(current > 0 && previous > 0, "{current} {previous}");

    let (done, looked_at) = world.reseal("second", u64::MAX).await;
    let done = done.unwrap();
    assert!(done.is_resumed);
    // Counts of the pass as a whole; what it looked at again is at most the page that each segment was at.
    assert_eq!((done.by.total(), looked_at), (2 * MEMBERS, 2 * MEMBERS));
    assert!(done.by.current <= 8, "{:?}", done.by);
    assert_eq!(world.seals().await, sealed(2 * MEMBERS, 0));

    let (again, _) = world.reseal("second", u64::MAX).await;
    let again = again.unwrap();
    assert!(!again.is_resumed, "a pass that ended leaves nothing to go on with");
    assert_eq!(again.by, sealed(2 * MEMBERS, 0));
}

#[tokio::test]
async fn pass_of_former_secret_is_dropped() {
    let world = World::filled("reseal-secret").await;
    assert!(world.reseal("second", MEMBERS).await.0.is_none());
    let (done, _) = world.reseal("third", u64::MAX).await;
    let done = done.unwrap();
    assert!(!done.is_resumed && done.by.total() == 2 * MEMBERS, "{done:?}");
}

#[tokio::test]
async fn concurrent_changes_leave_nothing_out() {
    let world = World::filled("reseal-race").await;
    let sign_ins = async {
        for number in 1..=MEMBERS {
            let word = format!("member{number}");
            world.member(&word, &format!("{word}@other.example")).await;
        }
    };
    let (one, two, ()) = tokio::join!(world.reseal("second", u64::MAX), world.reseal("second", u64::MAX), sign_ins);
    assert!(one.0.is_some() && two.0.is_some());
    // A function that has the old secret yet can seal behind a pass; the next one finds it.
    let done = world.reseal("second", u64::MAX).await.0.unwrap();
    assert_eq!(done.by.neither_count, 0);
    assert_eq!(world.seals().await, sealed(2 * MEMBERS, 0));
}

#[tokio::test]
async fn unreadable_addresses_are_counted() {
    let world = World::filled("reseal-lost").await;
    let other = Sealer::new(b"a secret that never sealed anything");
    let by = world.store.sealed_by(&other, &|_| {}).await.unwrap();
    assert_eq!((by.neither_count, by.neither.len()), (2 * MEMBERS, 18));
    let pass = Reseal::new(&other, "other", minutes(1), &OsRandom);
    assert_eq!(world.store.reseal(pass, &|_| {}).await.unwrap().by.neither_count, 2 * MEMBERS);
}
