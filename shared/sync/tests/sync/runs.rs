//! Runs of a sync: one at a time, and repeated where one dies.

use std::sync::Arc;

use crate::support::{LEASE, Queue, World, domain};
use jiff::SignedDuration;
use membermail_core::alias::{Reason, Status};
use membermail_core::message::TakeSteps;
use membermail_store::RunState;
use membermail_sync::Ran;

/// Forty members, one of whom has left; then 25 join, that one among them, four leave, and two are renamed.
async fn busy_day(name: &str) -> World {
    let mut world = World::new(name, 40).await;
    world.community.rules.hold_above_grants = 30;
    world.source.change(40, |profile| profile.in_team = false);
    assert_eq!(world.counted().await.leave, 1);
    for id in 41..=64 {
        world.signs_in(id, &format!("joiner{id}")).await;
    }
    world.clock.advance(SignedDuration::from_mins(1));
    world.source.change(40, |profile| profile.in_team = true);
    (1..=4).for_each(|id| world.source.change(id, |profile| profile.in_team = false));
    (5..=6).for_each(|id| world.source.change(id, |profile| profile.name = format!("renamed{id}")));
    world
}

#[tokio::test]
async fn dead_run_is_repeated_with_same_result() {
    let (clean, world) = tokio::join!(busy_day("clean"), busy_day("dies"));
    let queue = Queue::default();
    let run = clean.run(&queue).await;
    let parts = queue.take();
    assert_eq!(run.state, RunState::Applied);
    assert_eq!(parts.iter().map(|part| part.steps.len()).collect::<Vec<_>>(), [TakeSteps::STEPS, 11]);
    clean.deliver(&parts).await;

    // It hands on a part and dies.
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

    // No run takes its place while it may be alive.
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
async fn concurrent_runs_leave_one_busy() {
    let world = busy_day("two").await;
    let (one, two) = (Queue::default(), Queue::default());
    let (first, second) = tokio::join!(world.sync(&one), world.sync(&two));
    let ran = [first.unwrap(), second.unwrap()];
    assert_eq!(ran.iter().filter(|ran| matches!(ran, Ran::Done { .. })).count(), 1, "{ran:?}");
    assert_eq!(ran.iter().filter(|ran| matches!(ran, Ran::Busy { .. })).count(), 1, "{ran:?}");
    assert_eq!(one.take().len() + two.take().len(), 2);
}
