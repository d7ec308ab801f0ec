//! Releases whose message was lost, and what the guard keeps of earlier runs.

use jiff::SignedDuration;
use membermail_core::address::DomainName;
use membermail_core::audit::{Actor, Cause, Change, RunChange};
use membermail_core::random::OsRandom;
use membermail_core::rolling::Cursor;
use membermail_core::{guard::HoldReason, member};
use membermail_store::{Begun, Decided, GuardState, Run, RunState, SyncState};

use crate::support::{World, community, minutes, now};

fn domain() -> DomainName {
    community()[0].clone()
}

fn cause(minute: i64) -> Cause<'static> {
    Cause { actor: Actor::Sync, by: Some("a run"), request_id: "request-1", now: minutes(minute) }
}

impl World {
    /// A run that began and ended in this minute.
    async fn ended(&self, minute: i64, state: RunState) -> Run {
        let (at, until) = (minutes(minute), minutes(minute) + SignedDuration::from_secs(60));
        let begun = self.store.begin_run(member::ulid(at, &OsRandom), &domain(), at, until, "request-1").await.unwrap();
        let Begun::Started(run) = begun else { panic!("busy") };
        let held_for = vec![HoldReason::Unverified { count: 3 }];
        let run = Run { state, finished: Some(at), held_for, ..*run };
        self.store.finish_run(&run, None).await.unwrap();
        run
    }

    async fn stored(&self, run: &Run) -> Run {
        self.store.run(&domain(), run.id).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn lost_release_is_resent_once_each_time() {
    let world = World::new("resent").await;
    let held = world.ended(0, RunState::Held).await;
    assert_eq!(world.store.resend_release(&held, cause(1), &OsRandom).await.unwrap(), None, "it is not released");
    let decided = world.store.decide_run(&domain(), held.id, RunChange::Released, cause(1), &OsRandom).await;
    assert_eq!(decided.unwrap(), Decided::Done);

    let released = world.stored(&held).await;
    let resend = async |run: &Run, minute| world.store.resend_release(run, cause(minute), &OsRandom).await.unwrap();
    let (one, other) = tokio::join!(resend(&released, 2), resend(&released, 2));
    let resent: Vec<_> = [one, other].into_iter().flatten().collect();
    let [first] = &resent[..] else { panic!("{resent:?}") };
    assert!(world.store.undelivered(first.notice.unwrap()).await.unwrap().is_some());

    let released = world.stored(&held).await;
    assert_eq!((released.state, released.resent), (RunState::Released, Some(minutes(2))));
    let second = resend(&released, 3).await.unwrap();
    assert_eq!((second.run, second.notice), (held.id, None), "told once");
    let entries = world.store.audit(Some(&domain()), "2026-11").await.unwrap();
    let is_resent = |change: &Change| matches!(change, Change::Run { did: RunChange::Resent, .. });
    assert_eq!(entries.iter().filter(|entry| is_resent(&entry.change)).count(), 1);
}

#[tokio::test]
async fn runs_of_a_window_come_newest_first() {
    let world = World::new("window").await;
    for minute in [0, 10, 20, 30] {
        world.ended(minute, RunState::Unchanged).await;
    }
    let runs = world.store.runs_since(&domain(), minutes(10)).await.unwrap();
    let started: Vec<_> = runs.iter().map(|run| run.started).collect();
    assert_eq!(started, [minutes(30), minutes(20), minutes(10)]);
    assert_eq!(runs[0].held_for, [HoldReason::Unverified { count: 3 }]);
}

#[tokio::test]
async fn guard_state_stays_with_sync_state() {
    let world = World::new("guard-state").await;
    let before = world.store.sync_state(&domain()).await.unwrap();
    assert_eq!(before, SyncState::default());
    let cursor = Cursor::default();
    let state = world.store.leave_sync_state(&domain(), &before, None, 7, &cursor, None).await.unwrap();
    let guard = GuardState { announced: vec![member::ulid(now(), &OsRandom)], first_sync_is_open: true };
    world.store.leave_guard_state(&domain(), &guard).await.unwrap();
    let read = world.store.sync_state(&domain()).await.unwrap();
    assert_eq!((&read.guard, read.hidden, state.hidden), (&guard, 7, 7));
    // The next sync keeps it.
    world.store.leave_sync_state(&domain(), &read, None, 8, &cursor, None).await.unwrap();
    let after = world.store.sync_state(&domain()).await.unwrap();
    assert_eq!((after.guard, after.hidden), (guard, 8));
}

#[test]
fn run_of_an_older_release_is_read() {
    let json = r#"{"id":"01KATW4Y00YYYYYYYYYYYYYYYY","domain":"ubuntu.com","state":"held",
        "started":"2026-11-24T10:00:00Z","request_id":"request-1","digest":"0123",
        "counts":{"participants":9,"active":9,"create":0,"rename":0,"restore":0,"leave":6,"suspend":0,"retire":0,
        "unchanged":3,"taken":6}}"#;
    let run: Run = serde_json::from_str(json).unwrap();
    assert!(run.held_for.is_empty() && run.resent.is_none() && !run.first_sync);
    assert_eq!(run.counts.map(|counts| (counts.leave, counts.leaving, counts.suspended)), Some((6, 0, 0)));
}
