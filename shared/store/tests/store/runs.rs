//! Runs: one at a time, resumed from a checkpoint, and decided on once.

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::alias::Alias;
use membermail_core::audit::{Actor, Cause, Change, RunChange};
use membermail_core::lifecycle::{Action, Step};
use membermail_core::member;
use membermail_core::random::OsRandom;
use membermail_store::{Begun, Decided, Run, RunState};
use ulid::Ulid;

use crate::support::{World, address, community, minutes, now};

fn cause(now: Timestamp) -> Cause<'static> {
    Cause { actor: Actor::Sync, by: Some("a run"), request_id: "request-1", now }
}

fn domain() -> DomainName {
    community()[0].clone()
}

impl World {
    async fn begin_run(&self, from: Timestamp, seconds: i64) -> Begun {
        let until = from + SignedDuration::from_secs(seconds);
        let id = member::ulid(from, &OsRandom);
        self.store.begin_run(id, &domain(), from, until, "request-1").await.unwrap()
    }

    async fn started(&self, from: Timestamp) -> Run {
        match self.begin_run(from, 60).await {
            Begun::Started(run) => *run,
            Begun::Busy { .. } => panic!("busy"),
        }
    }

    /// A run that saved a checkpoint at that time.
    async fn saved(&self, run: Run, saved: Timestamp) -> Run {
        let run = Run { checkpoints: 1, saved: Some(saved), ..run };
        self.store.note_checkpoint(&run).await.unwrap();
        run
    }

    async fn run_state(&self, run: &Run) -> RunState {
        self.store.run(&domain(), run.id).await.unwrap().unwrap().state
    }
}

#[tokio::test]
async fn paused_run_is_resumed_at_once() {
    let world = World::new("pause").await;
    let run = world.started(now()).await;
    let run = world.saved(run, minutes(0)).await;
    world.store.pause_run(&run, minutes(0)).await.unwrap();
    assert_eq!(world.run_state(&run).await, RunState::Paused);
    let resumed = world.started(minutes(0)).await;
    assert_eq!(resumed, run);
    assert_eq!(world.run_state(&run).await, RunState::Running);
    assert!(matches!(world.begin_run(minutes(0), 60).await, Begun::Busy { run: busy, .. } if busy == run.id));
}

#[tokio::test]
async fn dead_run_resumes_from_checkpoint() {
    let world = World::new("dead-resumes").await;
    let run = world.started(now()).await;
    let run = world.saved(run, minutes(0)).await;
    assert_eq!(world.started(minutes(2)).await, run);
}

#[tokio::test]
async fn concurrent_resumes_leave_one_busy() {
    let world = World::new("two-resumes").await;
    let run = world.started(now()).await;
    let run = world.saved(run, minutes(0)).await;
    world.store.pause_run(&run, minutes(0)).await.unwrap();
    let (one, two) = tokio::join!(world.begin_run(minutes(1), 60), world.begin_run(minutes(1), 60));
    let resumed = [&one, &two].into_iter().filter(|begun| matches!(begun, Begun::Started(it) if it.id == run.id));
    assert_eq!(resumed.count(), 1, "{one:?} {two:?}");
    let busy = [&one, &two].into_iter().filter(|begun| matches!(begun, Begun::Busy { run: id, .. } if *id == run.id));
    assert_eq!(busy.count(), 1, "{one:?} {two:?}");
}

#[tokio::test]
async fn old_checkpoint_is_not_resumed() {
    let world = World::new("old-checkpoint").await;
    let run = world.started(now()).await;
    let run = world.saved(run, minutes(0)).await;
    world.store.pause_run(&run, minutes(0)).await.unwrap();
    let next = world.started(minutes(120)).await;
    assert_ne!(next.id, run.id);
    assert_eq!((next.started, next.checkpoints), (minutes(120), 0));
    assert_eq!(world.run_state(&run).await, RunState::Died);
}

#[tokio::test]
async fn pause_is_refused_without_lease() {
    let world = World::new("lost-lease").await;
    let slow = world.started(now()).await;
    let next = world.started(minutes(2)).await;
    assert!(world.store.pause_run(&slow, minutes(3)).await.unwrap_err().is_retryable());
    assert_eq!((world.run_state(&slow).await, world.run_state(&next).await), (RunState::Died, RunState::Running));
}

