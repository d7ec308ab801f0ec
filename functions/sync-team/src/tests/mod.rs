//! Which messages lead to a run, and how many runs ask Launchpad at the same time.

#[expect(dead_code, reason = "the tests of the store need the rest")]
#[path = "../../../../shared/store/tests/store/support.rs"]
mod table;
mod world;

use std::time::Duration;

use jiff::SignedDuration;
use membermail_core::audit::RunChange;
use membermail_core::message::SyncTeam;
use membermail_core::random::OsRandom;
use membermail_store::{Begun, Decided, Run, RunState};
use ulid::Ulid;

use self::world::{World, at};

#[tokio::test]
async fn late_message_reads_no_team() {
    let world = World::new("late").await;
    assert!(world.handle(at(Some(0))).await);
    assert_eq!(world.readings(), 1);
    // A duplicate, and one that waited while another message was handled.
    for minutes in [0, -60] {
        assert!(world.handle(at(Some(minutes))).await);
    }
    assert_eq!(world.readings(), 1);
    world.clock.advance(SignedDuration::from_hours(1));
    assert!(world.handle(at(Some(60))).await);
    assert_eq!(world.readings(), 2);
}

#[tokio::test]
async fn paused_days_end_in_one_reading() {
    let world = World::new("paused-days").await;
    world.clock.advance(SignedDuration::from_hours(96));
    for hour in 0..96 {
        assert!(world.handle(at(Some(hour * 60))).await);
    }
    assert_eq!(world.readings(), 1);
}

#[tokio::test]
async fn message_without_time_always_runs() {
    let world = World::new("operator").await;
    for readings in 1..=3 {
        assert!(world.handle(at(None)).await);
        assert_eq!(world.readings(), readings);
    }
}

#[tokio::test]
async fn failed_run_is_tried_again() {
    let world = World::new("failed").await;
    world.launchpad.fails(true);
    for _ in 0..2 {
        assert!(!world.handle(at(Some(0))).await);
        world.clock.advance(SignedDuration::from_mins(1));
    }
    world.launchpad.fails(false);
    assert!(world.handle(at(Some(0))).await);
    assert_eq!(world.readings(), 1);
    let [run, ..] = &world.runs().await[..] else { panic!("no run") };
    assert_eq!(run.state, RunState::Unchanged);
}

#[tokio::test]
async fn release_is_never_dropped() {
    let world = World::new("release").await;
    let (now, domain) = (world.now(), world.domain());
    let until = now + SignedDuration::from_mins(16);
    let Begun::Started(run) = world.store.begin_run(Ulid::from_parts(1, 1), &domain, now, until, "r").await.unwrap()
    else {
        panic!("busy")
    };
    let held = Run { state: RunState::Held, finished: Some(now), ..*run };
    world.store.finish_run(&held, None).await.unwrap();
    let cause = table::operator(now);
    let decided = world.store.decide_run(&domain, held.id, RunChange::Released, cause, &OsRandom).await.unwrap();
    assert_eq!(decided, Decided::Done);
    world.clock.advance(SignedDuration::from_hours(1));
    assert!(world.handle(at(None)).await);
    let release = SyncTeam { release: Some(held.id), ..at(Some(0)) };
    assert!(world.handle(release).await);
    let released = world.store.run(&domain, held.id).await.unwrap().unwrap();
    assert_eq!(released.state, RunState::Applied);
}

#[tokio::test]
async fn message_without_slot_comes_again() {
    let world = World::new("no-slot").await;
    let (now, domain) = (world.now(), world.domain());
    let minutes = |minutes| now + SignedDuration::from_mins(minutes);
    assert!(world.store.claim_sync(&domain, "one", now, minutes(4)).await.unwrap());
    assert!(world.store.confirm_sync(&domain, "one", minutes(5760)).await.unwrap());
    let slot = world.store.take_slot(1, now, minutes(16), &OsRandom).await.unwrap().unwrap();
    assert!(world.handle(at(Some(0))).await, "it has not failed");
    assert_eq!(world.readings(), 0);
    let [(message, delay)] = &world.sent_again()[..] else { panic!("{:?}", world.sent_again()) };
    assert_eq!(message, &at(Some(0)));
    assert!((30..=60).contains(delay), "{delay}");
    let request = world.store.sync_request(&domain).await.unwrap();
    assert_eq!(request.waiting_since(now), Some(now), "the message waits as before");

    world.store.give_back_slot(slot).await.unwrap();
    assert!(world.handle(message.clone()).await);
    assert_eq!(world.readings(), 1);
    assert_eq!(world.store.sync_request(&domain).await.unwrap().waiting_since(now), None);
}

#[tokio::test]
async fn busy_domain_needs_no_slot() {
    let world = World::new("busy").await;
    let (now, domain) = (world.now(), world.domain());
    let until = now + SignedDuration::from_mins(16);
    let slot = world.store.take_slot(1, now, until, &OsRandom).await.unwrap();
    let begun = world.store.begin_run(Ulid::from_parts(1, 1), &domain, now, until, "r").await.unwrap();
    assert!(slot.is_some() && matches!(begun, Begun::Started(_)));
    assert!(world.store.claim_sync(&domain, "one", now, until).await.unwrap());
    assert!(world.handle(at(Some(0))).await);
    assert_eq!((world.readings(), world.sent_again().len()), (0, 0));
    assert_eq!(world.store.sync_request(&domain).await.unwrap().waiting_since(now), None);
}

#[rstest::rstest]
#[case::one_slot(1)]
#[case::two_slots(2)]
#[tokio::test]
async fn syncs_share_the_slots(#[case] slots: u32) {
    let mut world = World::new(&format!("slots-{slots}")).await;
    world.context.turns.slots = slots;
    world.context.turns.wait = Duration::from_secs(60);
    world.launchpad.answers_after(Duration::from_millis(100));
    let of = |domain: &str| SyncTeam { domain: domain.parse().unwrap(), ..at(Some(0)) };
    let all = tokio::join!(
        world.handle(of("ubuntu.com")),
        world.handle(of("kubuntu.org")),
        world.handle(of("ubuntu.net")),
        world.handle(of("lubuntu.me"))
    );
    assert_eq!(all, (true, true, true, true));
    assert_eq!(world.readings(), 4);
    assert_eq!(world.launchpad.most_in_flight(), slots);
}

#[rstest::rstest]
#[case::done(false)]
#[case::failed(true)]
#[tokio::test]
async fn slot_is_free_after_run(#[case] fails: bool) {
    let world = World::new(if fails { "slot-failed" } else { "slot-done" }).await;
    world.launchpad.fails(fails);
    assert_eq!(world.handle(at(Some(0))).await, !fails);
    let until = world.now() + SignedDuration::from_mins(16);
    assert!(world.store.take_slot(1, world.now(), until, &OsRandom).await.unwrap().is_some());
}
