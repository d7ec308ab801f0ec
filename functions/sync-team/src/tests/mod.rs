//! The messages that start a run, the number of concurrent runs, and denied calls.

mod dry_runs;
#[expect(dead_code, reason = "the tests of the store need the rest")]
#[path = "../../../../shared/store/tests/store/support.rs"]
mod table;
mod world;

use std::time::Duration;

use futures_util::future::join_all;
use jiff::SignedDuration;
use membermail_core::audit::RunChange;
use membermail_core::message::SyncTeam;
use membermail_core::random::OsRandom;
use membermail_runtime::testing::{Denials, Response};
use membermail_store::{Decided, Run, RunStart, RunState, Store};
use ulid::Ulid;

use self::world::{World, at};
use crate::{MAX_RECEIVES, handle};

#[tokio::test]
async fn late_message_reads_no_team() {
    let world = World::new("late").await;
    assert!(world.handle(at(Some(0))).await);
    assert_eq!(world.launchpad.lock().readings, 1);
    // A duplicate, and a message that waited while another one was handled.
    for minutes in [0, -60] {
        assert!(world.handle(at(Some(minutes))).await);
    }
    assert_eq!(world.launchpad.lock().readings, 1);
    world.clock.advance(SignedDuration::from_hours(1));
    assert!(world.handle(at(Some(60))).await);
    assert_eq!(world.launchpad.lock().readings, 2);
}

#[tokio::test]
async fn paused_days_end_in_one_reading() {
    let world = World::new("paused-days").await;
    world.clock.advance(SignedDuration::from_hours(96));
    for hour in 0..96 {
        assert!(world.handle(at(Some(hour * 60))).await);
    }
    assert_eq!(world.launchpad.lock().readings, 1);
}

#[tokio::test]
async fn message_without_time_always_runs() {
    let world = World::new("operator").await;
    for readings in 1..=3 {
        assert!(world.handle(at(None)).await);
        assert_eq!(world.launchpad.lock().readings, readings);
    }
}

#[tokio::test]
async fn failed_run_is_retried() {
    let world = World::new("failed").await;
    world.launchpad.lock().fails = true;
    for _ in 0..2 {
        assert!(!world.handle(at(Some(0))).await);
        world.clock.advance(SignedDuration::from_mins(1));
    }
    world.launchpad.lock().fails = false;
    assert!(world.handle(at(Some(0))).await);
    assert_eq!(world.launchpad.lock().readings, 1);
    let [run, ..] = &world.runs().await[..] else { panic!("no run") };
    assert_eq!(run.state, RunState::Unchanged);
}

#[tokio::test]
async fn release_is_never_dropped() {
    let world = World::new("release").await;
    let now = world.now();
    let domain = world.domain();
    let until = now + SignedDuration::from_mins(16);
    let RunStart::Started(run) = world.store.begin_run(Ulid::from_parts(1, 1), &domain, now, until, "r").await.unwrap()
    else {
        panic!("busy")
    };
    let held = Run { state: RunState::Held, finished: Some(now), ..*run };
    world.store.finish_run(&held, None).await.unwrap();
    let cause = table::operator(now);
    let decided = world.store.decide_run(&domain, held.id, RunChange::Released, None, cause, &OsRandom).await.unwrap();
    assert_eq!(decided, Decided::Done);
    world.clock.advance(SignedDuration::from_hours(1));
    assert!(world.handle(at(None)).await);
    let release = SyncTeam { release: Some(held.id), ..at(Some(0)) };
    assert!(world.handle(release).await);
    let released = world.store.run(&domain, held.id).await.unwrap().unwrap();
    assert_eq!(released.state, RunState::Applied);
}

