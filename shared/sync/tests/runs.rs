//! Runs of a sync: one at a time, done anew where one dies, and without a trace where nothing changed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says where it stopped")]

#[expect(dead_code, reason = "some of it is for runs that are held")]
mod support;

use std::sync::Arc;

use jiff::SignedDuration;
use membermail_core::alias::{Reason, Status};
use membermail_core::message::TakeSteps;
use membermail_store::RunState;
use membermail_sync::{Ran, SyncError};
use support::{LEASE, Queue, World, domain};
use wiremock::matchers::path_regex;
use wiremock::{Mock, ResponseTemplate};

/// Forty members with addresses; then 25 join, one of whom had left before, four leave, and two are renamed.
async fn busy_day(name: &str) -> World {
    let world = World::new(name, 40).await;
    world.people.change(40, |one| one.in_team = false);
    assert_eq!(world.synced().await.counts.unwrap().create, 39);
    for id in 41..=64 {
        world.signs_in(id, &format!("joiner{id}")).await;
    }
    world.clock.advance(SignedDuration::from_mins(1));
    world.people.change(40, |one| one.in_team = true);
    (1..=4).for_each(|id| world.people.change(id, |one| one.in_team = false));
    (5..=6).for_each(|id| world.people.change(id, |one| one.name = format!("renamed{id}")));
    world
}

#[tokio::test]
async fn a_run_that_dies_after_some_steps_is_done_anew_with_the_same_end() {
    let (clean, world) = tokio::join!(busy_day("clean"), busy_day("dies"));
    let queue = Queue::default();
    let run = clean.run(&queue).await;
    let parts = queue.take();
    assert_eq!(run.state, RunState::Applied);
    assert_eq!(parts.iter().map(|part| part.steps.len()).collect::<Vec<_>>(), [TakeSteps::STEPS, 11]);
    clean.deliver(&parts).await;

    // It hands on a part, and is no more.
    let (world, queue) = (Arc::new(world), Arc::new(Queue { stops_after: Some(1), ..Queue::default() }));
    let dying = tokio::spawn({
        let (world, queue) = (Arc::clone(&world), Arc::clone(&queue));
        async move { world.sync(&queue).await.map(drop) }
    });
    while queue.parts.lock().unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());
    let handed_on = queue.take();
    assert_eq!(handed_on.len(), 1);
    let [dead] = &world.store().runs(&domain(), 1).await.unwrap()[..] else { panic!("no run") };
    assert_eq!(dead.state, RunState::Running);

    // Nobody takes its place while it may be alive.
    let next = Queue::default();
    let busy = world.sync(&next).await.unwrap();
    assert!(matches!(busy, Ran::Busy { run, .. } if run == dead.id), "{busy:?}");
    world.clock.advance(LEASE);
    // Half of what it handed on is taken before the next run plans, and the rest comes after that.
    let (before, after) = (TakeSteps { ..handed_on[0].clone() }, handed_on[0].clone());
    let half = before.steps.len() / 2;
    world.deliver(&[TakeSteps { steps: before.steps[..half].to_vec(), ..before }]).await;
    let again = world.run(&next).await;
    assert_eq!(again.state, RunState::Applied);
    let parts = next.take();
    assert_eq!(parts.iter().map(|part| part.steps.len()).sum::<usize>(), 31 - half);
    world.deliver(&[TakeSteps { steps: after.steps[half..].to_vec(), ..after.clone() }]).await;
    world.deliver(&parts).await;
    // And all of it once more, the other way round.
    world.deliver(&parts.iter().rev().cloned().chain([after]).collect::<Vec<_>>()).await;

    assert_eq!(world.addresses().await, clean.addresses().await);
    let dead = world.store().run(&domain(), dead.id).await.unwrap().unwrap();
    assert_eq!(dead.state, RunState::Died);
    assert_eq!(world.synced().await.state, RunState::Unchanged);
    let left = world.alias("member01").await;
    assert_eq!((left.status, left.reason, left.version), (Status::Leaving, Reason::NotInTeam, 2));
}

