//! Samples of the status page.

use jiff::{SignedDuration, Timestamp};
use membermail_core::status::{Component, DAYS, Day, History, Sample, State};

use crate::support::{World, minutes, now};

impl World {
    async fn sample(&self, component: Component, is_ok: bool, at: Timestamp) -> bool {
        self.store.record_sample(Sample { component, is_ok, at }, at).await.unwrap()
    }

    async fn status(&self, component: Component, at: Timestamp) -> History {
        self.store.status_history(component, at).await.unwrap()
    }
}

fn counts(history: &History) -> (u32, u32) {
    history.days().iter().fold((0, 0), |(good, failed), day| (good + day.good, failed + day.failed))
}

fn days(count: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * count)
}

#[tokio::test]
async fn samples_are_counted_by_day() {
    let world = World::new().await;
    for (is_ok, at) in [(true, minutes(0)), (false, minutes(5)), (true, minutes(10)), (false, days(1))] {
        assert!(world.sample(Component::SignIn, is_ok, at).await);
    }
    assert!(world.sample(Component::Mail, true, minutes(0)).await);
    let history = world.status(Component::SignIn, days(1)).await;
    let last = &history.days()[DAYS - 2..];
    let expected = [
        Day { date: "2026-11-24".parse().unwrap(), good: 2, failed: 1 },
        Day { date: "2026-11-25".parse().unwrap(), good: 0, failed: 1 },
    ];
    assert_eq!(last, expected);
    assert_eq!((history.state(days(1)), history.sampled_at()), (State::Failing, Some(days(1))));
    assert_eq!(counts(&world.status(Component::Mail, days(1)).await), (1, 0));
    assert_eq!(counts(&world.status(Component::Syncs, days(1)).await), (0, 0));
}

#[tokio::test]
async fn repeated_sample_counts_once() {
    let world = World::new().await;
    assert!(world.sample(Component::SignIn, true, minutes(0)).await);
    // The same event again, and an invocation of the same interval that saw something else.
    assert!(!world.sample(Component::SignIn, true, minutes(0)).await);
    assert!(!world.sample(Component::SignIn, false, minutes(4)).await);
    let history = world.status(Component::SignIn, minutes(4)).await;
    assert_eq!((counts(&history), history.state(minutes(4))), ((1, 0), State::Operational));
}

#[tokio::test]
async fn late_sample_replaces_no_newer_one() {
    let world = World::new().await;
    assert!(world.sample(Component::SignIn, true, minutes(10)).await);
    assert!(!world.sample(Component::SignIn, false, minutes(5)).await);
    // One of the day before counts there, and is not the newest.
    assert!(world.sample(Component::SignIn, false, days(-1)).await);
    let history = world.status(Component::SignIn, minutes(10)).await;
    assert_eq!((counts(&history), history.state(minutes(10))), ((1, 1), State::Operational));
}

#[tokio::test]
async fn concurrent_samples_count_once() {
    let world = World::new().await;
    let recorded = futures_util::future::join_all((0..5).map(|_| world.sample(Component::Mail, true, now()))).await;
    assert_eq!(recorded.iter().filter(|counted| **counted).count(), 1);
    assert_eq!(counts(&world.status(Component::Mail, now()).await), (1, 0));
}

#[tokio::test]
async fn sample_from_future_blocks_nothing() {
    let world = World::new().await;
    let wrong = Sample { component: Component::Mail, is_ok: false, at: minutes(8 * 60) };
    assert!(world.store.record_sample(wrong, minutes(8 * 60)).await.unwrap());
    assert_eq!(world.status(Component::Mail, now()).await.state(now()), State::Unknown);
    assert!(world.sample(Component::Mail, true, now()).await);
    assert_eq!(world.status(Component::Mail, now()).await.state(now()), State::Operational);
}

#[tokio::test]
async fn expired_days_are_not_shown() {
    let world = World::new().await;
    world.sample(Component::Syncs, false, now()).await;
    let ninety = i64::try_from(DAYS).unwrap();
    assert_eq!(counts(&world.status(Component::Syncs, days(ninety - 1)).await), (0, 1));
    // DynamoDB would delete it some time after 100 days.
    let history = world.status(Component::Syncs, days(ninety)).await;
    assert_eq!((counts(&history), history.sampled_at()), ((0, 0), None));
}