#[tokio::test]
async fn dead_run_gives_way_to_next() {
    let world = World::new("runs").await;
    let (one, two) = tokio::join!(world.begin_run(now(), 60), world.begin_run(now(), 60));
    let started: Vec<_> = [one, two].into_iter().filter(|begun| matches!(begun, Begun::Started(_))).collect();
    let [Begun::Started(run)] = &started[..] else { panic!("{started:?}") };
    assert!(matches!(world.begin_run(now(), 60).await, Begun::Busy { run: busy, .. } if busy == run.id));

    let later = now() + SignedDuration::from_secs(61);
    let Begun::Started(next) = world.begin_run(later, 60).await else { panic!("a dead run holds on") };
    assert_eq!(world.store.run(&domain(), run.id).await.unwrap().unwrap().state, RunState::Died);

    // The dead one was only slow: its end is noted, and the lease stays the other's.
    let late = Run { state: RunState::Applied, ..(**run).clone() };
    world.store.finish_run(&late, None).await.unwrap();
    assert!(matches!(world.begin_run(later, 60).await, Begun::Busy { run: busy, .. } if busy == next.id));
    let done = Run { state: RunState::Unchanged, ..*next };
    world.store.finish_run(&done, None).await.unwrap();
    let after = later + SignedDuration::from_secs(1);
    assert!(matches!(world.begin_run(after, 60).await, Begun::Started(_)));
    let states: Vec<_> = world.store.runs(&domain(), 10).await.unwrap().iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Running, RunState::Unchanged, RunState::Applied]);
}

#[tokio::test]
async fn last_sync_counts_finished_runs() {
    let world = World::new("punctuality").await;
    let later = |minutes| now() + SignedDuration::from_mins(minutes);
    let last = async |minutes| world.store.last_sync(&domain(), later(minutes)).await.unwrap();
    // Where there never was one, it is waited for from the first look on.
    assert_eq!(last(0).await, now());
    assert_eq!(last(90).await, now());
    let run = async |minutes, state| {
        let Begun::Started(run) = world.begin_run(later(minutes), 60).await else { panic!("busy") };
        let finished = Some(later(minutes + 1));
        world.store.finish_run(&Run { state, finished, ..*run }, None).await.unwrap();
    };
    run(100, RunState::Failed).await;
    assert_eq!(last(110).await, now());
    run(120, RunState::Unchanged).await;
    run(130, RunState::Failed).await;
    assert_eq!(last(140).await, later(120));
    // One that is held was read and planned: whoever is to look at it was told.
    run(150, RunState::Held).await;
    let Begun::Started(_) = world.begin_run(later(160), 60).await else { panic!("busy") };
    assert_eq!(last(170).await, later(150));
}

#[tokio::test]
async fn held_run_is_decided_once() {
    let world = World::new("held").await;
    let (_, alias) = world.resident("alice").await;
    let Begun::Started(run) = world.begin_run(now(), 60).await else { panic!("busy") };
    let Alias { member, version, .. } = alias;
    let steps: Vec<_> = (0..600)
        .map(|number| {
            let address = address(&format!("alice{number}@ubuntu.com"));
            Step { address, member, version, known_as: None, action: Action::Retire }
        })
        .collect();
    world.store.keep_steps(&run, &steps).await.unwrap();
    assert_eq!(world.store.steps_of(&domain(), run.id).await.unwrap(), steps);
    let held = Run { state: RunState::Held, ..*run };
    let entry = world.store.finish_run(&held, Some((cause(now()), &OsRandom))).await.unwrap().unwrap();
    assert!(world.store.undelivered(entry).await.unwrap().is_some());

    let decide = async |did| world.store.decide_run(&domain(), held.id, did, cause(now()), &OsRandom).await;
    assert_eq!(decide(RunChange::Released).await.unwrap(), Decided::Done);
    assert_eq!(decide(RunChange::Rejected).await.unwrap(), Decided::NotHeld(RunState::Released));
    let nobody = world.store.decide_run(&domain(), Ulid::nil(), RunChange::Released, cause(now()), &OsRandom).await;
    assert_eq!(nobody.unwrap(), Decided::NoRun);
    let entries = world.store.audit(Some(&domain()), "2026-11").await.unwrap();
    let decisions = entries.iter().filter(|entry| matches!(entry.change, Change::Run { .. })).count();
    assert_eq!(decisions, 2, "one that it was held, one that it was released");
}
