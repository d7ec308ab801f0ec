//! One run at a time per domain, and repeats of dead runs.

use std::time::Duration;

use jiff::SignedDuration;
use membermail_core::alias::{Reason, Status};
use membermail_core::message::ApplySteps;
use membermail_store::RunState;
use membermail_sync::SyncOutcome;

use crate::support::{LEASE, Queue, World, domain};

impl World {
    /// A run that sends its first part and dies; returns the part.
    pub(crate) async fn sync_until_first_part(&self) -> Vec<ApplySteps> {
        let queue = Queue { stops_after: Some(1), ..Queue::default() };
        let sent = async {
            while queue.parts.lock().unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            ran = self.sync(&queue) => panic!("{ran:?}"),
            () = sent => {}
        }
        queue.drain()
    }
}

/// Forty members, of whom one has left. Then 25 join, the leaver among them, four leave, and two are renamed.
async fn with_many_changes(name: &str) -> World {
    let mut world = World::new(name, 40).await;
    world.community.rules.hold_above_grants = 30;
    world.leave_team(40);
    assert_eq!(world.sync_counts().await.leave, 1);
    for id in 41..=64 {
        world.add_member(id, &format!("joiner{id}")).await;
    }
    world.clock.advance(SignedDuration::from_mins(1));
    world.source.change(40, |profile| profile.in_team = true);
    world.leave_team_all(1..=4);
    (5..=6).for_each(|id| world.source.change(id, |profile| profile.name = format!("renamed{id}")));
    world
}

#[tokio::test]
async fn repeat_of_dead_run_converges() {
    let (clean, world) = tokio::join!(with_many_changes("clean"), with_many_changes("dies"));
    let queue = Queue::default();
    let run = clean.run(&queue).await;
    let parts = queue.drain();
    assert_eq!(run.state, RunState::Applied);
    assert_eq!(parts.iter().map(|part| part.steps.len()).collect::<Vec<_>>(), [ApplySteps::MAX_STEPS, 11]);
    clean.deliver(&parts).await;

    // The run sends a part and dies.
    let sent = world.sync_until_first_part().await;
    assert_eq!(sent.len(), 1);
    let dead = world.latest_run().await;
    assert_eq!(dead.state, RunState::Running);

    // While its lease lasts, no other run starts.
    let next = Queue::default();
    let busy = world.sync(&next).await.unwrap();
    assert!(matches!(busy, SyncOutcome::Busy { run, .. } if run == dead.id), "{busy:?}");
    world.clock.advance(LEASE);
    // Half of its steps are applied before the next run plans, the rest after.
    let before = sent[0].clone();
    let after = sent[0].clone();
    let half = before.steps.len() / 2;
    world.deliver(&[ApplySteps { steps: before.steps[..half].to_vec(), ..before }]).await;
    let again = world.run(&next).await;
    assert_eq!(again.state, RunState::Applied);
    let parts = next.drain();
    assert_eq!(parts.iter().map(|part| part.steps.len()).sum::<usize>(), 31 - half);
    world.deliver(&[ApplySteps { steps: after.steps[half..].to_vec(), ..after.clone() }]).await;
    world.deliver(&parts).await;
    // Everything is delivered again in reverse order.
    world.deliver(&parts.iter().rev().cloned().chain([after]).collect::<Vec<_>>()).await;

    assert_eq!(world.addresses().await, clean.addresses().await);
    let dead = world.store().run(&domain(), dead.id).await.unwrap().unwrap();
    assert_eq!(dead.state, RunState::Died);
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    let left = world.alias("member01").await;
    assert_eq!((left.status, left.reason, left.version), (Status::Leaving, Reason::NotInTeam, 2));
}

#[tokio::test]
async fn concurrent_runs_leave_one_busy() {
    let world = with_many_changes("two").await;
    let one = Queue::default();
    let two = Queue::default();
    let (first, second) = tokio::join!(world.sync(&one), world.sync(&two));
    let ran = [first.unwrap(), second.unwrap()];
    assert_eq!(ran.iter().filter(|ran| matches!(ran, SyncOutcome::Done { .. })).count(), 1, "{ran:?}");
    assert_eq!(ran.iter().filter(|ran| matches!(ran, SyncOutcome::Busy { .. })).count(), 1, "{ran:?}");
    assert_eq!(one.drain().len() + two.drain().len(), 2);
}
