//! Runs: one at a time per domain, resumed from a checkpoint, decided once.

use jiff::{SignedDuration, Timestamp};
use membermail_core::alias::Alias;
use membermail_core::audit::{Change, RunChange};
use membermail_core::guard::HoldReason;
use membermail_core::lifecycle::Action;
use membermail_core::member;
use membermail_core::random::OsRandom;
use membermail_store::{Decided, Run, RunStart, RunState};
use ulid::Ulid;

use crate::support::{World, address, minutes, now, seconds, step, sync, ubuntu};

impl World {
    /// Begins a run with a lease of one minute.
    async fn begin_run(&self, from: Timestamp) -> RunStart {
        let until = from + SignedDuration::from_mins(1);
        let id = member::ulid(from, &OsRandom);
        self.store.begin_run(id, &ubuntu(), from, until, "request-1").await.unwrap()
    }

    async fn start_run(&self, from: Timestamp) -> Run {
        match self.begin_run(from).await {
            RunStart::Started(run) => *run,
            RunStart::Busy { .. } => panic!("busy"),
        }
    }

    /// Records that the run saved a checkpoint at that time.
    async fn note_checkpoint(&self, run: Run, saved: Timestamp) -> Run {
        let run = Run { checkpoints: 1, saved: Some(saved), ..run };
        self.store.note_checkpoint(&run).await.unwrap();
        run
    }

    /// A run that began and ended at that minute.
    pub(crate) async fn end_run(&self, minute: i64, state: RunState) -> Run {
        let run = Run { state, finished: Some(minutes(minute)), ..self.start_run(minutes(minute)).await };
        self.store.finish_run(&run, None).await.unwrap();
        run
    }

    async fn run_state(&self, run: &Run) -> RunState {
        self.store.run(&ubuntu(), run.id).await.unwrap().unwrap().state
    }
}

#[tokio::test]
async fn paused_run_is_resumed_at_once() {
    let world = World::new().await;
    let run = world.start_run(now()).await;
    let run = world.note_checkpoint(run, minutes(0)).await;
    world.store.pause_run(&run, minutes(0)).await.unwrap();
    assert_eq!(world.run_state(&run).await, RunState::Paused);
    let resumed = world.start_run(minutes(0)).await;
    assert_eq!(resumed, run);
    assert_eq!(world.run_state(&run).await, RunState::Running);
    assert!(matches!(world.begin_run(minutes(0)).await, RunStart::Busy { run: busy, .. } if busy == run.id));
}

#[tokio::test]
async fn dead_run_resumes_from_checkpoint() {
    let world = World::new().await;
    let run = world.start_run(now()).await;
    let run = world.note_checkpoint(run, minutes(0)).await;
    assert_eq!(world.start_run(minutes(2)).await, run);
}

#[tokio::test]
async fn concurrent_resumes_leave_one_busy() {
    let world = World::new().await;
    let run = world.start_run(now()).await;
    let run = world.note_checkpoint(run, minutes(0)).await;
    world.store.pause_run(&run, minutes(0)).await.unwrap();
    let (one, two) = tokio::join!(world.begin_run(minutes(1)), world.begin_run(minutes(1)));
    let resumed =
        [&one, &two].into_iter().filter(|begun| matches!(begun, RunStart::Started(started) if started.id == run.id));
    assert_eq!(resumed.count(), 1, "{one:?} {two:?}");
    let busy =
        [&one, &two].into_iter().filter(|begun| matches!(begun, RunStart::Busy { run: id, .. } if *id == run.id));
    assert_eq!(busy.count(), 1, "{one:?} {two:?}");
}

#[tokio::test]
async fn old_checkpoint_is_not_resumed() {
    let world = World::new().await;
    let run = world.start_run(now()).await;
    let run = world.note_checkpoint(run, minutes(0)).await;
    world.store.pause_run(&run, minutes(0)).await.unwrap();
    let next = world.start_run(minutes(120)).await;
    assert_ne!(next.id, run.id);
    assert_eq!((next.started, next.checkpoints), (minutes(120), 0));
    assert_eq!(world.run_state(&run).await, RunState::Died);
}

#[tokio::test]
async fn pause_is_refused_without_lease() {
    let world = World::new().await;
    let slow = world.start_run(now()).await;
    let next = world.start_run(minutes(2)).await;
    assert!(world.store.pause_run(&slow, minutes(3)).await.unwrap_err().is_retryable());
    assert_eq!((world.run_state(&slow).await, world.run_state(&next).await), (RunState::Died, RunState::Running));
}

