//! The pages of a domain's audit log.

use jiff::{SignedDuration, Timestamp};
use membermail_core::audit::{Actor, Cause, Entry};
use membermail_core::random::OsRandom;
use ulid::Ulid;

use crate::support::{World, ubuntu};

const ALL: (Timestamp, Timestamp) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A log with entries at these times, which verify and unverify the domain in turns.
async fn log(times: &[&str]) -> World {
    let world = World::new().await;
    for (number, time) in times.iter().enumerate() {
        let cause = Cause { actor: Actor::Operator, by: Some("olivia"), request_id: "request-1", now: at(time) };
        match number % 2 {
            0 => world.store.unverify_domain(&ubuntu(), cause, &OsRandom).await.unwrap(),
            _ => world.store.verify_domain(&ubuntu(), cause, &OsRandom).await.unwrap(),
        }
    }
    world
}

impl World {
    /// All pages, each with the times of its entries.
    async fn pages(
        &self,
        period: (Timestamp, Timestamp),
        wanted: fn(&Entry) -> bool,
        limit: usize,
    ) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut before = None;
        loop {
            let page = self.store.audit_page(&ubuntu(), period, before, wanted, limit).await.unwrap();
            pages.push(page.entries.iter().map(|entry| entry.at.to_string()).collect());
            before = page.next;
            if before.is_none() {
                return pages;
            }
        }
    }
}

const TIMES: [&str; 5] = [
    "2026-09-30T23:59:59Z",
    "2026-10-01T00:00:00Z",
    "2026-10-31T12:00:00Z",
    "2026-12-01T00:00:00Z",
    "2026-12-01T00:00:01Z",
];

/// The times of the entries, newest first. The world verifies the domain once more, at a time of its own.
fn newest_first(times: &[&str]) -> Vec<String> {
    times.iter().rev().map(|time| (*time).to_owned()).collect()
}

#[tokio::test]
async fn pages_cross_months_without_gaps() {
    let world = log(&TIMES).await;
    let period = (at("2026-09-01T00:00:00Z"), at("2026-12-31T00:00:00Z"));
    let whole = world.pages(period, |_| true, 100).await.concat();
    assert!(TIMES.iter().all(|time| whole.contains(&(*time).to_owned())), "{whole:?}");
    assert!(whole.is_sorted_by(|one, next| one >= next), "{whole:?}");
    for limit in 1..=whole.len() {
        let pages = world.pages(period, |_| true, limit).await;
        assert!(pages.iter().all(|page| page.len() <= limit), "{pages:?}");
        assert_eq!(pages.concat(), whole, "{limit}");
    }
}

#[tokio::test]
async fn period_includes_start_and_excludes_end() {
    let world = log(&TIMES).await;
    let period = (at("2026-10-01T00:00:00Z"), at("2026-10-31T12:00:00Z"));
    assert_eq!(world.pages(period, |_| true, 10).await, [newest_first(&TIMES[1..2])]);
    let next = period.1 + SignedDuration::from_micros(1);
    assert_eq!(world.pages((period.0, next), |_| true, 10).await, [newest_first(&TIMES[1..3])]);
    assert_eq!(world.pages((next, period.0), |_| true, 10).await, [Vec::<String>::new()]);
}

#[tokio::test]
async fn cursor_outside_of_period_is_harmless() {
    let world = log(&TIMES).await;
    let period = (at("2026-10-01T00:00:00Z"), at("2026-11-01T00:00:00Z"));
    for (before, count) in [(Ulid::nil(), 0), (Ulid(u128::MAX), 2)] {
        let page = world.store.audit_page(&ubuntu(), period, Some(before), |_| true, 10).await.unwrap();
        assert_eq!((page.entries.len(), page.next), (count, None));
    }
}

#[tokio::test]
async fn unwanted_entries_are_left_out() {
    let world = log(&TIMES).await;
    assert_eq!(
        world
            .pages((at("2026-09-01T00:00:00Z"), ALL.1.min(at("2027-01-01T00:00:00Z"))), |_| false, 1)
            .await
            .concat()
            .len(),
        0
    );
}