#[tokio::test]
async fn of_two_at_once_one_runs() {
    let world = busy_day("two").await;
    let (one, two) = (Queue::default(), Queue::default());
    let (first, second) = tokio::join!(world.sync(&one), world.sync(&two));
    let ran = [first.unwrap(), second.unwrap()];
    assert_eq!(ran.iter().filter(|ran| matches!(ran, Ran::Done { .. })).count(), 1, "{ran:?}");
    assert_eq!(ran.iter().filter(|ran| matches!(ran, Ran::Busy { .. })).count(), 1, "{ran:?}");
    assert_eq!(one.take().len() + two.take().len(), 2);
}

#[tokio::test]
async fn a_run_without_a_change_writes_its_own_entry_alone_and_asks_for_nobody() {
    let world = World::new("unchanged", 30).await;
    world.synced().await;
    let before = (world.items().await, world.store().runs(&domain(), 10).await.unwrap().len());
    world.server.reset().await;
    Mock::given(path_regex("^/1.0/~")).respond_with(world.people.clone()).expect(1).mount(&world.server).await;
    let queue = Queue::default();
    let run = world.run(&queue).await;
    assert_eq!((run.state, run.counts.unwrap().unchanged), (RunState::Unchanged, 30));
    assert!(queue.take().is_empty());
    assert!(world.items().await == before.0, "an item was written");
    assert_eq!(world.store().runs(&domain(), 10).await.unwrap().len(), before.1 + 1);
    assert!(world.store().steps_of(&domain(), run.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_no_team_changes_nothing_and_frees_the_domain() {
    let world = World::new("no-team", 10).await;
    world.synced().await;
    let before = world.addresses().await;
    let queue = Queue::default();
    for id in 1..=10 {
        world.people.change(id, |one| one.in_team = false);
    }
    let error = world.sync(&queue).await.unwrap_err();
    assert!(matches!(error, SyncError::EmptyTeam { aliases: 10, .. }), "{error}");
    Mock::given(path_regex("/participants$")).respond_with(ResponseTemplate::new(500)).mount(&world.server).await;
    let error = world.sync(&queue).await.unwrap_err();
    assert!(matches!(error, SyncError::Launchpad(_)) && error.is_retryable(), "{error}");
    assert!(queue.take().is_empty());
    assert_eq!(world.addresses().await, before);
    let runs = world.store().runs(&domain(), 2).await.unwrap();
    assert!(runs.iter().all(|run| run.state == RunState::Failed && run.failure.is_some()), "{runs:?}");
}

#[tokio::test]
async fn who_leaves_is_asked_for_once_each_and_not_where_launchpad_is_busy() {
    let world = World::new("reasons", 60).await;
    world.synced().await;
    // Deactivated; suspended; gone with nothing the matter; and a former name, which somebody else had before their
    // account was suspended.
    world.people.change(4, |one| one.name = "renamed04".to_owned());
    assert_eq!(world.synced().await.counts.unwrap().rename, 1);
    world.people.change(1, |one| (one.in_team, one.is_valid) = (false, false));
    world.people.change(2, |one| (one.in_team, one.suspended) = (false, true));
    world.people.change(3, |one| one.in_team = false);
    world.people.change(4, |one| one.in_team = false);
    let other = support::Someone { name: "member04".into(), in_team: false, is_valid: true, suspended: true };
    world.people.lock().insert(99, other);
    assert_eq!(world.synced().await.counts.unwrap().leave, 5);
    let reason = async |name| world.alias(name).await.reason;
    assert_eq!((reason("member01").await, reason("member02").await), (Reason::NotValid, Reason::NotValid));
    assert_eq!((reason("member03").await, reason("member04").await), (Reason::NotInTeam, Reason::NotInTeam));
    assert_eq!(reason("renamed04").await, Reason::NotInTeam);
    assert_eq!(world.asked().await, ["member01", "member02", "member03", "member04", "renamed04"]);

    world.server.reset().await;
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "120");
    Mock::given(path_regex("/participants$")).respond_with(world.people.clone()).mount(&world.server).await;
    Mock::given(path_regex("^/1.0/~[^/]+$")).respond_with(busy).expect(1).mount(&world.server).await;
    (10..=13).for_each(|id| world.people.change(id, |one| one.in_team = false));
    assert_eq!(world.synced().await.counts.unwrap().leave, 4);
    assert_eq!(reason("member10").await, Reason::NotInTeam);
}