#[tokio::test]
async fn dead_run_loses_its_lease() {
    let world = World::new().await;
    let (one, two) = tokio::join!(world.begin_run(now()), world.begin_run(now()));
    let started: Vec<_> = [one, two].into_iter().filter(|begun| matches!(begun, RunStart::Started(_))).collect();
    let [RunStart::Started(run)] = &started[..] else { panic!("{started:?}") };
    assert!(matches!(world.begin_run(now()).await, RunStart::Busy { run: busy, .. } if busy == run.id));

    let later = seconds(61);
    let RunStart::Started(next) = world.begin_run(later).await else { panic!("the dead run keeps the lease") };
    assert_eq!(world.store.run(&ubuntu(), run.id).await.unwrap().unwrap().state, RunState::Died);

    // The first run was only slow: its end is recorded, and the second run keeps the lease.
    let late = Run { state: RunState::Applied, ..(**run).clone() };
    world.store.finish_run(&late, None).await.unwrap();
    assert!(matches!(world.begin_run(later).await, RunStart::Busy { run: busy, .. } if busy == next.id));
    let done = Run { state: RunState::Unchanged, ..*next };
    world.store.finish_run(&done, None).await.unwrap();
    assert!(matches!(world.begin_run(seconds(62)).await, RunStart::Started(_)));
    let states: Vec<_> = world.store.runs(&ubuntu(), 10).await.unwrap().iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Running, RunState::Unchanged, RunState::Applied]);
}

/// A lease can outlive its run's entry, and an entry its lease.
#[tokio::test]
async fn lease_alone_creates_no_run() {
    let world = World::new().await;
    let gone = world.start_run(minutes(0)).await;
    let partition = format!("SYNC#{}", ubuntu());
    world.delete_item(&partition, &format!("RUN#{}", gone.id)).await;
    let ended = world.start_run(minutes(10)).await;
    let runs = world.store.runs(&ubuntu(), 10).await.unwrap();
    assert_eq!(runs, std::slice::from_ref(&ended), "the lease created a run");

    // The run has ended, and its lease is left behind.
    let ended = Run { state: RunState::Applied, finished: Some(minutes(11)), ..ended };
    let lease = world.item(&partition, "LEASE").await.unwrap();
    world.store.finish_run(&ended, None).await.unwrap();
    world.store.put_raw_item(lease).await.unwrap();
    let next = world.start_run(minutes(20)).await;
    assert_eq!(world.store.runs(&ubuntu(), 10).await.unwrap(), [next, ended]);
}

#[tokio::test]
async fn last_sync_counts_finished_runs() {
    let world = World::new().await;
    let last = async || {
        let request = world.store.sync_request(&ubuntu()).await.unwrap();
        assert!(request.synced_or_awaited() <= world.store.last_sync(&ubuntu(), Some(&request)).await.unwrap());
        world.store.last_sync(&ubuntu(), Some(&request)).await.unwrap()
    };
    assert_eq!(last().await, None);
    // Without a run, the first request counts.
    for minute in [5, 65] {
        assert!(world.store.claim_sync(&ubuntu(), "one", minutes(minute), minutes(minute + 4)).await.unwrap());
        assert!(world.store.release_sync_claim(&ubuntu(), "one").await.unwrap());
        assert_eq!(last().await, Some(minutes(5)));
    }
    world.end_run(100, RunState::Failed).await;
    assert_eq!(last().await, Some(minutes(5)));
    world.end_run(120, RunState::Unchanged).await;
    world.end_run(130, RunState::Failed).await;
    assert_eq!(last().await, Some(minutes(120)));
    // A held run counts as finished: it was read and planned, and the admins have a notice.
    world.end_run(150, RunState::Held).await;
    world.start_run(minutes(160)).await;
    assert_eq!(last().await, Some(minutes(150)));
    assert_eq!(world.store.last_sync(&ubuntu(), None).await.unwrap(), Some(minutes(150)));
    world.store.note_synced(&ubuntu(), minutes(170)).await.unwrap();
    assert_eq!(last().await, Some(minutes(170)));
}

#[tokio::test]
async fn held_run_is_decided_once() {
    let world = World::new().await;
    let (_, alias) = world.resident("alice").await;
    let run = world.start_run(now()).await;
    let steps = (0..600).map(|number| {
        let address = address(&format!("alice{number}@ubuntu.com"));
        step(&Alias { address, ..alias.clone() }, Action::Retire)
    });
    let steps: Vec<_> = steps.collect();
    world.store.save_steps(&run, &steps).await.unwrap();
    assert_eq!(world.store.steps_of(&ubuntu(), run.id).await.unwrap(), steps);
    let held_for = vec![HoldReason::Unverified { count: 3 }];
    let held = Run { state: RunState::Held, held_for, ..run };
    let entry = world.store.finish_run(&held, Some((sync(now()), &OsRandom))).await.unwrap().unwrap();
    assert!(world.store.undelivered(entry).await.unwrap().is_some());
    assert_eq!(world.store.run(&ubuntu(), held.id).await.unwrap().unwrap().held_for, held.held_for);

    let decide = async |did| world.store.decide_run(&ubuntu(), held.id, did, None, sync(now()), &OsRandom).await;
    assert_eq!(decide(RunChange::Released).await.unwrap(), Decided::Done);
    assert_eq!(decide(RunChange::Rejected).await.unwrap(), Decided::NotHeld(RunState::Released));
    let unknown =
        world.store.decide_run(&ubuntu(), Ulid::nil(), RunChange::Released, None, sync(now()), &OsRandom).await;
    assert_eq!(unknown.unwrap(), Decided::NoRun);
    let entries = world.store.audit(Some(&ubuntu()), "2026-11").await.unwrap();
    let decisions = entries.iter().filter(|entry| matches!(entry.change, Change::Run { .. })).count();
    assert_eq!(decisions, 2, "one entry for the hold, one for the release");
}