#[tokio::test]
async fn message_without_slot_is_sent_again() {
    let world = World::new("no-slot").await;
    let now = world.now();
    let domain = world.domain();
    assert!(world.store.claim_sync(&domain, "one", now, table::minutes(4)).await.unwrap());
    assert!(world.store.confirm_sync(&domain, "one", table::days(4)).await.unwrap());
    let slot = world.store.acquire_slot(1, now, table::minutes(16), &OsRandom).await.unwrap().unwrap();
    assert!(world.handle(at(Some(0))).await, "the message failed");
    assert_eq!(world.launchpad.lock().readings, 0);
    let [(message, delay)] = &world.sent_again()[..] else { panic!("{:?}", world.sent_again()) };
    assert_eq!(message, &at(Some(0)));
    assert!((30..=60).contains(delay), "{delay}");
    let request = world.store.sync_request(&domain).await.unwrap();
    assert_eq!(request.waiting_since(now), Some(now), "the request is no longer waiting");

    world.store.release_slot(slot).await.unwrap();
    assert!(world.handle(message.clone()).await);
    assert_eq!(world.launchpad.lock().readings, 1);
    assert_eq!(world.store.sync_request(&domain).await.unwrap().waiting_since(now), None);
}

#[tokio::test]
async fn busy_domain_needs_no_slot() {
    let world = World::new("busy").await;
    let now = world.now();
    let domain = world.domain();
    let until = now + SignedDuration::from_mins(16);
    let slot = world.store.acquire_slot(1, now, until, &OsRandom).await.unwrap();
    let begun = world.store.begin_run(Ulid::from_parts(1, 1), &domain, now, until, "r").await.unwrap();
    assert!(slot.is_some() && matches!(begun, RunStart::Started(_)));
    assert!(world.store.claim_sync(&domain, "one", now, until).await.unwrap());
    assert!(world.handle(at(Some(0))).await);
    assert_eq!((world.launchpad.lock().readings, world.sent_again().len()), (0, 0));
    assert_eq!(world.store.sync_request(&domain).await.unwrap().waiting_since(now), None);
}

#[rstest::rstest]
#[case::one_slot(1)]
#[case::two_slots(2)]
#[tokio::test]
async fn syncs_share_the_slots(#[case] slots: u32) {
    let mut world = World::new(&format!("slots-{slots}")).await;
    world.context.slots.slots = slots;
    world.context.slots.wait = Duration::from_secs(60);
    world.launchpad.lock().delay = Duration::from_millis(100);
    let messages = ["ubuntu.com", "kubuntu.org", "ubuntu.net", "lubuntu.me"]
        .map(|domain| SyncTeam { domain: domain.parse().unwrap(), ..at(Some(0)) });
    let handled = join_all(messages.into_iter().map(|message| world.handle(message))).await;
    assert_eq!(handled, [true; 4]);
    assert_eq!(world.launchpad.lock().readings, 4);
    assert_eq!(world.launchpad.lock().max_in_flight, slots);
}

#[rstest::rstest]
#[case::done(false)]
#[case::failed(true)]
#[tokio::test]
async fn slot_is_free_after_run(#[case] fails: bool) {
    let world = World::new(if fails { "slot-failed" } else { "slot-done" }).await;
    world.launchpad.lock().fails = fails;
    assert_eq!(world.handle(at(Some(0))).await, !fails);
    let until = world.now() + SignedDuration::from_mins(16);
    assert!(world.store.acquire_slot(1, world.now(), until, &OsRandom).await.unwrap().is_some());
}

#[rstest::rstest]
#[case::not_allowed("AccessDeniedException")]
#[case::no_table("ResourceNotFoundException")]
#[tokio::test]
async fn denied_sync_survives_an_hour(#[case] code: &'static str) {
    let World { mut context, clock, .. } = World::new("denied").await;
    let denials = Denials::default();
    let aws = denials.aws(move |_, _| Response::error(code));
    context.store = Store::new(aws.dynamodb(), "t");
    context.worker = aws.worker("sync", clock);
    let handle = async |event| handle(&context, event).await;
    let seconds = denials.seconds_to_dead_letter(&at(Some(0)), MAX_RECEIVES, handle).await.unwrap();
    assert!(seconds >= 3600, "{seconds} s");
}
